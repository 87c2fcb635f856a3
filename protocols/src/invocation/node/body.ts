/** The body of a request, for undici. */
import { Readable } from 'node:stream'
import type { Body } from '../index.ts'
import { HIGH_WATER_MARK } from './constants.ts'

export class OutgoingBody {
  readonly #body: Body
  /** an iterable has been read from, so it can't be sent again */
  started = false

  constructor(body: Body) {
    this.#body = body
  }

  /** May be called again as long as nothing was read. */
  open(): Uint8Array | Readable | null {
    const body = this.#body
    if (body === null || body instanceof Uint8Array) return body
    return Readable.from(this.#untouched(body), { objectMode: false, highWaterMark: HIGH_WATER_MARK })
  }

  /** Reads from the iterable only when something is asked of it, and doesn't close what it hasn't opened. */
  #untouched(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    let iterator: AsyncIterator<Uint8Array> | undefined
    return {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          this.started = true
          iterator ??= body[Symbol.asyncIterator]()
          return iterator.next()
        },
        return: async () => {
          await iterator?.return?.()
          return { done: true, value: undefined }
        }
      })
    }
  }
}
