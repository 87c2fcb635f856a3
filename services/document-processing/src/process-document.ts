import { ServiceError } from '@hedgerow/service-kit'
import { assemble, type Chunk } from './chunks.ts'
import { DocumentError, STATUS } from './errors.ts'
import type { Upload } from './input.ts'
import { MAX_OCR_PAGES, MAX_TEXT, OCR_AT_ONCE } from './limits.ts'
import { FORMATS, type Format, formatOf } from './media-type.ts'
import type { Recognized } from './ocr.ts'
import type { RenderTask } from './thread/task.ts'
import type { Threads } from './thread/threads.ts'

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
  threads: Threads
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
  const bytes = shared(upload.bytes)
  const { password, ocr, chunkSize } = upload
  const read = await components.threads.read(
    { kind: 'read', format, bytes, charset: upload.mediaType.charset, password, ocr },
    signal
  )

  const pages = new Map<number, ProcessedPage>()
  const scanned: RenderTask[] = []
  for (const page of read.pages) {
    if ('text' in page) pages.set(page.number, { ...page, source: 'text' })
    else scanned.push({ kind: 'render', format, bytes, password, page: page.number, dpi: page.dpi })
  }
  if (scanned.length > MAX_OCR_PAGES) {
    throw new ServiceError(
      422,
      'TooManyPages',
      `${scanned.length} pages are scanned; ${MAX_OCR_PAGES} are the most that are read in one request, so split it`
    )
  }
  for (const page of await readScanned(scanned, components, signal)) pages.set(page.number, page)

  const inOrder = [...pages.values()].toSorted((a, b) => a.number - b.number)
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
      ocr_pages: scanned.length,
      characters: text.length,
      bytes: upload.bytes.length,
      ...(read.title == null ? {} : { title: read.title.slice(0, 500) }),
      ...read.details
    }
  }
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
  { threads, recognize }: Components,
  signal: AbortSignal
): Promise<ProcessedPage[]> {
  const failed = new AbortController()
  const either = AbortSignal.any([signal, failed.signal])
  const pages: ProcessedPage[] = []
  const next = tasks.values()
  // one after the other, so that a long scan leaves a thread to others
  let rendering: Promise<unknown> = Promise.resolve()
  const render = (task: RenderTask): Promise<Uint8Array> => {
    const rendered = rendering.then(() => threads.render(task, either))
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

function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length))
  copy.set(bytes)
  return copy
}
