/**
 * Runs in a worker thread: whatever parses a document. What a document makes it do (loop, exhaust the heap, overflow
 * the stack) ends at most this thread.
 */
import { PdfError } from '@hedgerow/service-kit/pdf'
import { DocumentError } from '../errors.ts'
import type { Outcome, ReadResult, ReadTask, RenderTask } from './task.ts'

export default async function work(task: ReadTask | RenderTask): Promise<Outcome<ReadResult | Uint8Array>> {
  try {
    return { ok: true, value: task.kind === 'read' ? await read(task) : await render(task) }
  } catch (err) {
    if (err instanceof DocumentError || err instanceof PdfError) {
      return { ok: false, code: err.code, detail: err.message }
    }
    // the stack overflows where elements are nested without end
    if (err instanceof RangeError) {
      return { ok: false, code: 'DocumentTooComplex', detail: 'the document is nested too deeply or too large' }
    }
    throw err
  }
}

// Each format brings its own library, which a thread loads when it first meets the format.
async function read(task: ReadTask): Promise<ReadResult> {
  switch (task.format) {
    case 'pdf':
      return (await import('../formats/pdf.ts')).readPdf(task)
    case 'docx':
      return (await import('../formats/docx.ts')).readDocx(copyOf(task.bytes))
    case 'html':
      return (await import('../formats/html.ts')).readHtml(copyOf(task.bytes), task.charset)
    case 'text':
      return (await import('../formats/text.ts')).readText(copyOf(task.bytes), task.charset)
    case 'png':
    case 'jpeg':
      return (await import('../formats/picture.ts')).readPicture(copyOf(task.bytes))
  }
}

async function render(task: RenderTask): Promise<Uint8Array> {
  if (task.format === 'pdf') return (await import('../formats/pdf.ts')).renderPdfPage(task)
  return (await import('../formats/picture.ts')).renderPicture(copyOf(task.bytes))
}

/** Native code and text decoders take no shared memory. */
function copyOf(shared: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(shared)
}
