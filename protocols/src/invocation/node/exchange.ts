/**
 * One request and its answer on one stream, as a handler of undici's lowest API. It is the answer's body, too: what
 * undici delivers is queued for the reader, and undici pauses when the reader is slow.
 */
import type { Dispatcher } from 'undici'
import { type IncomingAnswer, InvocationError, type InvocationPhase } from '../index.ts'
import { isFarewell } from '../wire/farewell.ts'
import { hasKnownCoding } from '../wire/framing.ts'
import { answerHeaders } from '../wire/headers.ts'
import { MAX_UNREAD } from './constants.ts'
import type { Channel, PeerStreams } from './peer-streams.ts'

/** The peer has certainly not executed the request: it may be sent on another stream, whatever it asks for. */
export class NotSentError extends Error {
  override readonly name = 'NotSentError'
}

type RawHeaders = Record<string, string | string[] | undefined>
type Result = IteratorResult<Uint8Array, undefined>

interface Waiter<T> {
  resolve(value: T): void
  reject(error: Error): void
}

export class Exchange implements Dispatcher.DispatchHandler, AsyncIterableIterator<Uint8Array, undefined> {
  /**
   * @throws {InvocationError}
   * @throws {NotSentError}
   */
  readonly answer: Promise<IncomingAnswer>
  readonly #streams: PeerStreams
  readonly #channel: Channel
  readonly #signal: AbortSignal
  readonly #writtenBefore: number
  /** whoever waits for the head of the answer; undefined once it is there */
  #head: Waiter<IncomingAnswer> | undefined
  #answer: IncomingAnswer | undefined
  #controller: Dispatcher.DispatchController | undefined
  #requestSent = false
  /** the peer says that it closes the stream after the answer */
  #closes = false
  #ended = false
  #error: Error | undefined
  #chunks: Uint8Array[] = []
  #unread = 0
  /** the reader has taken nothing yet */
  #untouched = true
  #readers: Waiter<Result>[] = []

  constructor(streams: PeerStreams, channel: Channel, signal: AbortSignal) {
    this.#streams = streams
    this.#channel = channel
    this.#signal = signal
    this.#writtenBefore = channel.duplex.bytesWritten
    this.answer = new Promise((resolve, reject) => {
      this.#head = { resolve, reject }
    })
    signal.addEventListener('abort', this.#onAbort)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    // undici had it queued, and meanwhile it was aborted
    if (this.#error != null) controller.abort(this.#error)
  }

  onRequestSent(): void {
    this.#requestSent = true
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, raw: RawHeaders): void {
    // after 1xx, the answer is still to come
    if (status < 200 || this.#head == null) return
    if (isFarewell(status, raw)) {
      this.#fail(new NotSentError('the peer closed the stream before the request reached it'))
      return
    }
    if (!hasKnownCoding(raw)) {
      this.#fail(this.#failure('the answer is transferred in a coding that nobody asked for'))
      return
    }
    this.#closes = raw.connection === 'close'
    this.#answer = { status, headers: answerHeaders(raw), body: this, route: this.#channel.route }
    this.#head.resolve(this.#answer)
    this.#head = undefined
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#ended) return
    const reader = this.#readers.shift()
    if (reader != null) {
      reader.resolve({ done: false, value: chunk })
      return
    }
    this.#chunks.push(chunk)
    this.#unread += chunk.byteLength
    if (this.#unread >= MAX_UNREAD) controller.pause()
  }

  onResponseEnd(): void {
    if (this.#ended) return
    if (this.#untouched && this.#answer != null) this.#answer.complete = joined(this.#chunks)
    // otherwise undici closes the stream
    this.#finish(this.#requestSent && !this.#closes)
    for (const reader of this.#readers.splice(0)) reader.resolve({ done: true, value: undefined })
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, cause: Error): void {
    if (this.#ended) return
    if (isMisuse(cause)) this.#fail(new TypeError(`not a valid HTTP request: ${cause.message}`, { cause }), true)
    else if (this.#head != null && this.#nothingSent) this.#fail(new NotSentError(cause.message, { cause }))
    else this.#fail(this.#failure(cause.message, cause, this.#channel.duplex.endedByPeer))
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Result> {
    this.#untouched = false
    const chunk = this.#chunks.shift()
    if (chunk != null) {
      this.#unread -= chunk.byteLength
      if (this.#chunks.length === 0) this.#controller?.resume()
      return Promise.resolve({ done: false, value: chunk })
    }
    if (this.#error != null) return Promise.reject(this.#error)
    if (this.#ended) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }))
  }

  /** The reader leaves the loop: if there is more to come, the peer is told to stop. */
  return(): Promise<Result> {
    this.#chunks = []
    if (!this.#ended) this.#fail(this.#failure('the reader left'))
    this.#error = undefined
    return Promise.resolve({ done: true, value: undefined })
  }

  get #nothingSent(): boolean {
    return this.#channel.duplex.bytesWritten === this.#writtenBefore
  }

  #onAbort = (): void => {
    this.#fail(this.#failure('aborted', this.#signal.reason))
  }

  #failure(message: string, cause?: unknown, byPeer = false): InvocationError {
    let phase: InvocationPhase = 'receive'
    if (this.#head != null) phase = this.#nothingSent ? 'connect' : 'send'
    return new InvocationError(phase, this.#streams.peer, message, { cause, byPeer })
  }

  #fail(error: Error, reusable = false): void {
    if (this.#ended) return
    this.#error = error
    this.#finish(reusable)
    this.#head?.reject(error)
    this.#head = undefined
    for (const reader of this.#readers.splice(0)) reader.reject(error)
    this.#controller?.abort(error)
    // before undici has started, there is nothing that it could abort
    if (!reusable) this.#channel.duplex.destroy(error)
  }

  #finish(reusable: boolean): void {
    this.#ended = true
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.#streams.release(this.#channel, reusable)
  }
}

function joined(chunks: Uint8Array[]): Uint8Array {
  return chunks.length === 1 && chunks[0] != null ? chunks[0] : Buffer.concat(chunks)
}

/** undici refuses it before it does anything: a method, a path or a header that isn't one. */
function isMisuse(error: Error): boolean {
  return 'code' in error && (error.code === 'UND_ERR_INVALID_ARG' || error.code === 'UND_ERR_NOT_SUPPORTED')
}
