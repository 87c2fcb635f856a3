import sharp, { type Sharp } from 'sharp'
import { DocumentError } from '../errors.ts'
import { MAX_DPI, MAX_OCR_PIXELS, MAX_PICTURE_PIXELS } from '../limits.ts'
import type { ReadResult } from '../process/task.ts'

// one picture at a time in each process, nothing kept of it
sharp.concurrency(1)
sharp.cache(false)

const OPTIONS = { limitInputPixels: MAX_PICTURE_PIXELS, failOn: 'error' } as const

/** @throws {DocumentError} */
export async function readPicture(bytes: Uint8Array): Promise<ReadResult> {
  const { width, height } = await decoded(bytes, picture => picture.metadata())
  return { title: undefined, pages: [{ number: 1, dpi: MAX_DPI }], details: { width, height } }
}

/**
 * A picture the way up that its camera says, in grey, no larger than OCR gains from.
 *
 * @throws {DocumentError}
 */
export async function renderPicture(bytes: Uint8Array): Promise<Uint8Array> {
  return decoded(bytes, async picture => {
    const { width, height } = await picture.metadata()
    const scale = Math.min(1, Math.sqrt(MAX_OCR_PIXELS / (width * height)))
    const upright = picture.autoOrient().flatten({ background: 'white' }).greyscale()
    const fitted =
      scale === 1 ? upright : upright.resize(Math.round(Math.max(width, height) * scale), null, { fit: 'inside' })
    return fitted.png().toBuffer()
  })
}

interface GreyPixels {
  width: number
  height: number
  data: Uint8Array
  dpi: number
}

export async function greyPng({ width, height, data, dpi }: GreyPixels): Promise<Uint8Array> {
  return sharp(data, { raw: { width, height, channels: 1 } })
    .withMetadata({ density: dpi })
    .toColourspace('b-w')
    .png()
    .toBuffer()
}

async function decoded<T>(bytes: Uint8Array, work: (picture: Sharp) => Promise<T>): Promise<T> {
  try {
    return await work(sharp(bytes, OPTIONS))
  } catch (err) {
    if (err instanceof Error && err.message.includes('pixel limit')) {
      throw new DocumentError('DocumentTooComplex', `the picture has more than ${MAX_PICTURE_PIXELS} pixels`, err)
    }
    throw new DocumentError('CorruptDocument', 'the picture is damaged or cut short', err)
  }
}
