import { ServiceError } from '@hedgerow/service-kit'

export type Media = 'png' | 'jpeg' | 'webp' | 'gif' | 'tiff' | 'pdf'

const NAMES: Record<string, Media> = {
  'image/png': 'png',
  'image/jpeg': 'jpeg',
  'image/jpg': 'jpeg',
  'image/webp': 'webp',
  'image/gif': 'gif',
  'image/tiff': 'tiff',
  'application/pdf': 'pdf',
  'application/x-pdf': 'pdf'
}

export const MEDIA_TYPES = Object.keys(NAMES)

/** What senders say when they don't know; the third is what curl says of any data. */
const SAYS_NOTHING = new Set([
  '',
  'application/octet-stream',
  'application/x-www-form-urlencoded',
  'binary/octet-stream',
  'image/*'
])

/** Readers of PDF look for its mark as far as this. */
const PDF_MARK_WITHIN = 1024

/**
 * What a body is by what it is said to be and what its bytes show.
 *
 * @param contentType the header, or what a form or a data URL says
 * @throws {ServiceError} 400 where the two differ, 415 where it is nothing that can be read
 */
export function mediaOf(bytes: Uint8Array, contentType = ''): Media {
  const essence = contentType.split(';')[0]?.trim().toLowerCase() ?? ''
  const seen = look(bytes)
  const said = NAMES[essence]
  if (said != null && said !== seen) {
    throw new ServiceError(
      400,
      'MediaTypeMismatch',
      `the body is said to be ${essence}, but its bytes are ${seen ?? 'not'}; correct the media type or leave it out`
    )
  }
  if (seen == null || (said == null && !SAYS_NOTHING.has(essence))) {
    const what = said == null && !SAYS_NOTHING.has(essence) ? essence : 'what this is'
    throw new ServiceError(
      415,
      'UnsupportedMediaType',
      `${what} can't be read; send PNG, JPEG, WebP, GIF, TIFF or PDF (pictures of an iPhone: as JPEG)`
    )
  }
  return seen
}

function look(bytes: Uint8Array): Media | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, PDF_MARK_WITHIN + 8))
  const starts = (mark: string, at = 0): boolean => head.toString('latin1', at, at + mark.length) === mark
  if (starts('\x89PNG\r\n\x1a\n')) return 'png'
  if (starts('\xff\xd8\xff')) return 'jpeg'
  if (starts('RIFF') && starts('WEBP', 8)) return 'webp'
  if (starts('GIF87a') || starts('GIF89a')) return 'gif'
  if (starts('II*\0') || starts('MM\0*')) return 'tiff'
  return head.includes('%PDF-') ? 'pdf' : undefined
}
