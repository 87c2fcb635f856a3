import { type Engine, engine } from './engine.ts'
import { PdfError } from './errors.ts'
import type { GreyImage, PdfDocument, PdfPage, RenderOptions } from './index.ts'
import { pageText } from './text.ts'

const DPI = 300
const MAX_PIXELS = 16_000_000
const POINTS_PER_INCH = 72

// public/fpdfview.h
const GREY_BITMAP = 1
const WITH_ANNOTATIONS = 0x01
const ERROR_PASSWORD = 4
const ERROR_SECURITY = 5
const WHITE = 0xffffffff
// public/fpdf_edit.h
const TEXT_OBJECT = 1
const IMAGE_OBJECT = 3
const FORM_OBJECT = 5
/** forms (content used in several places) can nest without end */
const MAX_FORM_DEPTH = 4
// public/fpdf_annot.h, public/fpdf_flatten.h
const ANNOTATIONS_WITH_TEXT = new Set([3 /* free text */, 13 /* stamp */, 20 /* form field */])
const FLATTEN_AS_DISPLAYED = 0

export async function open(bytes: Uint8Array, password: string): Promise<PdfDocument> {
  return new PdfiumDocument(await engine(), bytes, password)
}

class PdfiumDocument implements PdfDocument {
  readonly pageCount: number
  readonly title: string | undefined
  readonly #engine: Engine
  /** PDFium reads from it until the document is closed */
  readonly #file: number
  readonly #document: number

  constructor(engine: Engine, bytes: Uint8Array, password: string) {
    this.#engine = engine
    this.#file = engine.allocate(bytes.length)
    engine.api.pdfium.HEAPU8.set(bytes, this.#file)
    this.#document = engine.run(api => api.FPDF_LoadMemDocument(this.#file, bytes.length, password))
    if (this.#document === 0) {
      const error = engine.api.FPDF_GetLastError()
      engine.free(this.#file)
      throw openError(error, password !== '')
    }
    this.pageCount = engine.run(api => api.FPDF_GetPageCount(this.#document))
    this.title = engine.run(() => this.#meta('Title'))
  }

  page(number: number): PdfPage {
    this.#withPage(number, page => this.#flatten(page))
    return this.#withPage(number, page => {
      const { FPDF_GetPageWidthF, FPDF_GetPageHeightF, FPDFPage_CountObjects, FPDFPage_GetObject } = this.#engine.api
      const area = FPDF_GetPageWidthF(page) * FPDF_GetPageHeightF(page)
      const painted = new Painted(this.#engine)
      const objects = FPDFPage_CountObjects(page)
      for (let i = 0; i < objects; i++) painted.add(FPDFPage_GetObject(page, i), 0)
      return {
        text: pageText(this.#engine, page),
        imageCoverage: area === 0 ? 0 : Math.min(1, painted.imageArea / area),
        imageDpi: painted.imageDpi,
        hasGraphics: painted.hasGraphics
      }
    })
  }

  render(number: number, options: RenderOptions = {}): GreyImage {
    return this.#withPage(number, page => {
      const { api } = this.#engine
      const points = { width: api.FPDF_GetPageWidthF(page), height: api.FPDF_GetPageHeightF(page) }
      const wanted = (options.dpi ?? DPI) / POINTS_PER_INCH
      const most = Math.sqrt((options.maxPixels ?? MAX_PIXELS) / Math.max(1, points.width * points.height))
      const scale = Math.min(wanted, most)
      const width = Math.max(1, Math.floor(points.width * scale))
      const height = Math.max(1, Math.floor(points.height * scale))
      const bitmap = api.FPDFBitmap_CreateEx(width, height, GREY_BITMAP, 0, 0)
      if (bitmap === 0) throw new PdfError('DocumentTooComplex', `page ${number} is too large to be rendered`)
      try {
        api.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, WHITE)
        api.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, WITH_ANNOTATIONS)
        return { width, height, data: this.#pixels(bitmap, width, height), dpi: scale * POINTS_PER_INCH }
      } finally {
        if (!this.#engine.broken) api.FPDFBitmap_Destroy(bitmap)
      }
    })
  }

  [Symbol.dispose](): void {
    if (this.#engine.broken) return
    this.#engine.run(api => api.FPDF_CloseDocument(this.#document))
    this.#engine.free(this.#file)
  }

  #withPage<T>(number: number, work: (page: number) => T): T {
    return this.#engine.run(api => {
      const page = api.FPDF_LoadPage(this.#document, number - 1)
      if (page === 0) throw new PdfError('CorruptDocument', `page ${number} can't be read`)
      try {
        return work(page)
      } finally {
        if (!this.#engine.broken) api.FPDF_ClosePage(page)
      }
    })
  }

  /** What was filled into a form or typed onto a page becomes part of the page's content, so that its text is found. */
  #flatten(page: number): void {
    const { api } = this.#engine
    const count = api.FPDFPage_GetAnnotCount(page)
    for (let i = 0; i < count; i++) {
      const annotation = api.FPDFPage_GetAnnot(page, i)
      const type = api.FPDFAnnot_GetSubtype(annotation)
      api.FPDFPage_CloseAnnot(annotation)
      if (!ANNOTATIONS_WITH_TEXT.has(type)) continue
      api.FPDFPage_Flatten(page, FLATTEN_AS_DISPLAYED)
      return
    }
  }

  #pixels(bitmap: number, width: number, height: number): Uint8Array<ArrayBuffer> {
    const { api } = this.#engine
    const stride = api.FPDFBitmap_GetStride(bitmap)
    const start = api.FPDFBitmap_GetBuffer(bitmap)
    const pixels = new Uint8Array(width * height)
    for (let y = 0; y < height; y++) {
      const row = start + y * stride
      pixels.set(api.pdfium.HEAPU8.subarray(row, row + width), y * width)
    }
    return pixels
  }

  #meta(key: string): string | undefined {
    const { api } = this.#engine
    const bytes = api.FPDF_GetMetaText(this.#document, key, 0, 0)
    if (bytes <= 2) return undefined
    const text = this.#engine.lend(bytes, address => {
      api.FPDF_GetMetaText(this.#document, key, address, bytes)
      return this.#engine.utf16(address, bytes / 2 - 1).trim()
    })
    return text === '' ? undefined : text
  }
}

