import { ServiceError } from '@hedgerow/service-kit'
import type { PdfErrorCode } from '@hedgerow/service-kit/pdf'
import type Tesseract from 'tesseract.js'
import { countPictures, type PageSource, type Prepared, prepare } from './image/picture.ts'
import { type Box, boxBefore } from './image/placement.ts'
import { MAX_PAGES } from './limits.ts'
import type { Media } from './media.ts'
import type { Readers } from './tesseract/readers.ts'
import type { Threads } from './thread/threads.ts'

export interface Part {
  text: string
  /** 0 to 1 */
  confidence: number
  /** in pixels of the picture the way up that it is meant to be seen, or of the page as it was rendered */
  bbox: Box
}

export interface Block extends Part {
  page: number
  lines: Part[]
}

export interface Page {
  page: number
  width: number
  height: number
  confidence: number
  /** degrees clockwise that it was turned to be read */
  turned: number
}

export interface Recognized {
  text: string
  confidence: number
  blocks: Block[]
  pages: Page[]
}

export interface RecognizerComponents {
  readers: Readers
  threads: Threads
}

/** Of less than this, more is read with the page upside down, unless there is hardly anything to read. */
const UNSURE = 0.6
const HARDLY_ANYTHING = 20

const PDF_STATUS: Record<PdfErrorCode, number> = {
  CorruptDocument: 422,
  PasswordProtected: 422,
  UnsupportedEncryption: 422,
  DocumentTooComplex: 422
}

/** Reads pictures and PDFs. */
export class Recognizer {
  readonly #readers: Readers
  readonly #threads: Threads
  readonly #atOnce: number

  /** @param atOnce pages of one document */
  constructor({ readers, threads }: RecognizerComponents, atOnce: number) {
    this.#readers = readers
    this.#threads = threads
    this.#atOnce = atOnce
  }

  /** @throws {ServiceError}, or the signal's reason */
  async recognize(bytes: Uint8Array, media: Media, signal: AbortSignal): Promise<Recognized> {
    const { count, source } = media === 'pdf' ? await this.#pdf(bytes, signal) : await pictures(bytes, media)
    if (count > MAX_PAGES) {
      const detail = `the document has ${count} pages; ${MAX_PAGES} are read in one request, so split it`
      throw new ServiceError(413, 'TooManyPages', detail)
    }
    const read = await this.#eachPage(
      count,
      async (number, either) => this.#page(number, await source(number, either), either),
      signal
    )
    const text = read.map(page => page.text).join('\n\n')
    return {
      text: text.trim(),
      confidence: weighted(read),
      blocks: read.flatMap(page => page.blocks),
      pages: read.map(page => page.page)
    }
  }

  /** A few pages at once; the first that fails stops the others. */
  async #eachPage<T>(
    count: number,
    work: (number: number, signal: AbortSignal) => Promise<T>,
    signal: AbortSignal
  ): Promise<T[]> {
    const failed = new AbortController()
    const either = AbortSignal.any([signal, failed.signal])
    const numbers = Array.from({ length: count }, (_, i) => i + 1)
    const results = new Map<number, T>()
    const next = numbers.values()
    const lane = async (): Promise<void> => {
      for (const number of next) results.set(number, await work(number, either))
    }
    try {
      await Promise.all(Array.from({ length: Math.min(this.#atOnce, count) }, lane))
    } catch (err) {
      failed.abort(err)
      throw err
    }
    return numbers.flatMap(number => results.get(number) ?? [])
  }

  async #page(number: number, source: PageSource, signal: AbortSignal): Promise<ReadPage> {
    const prepared = await prepare(source, grey => this.#threads.run('layout', grey, signal))
    const upright = await this.#read(number, prepared, signal)
    if (upright.page.confidence >= UNSURE || upright.text.length < HARDLY_ANYTHING) return upright
    const upsideDown = await this.#read(number, overturned(prepared), signal)
    return upsideDown.page.confidence > upright.page.confidence ? upsideDown : upright
  }

  async #read(number: number, { image, placement }: Prepared, signal: AbortSignal): Promise<ReadPage> {
    const page = await this.#tesseract(number, image, signal)
    const part = ({ text, confidence, bbox }: Tesseract.Block | Tesseract.Line): Part => ({
      text: text.trim(),
      confidence: share(confidence),
      bbox: boxBefore(bbox, placement)
    })
    const blocks = (page.blocks ?? []).flatMap(block => {
      const lines = block.paragraphs.flatMap(paragraph => paragraph.lines)
      return block.text.trim() === '' ? [] : { page: number, ...part(block), lines: lines.map(part) }
    })
    const text = page.text.trim()
    return {
      text,
      blocks,
      page: {
        page: number,
        width: placement.before.width,
        height: placement.before.height,
        // it is sure of pages on which it finds nothing
        confidence: text === '' ? 0 : share(page.confidence),
        turned: Math.round(placement.turned * 100) / 100
      }
    }
  }

  async #tesseract(number: number, image: Prepared['image'], signal: AbortSignal): Promise<Tesseract.Page> {
    try {
      return await this.#readers.read(image, signal)
    } catch (err) {
      signal.throwIfAborted()
      throw new ServiceError(500, 'OcrFailed', `Tesseract failed on page ${number}`, { page: number }, err)
    }
  }

  async #pdf(bytes: Uint8Array, signal: AbortSignal): Promise<Sources> {
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
    shared.set(bytes)
    const count = checked(await this.#threads.run('countPages', { bytes: shared }, signal))
    return {
      count,
      source: async (number, either) => ({
        pixels: checked(await this.#threads.run('renderPage', { bytes: shared, number }, either))
      })
    }
  }
}

interface Sources {
  count: number
  source(number: number, signal: AbortSignal): Promise<PageSource>
}

interface ReadPage {
  text: string
  blocks: Block[]
  page: Page
}

async function pictures(encoded: Uint8Array, media: Media): Promise<Sources> {
  // pages of a TIFF are pages; those of a GIF or WebP are the frames of a film
  const count = media === 'tiff' ? await countPictures(encoded) : 1
  return { count, source: async number => ({ encoded, page: number - 1 }) }
}

function overturned({ image, placement }: Prepared): Prepared {
  return {
    image: { ...image, data: image.data.toReversed() },
    placement: { ...placement, turned: placement.turned + 180 }
  }
}

function checked<T>(outcome: { ok: true; value: T } | { ok: false; code: PdfErrorCode; detail: string }): T {
  if (outcome.ok) return outcome.value
  throw new ServiceError(PDF_STATUS[outcome.code], outcome.code, outcome.detail)
}

/** By the length of their texts: an empty page says nothing. */
function weighted(pages: ReadPage[]): number {
  const total = pages.reduce((sum, { text }) => sum + text.length, 0)
  const sum = pages.reduce((sum, { text, page }) => sum + text.length * page.confidence, 0)
  return total === 0 ? 0 : Math.round((sum / total) * 1000) / 1000
}

function share(percent: number): number {
  return Math.round(percent * 10) / 1000
}
