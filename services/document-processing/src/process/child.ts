/**
 * The process in which documents are read. What a document makes it do (loop, exhaust the heap, overflow the stack,
 * crash native code) ends at most this process: V8 ends the whole process when its heap is full, also when it was a
 * worker thread's.
 */
import { Worker } from 'node:worker_threads'
import { PdfError } from '@hedgerow/service-kit/pdf'
import { DocumentError } from '../errors.ts'
import type { FromChild, ToChild } from './messages.ts'
import type { Outcome, ReadResult, ReadTask, RenderTask } from './task.ts'

// A parent that is killed can't end a child that loops, and the loop hears of nothing: a thread looks after it.
new Worker(
  'const parent = process.ppid; setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, "SIGKILL") }, 1000)',
  { eval: true, execArgv: [], env: {} }
).unref()

let bytes: Uint8Array = new Uint8Array()

process.on('disconnect', () => process.exit())
process.on('message', (message: ToChild) => {
  if ('document' in message) bytes = message.document
  else void work(message.task).then(answer)
})
answer({ started: true })

function answer(message: FromChild): void {
  process.send?.(message)
}

async function work(task: ReadTask | RenderTask): Promise<FromChild> {
  try {
    return { outcome: await outcomeOf(task) }
  } catch (err) {
    return { failed: { message: String(err), stack: err instanceof Error ? err.stack : undefined } }
  }
}

async function outcomeOf(task: ReadTask | RenderTask): Promise<Outcome<ReadResult | Uint8Array>> {
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

// Each format brings its own library, which is loaded when the process first meets the format.
async function read(task: ReadTask): Promise<ReadResult> {
  switch (task.format) {
    case 'pdf':
      return (await import('../formats/pdf.ts')).readPdf(bytes, task)
    case 'docx':
      return (await import('../formats/docx.ts')).readDocx(bytes)
    case 'html':
      return (await import('../formats/html.ts')).readHtml(bytes, task.charset)
    case 'text':
      return (await import('../formats/text.ts')).readText(bytes, task.charset)
    case 'png':
    case 'jpeg':
      return (await import('../formats/picture.ts')).readPicture(bytes)
  }
}

async function render(task: RenderTask): Promise<Uint8Array> {
  if (task.format === 'pdf') return (await import('../formats/pdf.ts')).renderPdfPage(bytes, task)
  return (await import('../formats/picture.ts')).renderPicture(bytes)
}