/** What the objects of a page cover. */
class Painted {
  imageArea = 0
  imageDpi = 0
  hasGraphics = false
  #largest = 0
  readonly #engine: Engine

  constructor(engine: Engine) {
    this.#engine = engine
  }

  add(object: number, depth: number): void {
    const { api } = this.#engine
    const type = api.FPDFPageObj_GetType(object)
    if (type === TEXT_OBJECT) return
    if (type === FORM_OBJECT && depth < MAX_FORM_DEPTH) {
      const objects = api.FPDFFormObj_CountObjects(object)
      for (let i = 0; i < objects; i++) this.add(api.FPDFFormObj_GetObject(object, i), depth + 1)
      return
    }
    this.hasGraphics = true
    if (type === IMAGE_OBJECT) this.#engine.lend(16, memory => this.#addImage(object, memory))
  }

  #addImage(image: number, memory: number): void {
    const { api } = this.#engine
    if (!api.FPDFPageObj_GetBounds(image, memory, memory + 4, memory + 8, memory + 12)) return
    const [left = 0, bottom = 0, right = 0, top = 0] = this.#engine.floats(memory, 4)
    const area = Math.max(0, right - left) * Math.max(0, top - bottom)
    this.imageArea += area
    if (area <= this.#largest || !api.FPDFImageObj_GetImagePixelSize(image, memory, memory + 4)) return
    this.#largest = area
    const pixels = api.pdfium.getValue(memory, 'i32') * api.pdfium.getValue(memory + 4, 'i32')
    this.imageDpi = Math.sqrt(pixels / area) * POINTS_PER_INCH
  }
}

function openError(error: number, hasPassword: boolean): PdfError {
  if (error === ERROR_PASSWORD) {
    return new PdfError(
      'PasswordProtected',
      hasPassword
        ? 'the password does not open this PDF'
        : 'this PDF is protected by a password; send the password with it, or a copy that is not protected'
    )
  }
  if (error === ERROR_SECURITY) {
    return new PdfError('UnsupportedEncryption', 'this PDF is encrypted in a way that only its own software can read')
  }
  return new PdfError('CorruptDocument', 'this is not a PDF that can be read: it is damaged or cut short')
}
