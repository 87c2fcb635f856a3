import { openPdf } from '@hedgerow/service-kit/pdf'
import { DocumentError } from '../errors.ts'
import { MAX_DPI, MAX_OCR_PIXELS, MAX_PAGES, MAX_TEXT, MIN_DPI } from '../limits.ts'
import type { ReadPage, ReadResult, ReadTask, RenderTask } from '../process/task.ts'
import { greyPng } from './picture.ts'
import { isScanned } from './scanned.ts'
import { tidy } from './text.ts'

/** @throws {DocumentError | PdfError} */
export async function readPdf(bytes: Uint8Array, { password, ocr }: ReadTask): Promise<ReadResult> {
  using pdf = await openPdf(bytes, password)
  if (pdf.pageCount > MAX_PAGES) {
    throw new DocumentError(
      'TooManyPages',
      `the PDF has ${pdf.pageCount} pages; ${MAX_PAGES} are the most, so split it`
    )
  }
  const pages: ReadPage[] = []
  let length = 0
  for (let number = 1; number <= pdf.pageCount; number++) {
    const page = pdf.page(number)
    if (ocr === 'always' || isScanned(page)) {
      const dpi = page.imageDpi === 0 ? MAX_DPI : Math.min(MAX_DPI, Math.max(MIN_DPI, Math.round(page.imageDpi)))
      pages.push({ number, dpi })
      continue
    }
    const text = tidy(page.text)
    length += text.length
    if (length > MAX_TEXT) throw new DocumentError('TextTooLong', `the PDF has more text than ${MAX_TEXT} characters`)
    pages.push({ number, text })
  }
  return { title: pdf.title, pages, details: {} }
}

/** @throws {DocumentError | PdfError} */
export async function renderPdfPage(bytes: Uint8Array, { password, page, dpi }: RenderTask): Promise<Uint8Array> {
  using pdf = await openPdf(bytes, password)
  return greyPng(pdf.render(page, { dpi, maxPixels: MAX_OCR_PIXELS }))
}
