/**
 * Reads and renders PDF pages with PDFium in WebAssembly: no native code, no fonts or canvas of the machine, and every
 * compression that scanners use (CCITT, JBIG2, JPEG 2000), which serverless builds of pdf.js leave blank.
 *
 * Everything here runs to its end on the thread that calls it. A service calls it in a worker thread, which it can end
 * when a document takes too long.
 *
 * @example
 * ```ts
 * import { openPdf } from '@hedgerow/service-kit/pdf'
 *
 * using pdf = await openPdf(bytes)
 * for (let number = 1; number <= pdf.pageCount; number++) {
 *   console.log(pdf.page(number).text)
 * }
 * const { data, width, height } = pdf.render(1, { dpi: 300 })
 * ```
 */
import { open } from './document.ts'

export { PdfError, type PdfErrorCode } from './errors.ts'

export interface PdfPage {
  /** the text layer in reading order: lines end with a newline, paragraphs with two */
  text: string
  /** how much of the page its images cover, 0 to 1 */
  imageCoverage: number
  /** the resolution of the page's largest image as it is placed; 0 where there is none */
  imageDpi: number
  /** whether anything but text is painted: images, lines, shapes */
  hasGraphics: boolean
}

export interface GreyImage {
  width: number
  height: number
  /** one byte a pixel, row by row from the top left; 255 is white */
  data: Uint8Array<ArrayBuffer>
  dpi: number
}

export interface RenderOptions {
  /** dots per inch; fewer where the page would have more than `maxPixels`. @default 300 */
  dpi?: number
  /** @default 16 million: A4 at 400 dpi */
  maxPixels?: number
}

export interface PdfDocument extends Disposable {
  readonly pageCount: number
  readonly title: string | undefined
  /**
   * @param number from 1
   * @throws {PdfError}
   */
  page(number: number): PdfPage
  /**
   * @param number from 1
   * @throws {PdfError}
   */
  render(number: number, options?: RenderOptions): GreyImage
}

/**
 * @param password for a protected document
 * @throws {PdfError}
 */
export function openPdf(bytes: Uint8Array, password = ''): Promise<PdfDocument> {
  return open(bytes, password)
}
