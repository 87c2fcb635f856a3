import type { DocumentErrorCode } from '../errors.ts'
import type { Format } from '../media-type.ts'

/** What is to be done with the document that a process was given. */
export interface ReadTask {
  kind: 'read'
  format: Format
  charset: string | undefined
  password: string
  /** whether pages with a text layer are read by OCR as well */
  ocr: OcrChoice
}

export interface RenderTask {
  kind: 'render'
  format: Format
  password: string
  page: number
  dpi: number
}

export type OcrChoice = 'auto' | 'always'

export interface ReadResult {
  title: string | undefined
  pages: ReadPage[]
  /** what else is known of the document, in snake_case */
  details: Record<string, string | number>
}

/** A page has text, or must be rendered at `dpi` and read by OCR. */
export type ReadPage = { number: number; text: string } | { number: number; dpi: number }

/** A process's answer: errors lose their class and code between processes, so they are told as data. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; code: DocumentErrorCode; detail: string }
