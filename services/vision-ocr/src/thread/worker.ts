/**
 * Runs in a worker thread: what takes the processor for long, and whatever parses a PDF. What a document makes it do
 * (loop, exhaust the heap) ends at most this thread.
 */
import { openPdf, PdfError, type PdfErrorCode } from '@hedgerow/service-kit/pdf'
import type { Grey } from '../image/bitmap.ts'
import { layout } from '../image/layout.ts'
import { MAX_READ_PIXELS, PDF_DPI, SCAN_DPI } from '../limits.ts'

/** Errors lose their class and code between threads, so those of documents are told as data. */
export type PdfOutcome<T> = { ok: true; value: T } | { ok: false; code: PdfErrorCode; detail: string }

export { layout }

export function countPages({ bytes }: { bytes: Uint8Array }): Promise<PdfOutcome<number>> {
  return outcome(async () => {
    using pdf = await openPdf(bytes)
    return pdf.pageCount
  })
}

export function renderPage({ bytes, number }: { bytes: Uint8Array; number: number }): Promise<PdfOutcome<Grey>> {
  return outcome(async () => {
    using pdf = await openPdf(bytes)
    const { imageCoverage, imageDpi } = pdf.page(number)
    const scanned = Math.round(Math.min(SCAN_DPI.most, Math.max(SCAN_DPI.least, imageDpi)))
    const dpi = imageCoverage > 0.5 ? scanned : PDF_DPI
    const { width, height, data } = pdf.render(number, { dpi, maxPixels: MAX_READ_PIXELS })
    return { width, height, data }
  })
}

async function outcome<T>(work: () => Promise<T>): Promise<PdfOutcome<T>> {
  try {
    return { ok: true, value: await work() }
  } catch (err) {
    if (err instanceof PdfError) return { ok: false, code: err.code, detail: err.message }
    throw err
  }
}
