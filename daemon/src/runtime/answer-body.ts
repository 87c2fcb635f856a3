import { HIGH_WATER } from './constants.ts'

export interface AnswerBodyInit {
  /** the reader has caught up: more may come */
  resume(): void
  /** the reader left before the end */
  leave(): void
}

/** The body of an answer on its way from a backend to its reader; no more than so much of it waits here. */
export class AnswerBody implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #init: AnswerBodyInit
  #chunks: Uint8Array[] = []
  #size = 0
  #ended = false
  #error: Error | undefined
  #paused = false
  #reader: { resolve(result: IteratorResult<Uint8Array, undefined>): void; reject(err: Error): void } | undefined

  constructor(init: AnswerBodyInit) {
    this.#init = init
  }

  /** @returns whether more may come at once; else `resume` says when */
  push(chunk: Uint8Array): boolean {
    if (this.#reader != null) {
      const { resolve } = this.#reader
      this.#reader = undefined
      resolve({ done: false, value: chunk })
      return true
    }
    this.#chunks.push(chunk)
    this.#size += chunk.byteLength
    this.#paused = this.#size >= HIGH_WATER
    return !this.#paused
  }

  end(): void {
    this.#ended = true
    this.#reader?.resolve({ done: true, value: undefined })
    this.#reader = undefined
  }

  fail(error: Error): void {
    if (this.#ended) return
    this.#error = error
    this.#reader?.reject(error)
    this.#reader = undefined
  }

  /** All of the body, once it has come to its end. */
  get complete(): Uint8Array | undefined {
    if (!this.#ended) return undefined
    const [only = new Uint8Array(0)] = this.#chunks
    return this.#chunks.length > 1 ? Buffer.concat(this.#chunks) : only
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const chunk = this.#chunks.shift()
    if (chunk != null) {
      this.#size -= chunk.byteLength
      if (this.#paused && this.#size < HIGH_WATER / 2) {
        this.#paused = false
        this.#init.resume()
      }
      return Promise.resolve({ done: false, value: chunk })
    }
    if (this.#error != null) return Promise.reject(this.#error)
    if (this.#ended) return Promise.resolve({ done: true, value: undefined })
    if (this.#reader != null) return Promise.reject(new Error('the body is being read already'))
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject }
    })
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#chunks = []
    this.#size = 0
    if (!this.#ended && this.#error == null) this.#init.leave()
    this.end()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
