import { ServiceError } from '@hedgerow/service-kit'
import { assemble, type Chunk } from './chunks.ts'
import { DocumentError, STATUS } from './errors.ts'
import type { Upload } from './input.ts'
import { MAX_OCR_PAGES, MAX_TEXT, OCR_AT_ONCE } from './limits.ts'
import { FORMATS, type Format, formatOf } from './media-type.ts'
import type { Recognized } from './ocr.ts'
import type { OpenDocument, Processes } from './process/processes.ts'
import type { OcrChoice, RenderTask } from './process/task.ts'

export interface ProcessedPage {
  number: number
  text: string
  /** the document's own text, or read by OCR */
  source: 'text' | 'ocr'
  confidence?: number
}

export interface ProcessedDocument {
  text: string
  pages: ProcessedPage[]
  chunks: Chunk[]
  metadata: Record<string, string | number>
}

export interface Components {
  processes: Processes
  /** the text of a page that is a picture */
  recognize(png: Uint8Array, page: number, signal: AbortSignal): Promise<Recognized>
}

/** @throws {ServiceError} */
export async function processDocument(
  upload: Upload,
  components: Components,
  signal: AbortSignal
): Promise<ProcessedDocument> {
  const format = formatOfUpload(upload)
  const { bytes, mediaType, chunkSize } = upload
  const { pages, title, details, scanned } = await components.processes.open(bytes, signal, document =>
    pagesOf(document, { ...upload, format, charset: mediaType.charset }, components, signal)
  )

  const inOrder = pages.toSorted((a, b) => a.number - b.number)
  const { text, chunks } = assemble(inOrder, chunkSize)
  if (text.length > MAX_TEXT)
    throw new ServiceError(422, 'TextTooLong', `the text has more than ${MAX_TEXT} characters`)
  return {
    text,
    pages: inOrder,
    chunks,
    metadata: {
      ...(upload.filename == null ? {} : { filename: upload.filename }),
      media_type: FORMATS[format],
      page_count: inOrder.length,
      ocr_pages: scanned,
      characters: text.length,
      bytes: bytes.length,
      ...(title == null ? {} : { title: title.slice(0, 500) }),
      ...details
    }
  }
}

interface HowToRead {
  format: Format
  charset: string | undefined
  password: string
  ocr: OcrChoice
}

interface Pages {
  pages: ProcessedPage[]
  title: string | undefined
  details: Record<string, string | number>
  /** how many of them are pictures */
  scanned: number
}

async function pagesOf(
  document: OpenDocument,
  { format, charset, password, ocr }: HowToRead,
  { recognize }: Components,
  signal: AbortSignal
): Promise<Pages> {
  const read = await document.read({ kind: 'read', format, charset, password, ocr }, signal)
  const pages: ProcessedPage[] = []
  const scanned: RenderTask[] = []
  for (const page of read.pages) {
    if ('text' in page) pages.push({ ...page, source: 'text' })
    else scanned.push({ kind: 'render', format, password, page: page.number, dpi: page.dpi })
  }
  if (scanned.length > MAX_OCR_PAGES) {
    throw new ServiceError(
      422,
      'TooManyPages',
      `${scanned.length} pages are scanned; ${MAX_OCR_PAGES} are the most that are read in one request, so split it`
    )
  }
  pages.push(...(await readScanned(scanned, document, recognize, signal)))
  return { pages, title: read.title, details: read.details, scanned: scanned.length }
}

function formatOfUpload({ mediaType, bytes }: Upload): Format {
  try {
    return formatOf(mediaType.essence, bytes)
  } catch (err) {
    if (err instanceof DocumentError) throw new ServiceError(STATUS[err.code], err.code, err.message)
    throw err
  }
}

/** A few pages at once, each rendered just before it is read; the first that fails stops the others. */
async function readScanned(
  tasks: readonly RenderTask[],
  document: OpenDocument,
  recognize: Components['recognize'],
  signal: AbortSignal
): Promise<ProcessedPage[]> {
  const failed = new AbortController()
  const either = AbortSignal.any([signal, failed.signal])
  const pages: ProcessedPage[] = []
  const next = tasks.values()
  // one after the other: a process does one thing at a time
  let rendering: Promise<unknown> = Promise.resolve()
  const render = (task: RenderTask): Promise<Uint8Array> => {
    const rendered = rendering.then(() => document.render(task, either))
    rendering = rendered.catch(() => undefined)
    return rendered
  }
  const lane = async (): Promise<void> => {
    for (const task of next) {
      const recognized = await recognize(await render(task), task.page, either)
      pages.push({ number: task.page, source: 'ocr', ...recognized, text: recognized.text.trim() })
    }
  }
  try {
    await Promise.all(Array.from({ length: Math.min(OCR_AT_ONCE, tasks.length) }, lane))
  } catch (err) {
    failed.abort(err)
    throw err
  }
  return pages
}
