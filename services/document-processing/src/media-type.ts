import { DocumentError } from './errors.ts'

/** What can be read, and how it is called. */
export const FORMATS = {
  pdf: 'application/pdf',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  html: 'text/html',
  text: 'text/plain',
  png: 'image/png',
  jpeg: 'image/jpeg'
} as const

export type Format = keyof typeof FORMATS

const NAMES: Record<string, Format> = {
  [FORMATS.pdf]: 'pdf',
  'application/x-pdf': 'pdf',
  [FORMATS.docx]: 'docx',
  [FORMATS.html]: 'html',
  'application/xhtml+xml': 'html',
  [FORMATS.text]: 'text',
  'text/markdown': 'text',
  'text/x-markdown': 'text',
  [FORMATS.png]: 'png',
  [FORMATS.jpeg]: 'jpeg',
  'image/jpg': 'jpeg'
}

/** Types that senders give when they don't know; the bytes decide. The third is what curl says of any data. */
const SAYS_NOTHING = new Set([
  '',
  'application/octet-stream',
  'application/x-www-form-urlencoded',
  'binary/octet-stream',
  'application/zip',
  'application/msword'
])

/** What the first bytes show; office containers and pictures of other kinds have names for the message only. */
type Seen = Format | 'zip' | 'old-office' | 'gif' | 'tiff' | 'webp' | 'heic' | 'rtf' | 'binary'

/** Readers of PDF look for its mark as far as this. */
const PDF_MARK_WITHIN = 1024
/** bytes looked at to tell text from other things */
const SAMPLE = 8192

export interface MediaType {
  /** in lower case, without parameters; empty when none was given */
  essence: string
  charset: string | undefined
}

export function parseMediaType(header: string | undefined): MediaType {
  const [essence = '', ...parameters] = (header ?? '').split(';')
  const charset = parameters
    .map(parameter => /^\s*charset\s*=\s*"?([\w.:-]{1,40})"?\s*$/i.exec(parameter)?.[1])
    .find(value => value != null)
  return { essence: essence.trim().toLowerCase(), charset: charset?.toLowerCase() }
}

/**
 * The format of a document by what it is said to be and what its bytes show.
 *
 * @throws {DocumentError} MediaTypeMismatch when the two differ, UnsupportedMediaType when it is none that can be read
 */
export function formatOf(essence: string, bytes: Uint8Array): Format {
  const seen = look(bytes)
  const said = NAMES[essence]
  if (said == null) {
    if (!SAYS_NOTHING.has(essence)) throw unsupported(essence)
    if (seen === 'zip') return 'docx'
    if (isFormat(seen)) return seen
    throw unsupported(seen)
  }
  if (said === seen) return said
  const fits =
    (said === 'docx' && (seen === 'zip' || seen === 'old-office')) ||
    ((said === 'html' || said === 'text') && (seen === 'html' || seen === 'text' || seen === 'rtf'))
  if (fits) return said
  throw new DocumentError(
    'MediaTypeMismatch',
    `the body is said to be ${essence}, but its bytes are not (they look like ${seen}); correct the Content-Type or leave it out`
  )
}

function isFormat(seen: Seen): seen is Format {
  return seen in FORMATS
}

function unsupported(what: string): DocumentError {
  const advice =
    what === 'old-office'
      ? 'documents of Word 97-2003 are not read; save it as DOCX or PDF'
      : `${what === 'binary' ? 'what this is' : what} can't be read; send PDF, DOCX, HTML, plain text, PNG or JPEG`
  return new DocumentError('UnsupportedMediaType', advice)
}

function look(bytes: Uint8Array): Seen {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, SAMPLE))
  const starts = (hex: string, at = 0): boolean => head.toString('hex', at, at + hex.length / 2) === hex
  if (starts('89504e470d0a1a0a')) return 'png'
  if (starts('ffd8ff')) return 'jpeg'
  if (starts('504b0304') || starts('504b0506')) return 'zip'
  if (starts('d0cf11e0a1b11ae1')) return 'old-office'
  if (starts('47494638')) return 'gif'
  if (starts('49492a00') || starts('4d4d002a')) return 'tiff'
  if (starts('52494646') && starts('57454250', 8)) return 'webp'
  if (starts('66747970', 4)) return 'heic'
  if (starts('7b5c727466')) return 'rtf'
  if (head.subarray(0, PDF_MARK_WITHIN).includes('%PDF-')) return 'pdf'
  if (starts('fffe') || starts('feff')) return 'text'
  // control characters other than tab, line feed, form feed, carriage return and escape are in no text
  if (head.some(byte => byte < 0x20 && ![0x09, 0x0a, 0x0c, 0x0d, 0x1b].includes(byte))) return 'binary'
  const start = head.toString('latin1').replace(/^(?:\s|ï»¿|<!--[\s\S]*?-->|<\?xml[^>]*>)+/, '')
  return /^<(?:!doctype\s+html|html|head|body)[\s>]/i.test(start) ? 'html' : 'text'
}
