import { Readable } from 'node:stream'
import { HIGH_WATER } from './constants.ts'

export interface UploadInit {
  source: AsyncIterable<Uint8Array>
  /** bytes */
  limit: number
  /** the next piece is the caller's to send, or it has come and is the backend's to take */
  turn(whose: 'caller' | 'backend'): void
  /** the caller sent more than may be */
  tooLarge(): Error
  /** the caller broke off */
  broken(cause: unknown): Error
}

/** The body of a request on its way to a backend: as fast as that takes it, and no more than the operation allows. */
export class Upload extends Readable {
  readonly #init: UploadInit
  readonly #source: AsyncIterator<Uint8Array>
  #size = 0

  constructor(init: UploadInit) {
    super({ highWaterMark: HIGH_WATER })
    this.#init = init
    this.#source = init.source[Symbol.asyncIterator]()
    // Who sends it listens too, but stops when the answer is there.
    this.on('error', () => {})
  }

  override _read(): void {
    this.#init.turn('caller')
    this.#source.next().then(
      result => this.#take(result),
      err => this.destroy(this.#init.broken(err))
    )
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    // Not awaited: a source that waits for its caller gets to it only when that sends again.
    if (!this.readableEnded) Promise.resolve(this.#source.return?.()).catch(() => {})
    callback(error)
  }

  #take(result: IteratorResult<Uint8Array>): void {
    if (this.destroyed) return
    this.#init.turn('backend')
    if (result.done === true) {
      this.push(null)
      return
    }
    const { value } = result
    this.#size += value.byteLength
    if (this.#size > this.#init.limit) this.destroy(this.#init.tooLarge())
    // An empty piece would end the reading.
    else if (value.byteLength === 0) this._read()
    else this.push(value)
  }
}
