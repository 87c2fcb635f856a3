import { readFile } from 'node:fs/promises'
import { init, type WrappedPdfiumModule } from '@embedpdf/pdfium'
import { PdfError } from './errors.ts'

/**
 * Bytes that one instance may grow to: a page scanned in colour at 600 dpi takes half of it. Without a limit a PDF of
 * one megabyte can unpack to gigabytes.
 */
const MAX_MEMORY = 384 * 1024 * 1024
const WASM_PAGE = 64 * 1024

let current: Promise<Engine> | undefined

/** The thread's PDFium, started when it is first needed and again after it has trapped. */
export function engine(): Promise<Engine> {
  current ??= start()
  return current
}

async function start(): Promise<Engine> {
  const wasm = await readFile(new URL(import.meta.resolve('@embedpdf/pdfium/pdfium.wasm')))
  const wasmBinary = new Uint8Array(wasm).buffer
  // what it prints is no log line, and said again by the error that follows
  const quiet = { print: () => undefined, printErr: () => undefined }
  const pdfium = await init({ wasmBinary, ...quiet })
  const memory = limitMemory(pdfium.pdfium.wasmExports)
  pdfium.PDFiumExt_Init()
  return new Engine(pdfium, memory)
}

interface MemoryLimit {
  /** it was asked to grow further than it may */
  reached: boolean
}

/** Emscripten grows the memory through this method, and tells PDFium when it throws. */
function limitMemory(exports: object): MemoryLimit {
  const limit = { reached: false }
  const memory: unknown = Reflect.get(exports, 'memory')
  if (!(memory instanceof WebAssembly.Memory)) throw new TypeError('this build of PDFium does not export its memory')
  const grow = memory.grow.bind(memory)
  memory.grow = pages => {
    if (memory.buffer.byteLength + pages * WASM_PAGE > MAX_MEMORY) {
      limit.reached = true
      throw new RangeError('the memory of an instance is limited')
    }
    return grow(pages)
  }
  return limit
}

/** One instance of PDFium and its memory. */
export class Engine {
  readonly api: WrappedPdfiumModule
  readonly #memory: MemoryLimit
  #broken = false

  constructor(api: WrappedPdfiumModule, memory: MemoryLimit) {
    this.api = api
    this.#memory = memory
  }

  /** a trap has left its memory in an unknown state: nothing in it can be used, or needs to be freed */
  get broken(): boolean {
    return this.#broken
  }

  /** Runs PDFium; a trap becomes a {@link PdfError}, and the next document gets another instance. */
  run<T>(work: (api: WrappedPdfiumModule) => T): T {
    try {
      return work(this.api)
    } catch (err) {
      if (err instanceof PdfError) throw err
      this.#broken = true
      current = undefined
      if (this.#memory.reached) {
        throw new PdfError('DocumentTooComplex', 'the document needs more memory than the PDF reader may use', err)
      }
      throw new PdfError('CorruptDocument', 'the document makes the PDF reader fail', err)
    }
  }

  /** Lends memory of the instance to `work`. */
  lend<T>(bytes: number, work: (address: number) => T): T {
    const address = this.allocate(bytes)
    try {
      return work(address)
    } finally {
      this.free(address)
    }
  }

  allocate(bytes: number): number {
    const address = this.api.pdfium.wasmExports.malloc(Math.max(1, bytes))
    if (address === 0)
      throw new PdfError('DocumentTooComplex', 'the document needs more memory than the PDF reader has')
    return address
  }

  free(address: number): void {
    if (!this.#broken) this.api.pdfium.wasmExports.free(address)
  }

  /** @param units how many UTF-16 code units */
  utf16(address: number, units: number): string {
    return new TextDecoder('utf-16le').decode(this.api.pdfium.HEAPU8.slice(address, address + 2 * Math.max(0, units)))
  }

  /** consecutive 32-bit floats */
  floats(address: number, count: number): number[] {
    return Array.from({ length: count }, (_, i) => this.api.pdfium.getValue(address + 4 * i, 'float'))
  }
}
