import type { Progress } from './index.ts'

const PIECE = 64 * 1024

/** Counts the bytes of one request and its answer, and tells who wants to know. */
export class Meter {
  readonly #listener: ((progress: Progress) => void) | undefined
  readonly #progress: Progress = { sent: 0, toSend: 0, received: 0, toReceive: undefined }

  constructor(listener: ((progress: Progress) => void) | undefined) {
    this.#listener = listener
  }

  willSend(bytes: number | undefined): void {
    this.#progress.toSend = bytes
  }

  sent(bytes: number): void {
    this.#progress.sent += bytes
    this.#tell()
  }

  willReceive(bytes: number | undefined): void {
    this.#progress.toReceive = bytes
    this.#tell()
  }

  received(bytes: number): void {
    this.#progress.received += bytes
    this.#tell()
  }

  /** The stream's pieces, counted as they leave. */
  async *sending(reader: ReadableStreamDefaultReader<Uint8Array>): AsyncGenerator<Uint8Array> {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      if (!(value instanceof Uint8Array)) throw new TypeError('a body that is a stream must give Uint8Array pieces')
      // Browsers give pieces of megabytes; progress should move more smoothly than that.
      for (let start = 0; start < value.byteLength; start += PIECE) {
        const piece = value.subarray(start, start + PIECE)
        yield piece
        this.sent(piece.byteLength)
      }
    }
  }

  #tell(): void {
    this.#listener?.({ ...this.#progress })
  }
}
