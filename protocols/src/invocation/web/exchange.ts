import { type IncomingAnswer, InvocationError, type InvocationPhase } from '../index.ts'
import { isFarewell } from '../wire/farewell.ts'
import { answerHeaders } from '../wire/headers.ts'
import { type AnswerHead, AnswerParser } from './answer-parser.ts'
import type { Channel } from './channel.ts'
import { MAX_UNREAD } from './constants.ts'

/** The peer has certainly not executed the request: it may be sent on another stream, whatever it asks for. */
export class NotSentError extends Error {
  override readonly name = 'NotSentError'
}

type Result = IteratorResult<Uint8Array, undefined>

/** One request's answer on one stream, and its body: what arrives is queued for the reader, who slows the peer down. */
export class Exchange implements AsyncIterableIterator<Uint8Array, undefined> {
  /**
   * @throws {InvocationError}
   * @throws {NotSentError}
   */
  readonly answer: Promise<IncomingAnswer>
  /** everything of the request has been given to the stream */
  requestSent = false
  #head = Promise.withResolvers<IncomingAnswer>()
  #channel: Channel
  #peer: string
  #signal: AbortSignal
  #parser: AnswerParser
  #state: 'waiting' | 'receiving' | 'ended' = 'waiting'
  #keepAlive = false
  #error: Error | undefined
  #chunks: Uint8Array[] = []
  #unread = 0
  #readers: Array<PromiseWithResolvers<Result>> = []

  constructor(channel: Channel, peer: string, method: string, signal: AbortSignal) {
    this.#channel = channel
    this.#peer = peer
    this.#signal = signal
    this.answer = this.#head.promise
    // Whoever sends the request hears of it too; that nobody waits for the answer yet is no error of its own.
    this.answer.catch(() => {})
    this.#parser = new AnswerParser(method !== 'HEAD', {
      head: head => this.#onHead(head),
      data: piece => this.#onData(piece),
      end: surplus => this.#onEnd(surplus)
    })
    signal.addEventListener('abort', this.#onAbort)
  }

  get over(): boolean {
    return this.#state === 'ended'
  }

  // From the channel

  received(bytes: Uint8Array): void {
    if (this.over) return
    try {
      this.#parser.execute(bytes)
    } catch (cause) {
      this.fail('the peer sent what is not HTTP', cause)
    }
  }

  /** The peer sends nothing more. */
  finished(): void {
    if (this.over) return
    try {
      this.#parser.finish()
    } catch {
      // it isn't complete, which is said below
    }
    if (!this.over) this.fail('the stream ended before the answer was complete')
  }

  fail(message: string, cause?: unknown): void {
    if (this.over) return
    const phase: InvocationPhase = this.#state === 'receiving' ? 'receive' : 'send'
    this.#close(new InvocationError(phase, this.#peer, message, { cause }))
  }

  // To the reader

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Result> {
    const chunk = this.#chunks.shift()
    if (chunk != null) {
      this.#unread -= chunk.byteLength
      if (!this.over && this.#unread < MAX_UNREAD / 2) this.#channel.resume()
      return Promise.resolve({ done: false, value: chunk })
    }
    if (this.#error != null) return Promise.reject(this.#error)
    if (this.over) return Promise.resolve({ done: true, value: undefined })
    const reader = Promise.withResolvers<Result>()
    this.#readers.push(reader)
    return reader.promise
  }

  async return(): Promise<Result> {
    this.#chunks = []
    this.#close(new InvocationError('receive', this.#peer, 'the reader left'))
    return { done: true, value: undefined }
  }

  // From the parser

  #onHead({ status, headers, keepAlive }: AnswerHead): void {
    if (this.over) return
    if (isFarewell(status, headers)) {
      this.#close(new NotSentError('the peer closed the stream before the request reached it'))
      return
    }
    this.#state = 'receiving'
    this.#keepAlive = keepAlive
    const answer: IncomingAnswer = {
      status,
      headers: answerHeaders(headers),
      body: this,
      route: this.#channel.route
    }
    // What came together with the head is read in this turn: a small answer is complete then.
    queueMicrotask(() => {
      if (this.over && this.#error == null) answer.complete = joined(this.#chunks, this.#unread)
      this.#head.resolve(answer)
    })
  }

  #onData(piece: Uint8Array): void {
    if (this.over) return
    const reader = this.#readers.shift()
    if (reader != null) {
      reader.resolve({ done: false, value: piece })
      return
    }
    this.#chunks.push(piece)
    this.#unread += piece.byteLength
    if (this.#unread >= MAX_UNREAD) this.#channel.pause()
  }

  #onEnd(surplus: boolean): void {
    // whatever comes next on the stream would be taken for the answer to another request
    if (surplus) this.#keepAlive = false
    this.#close(undefined)
  }

  #onAbort = (): void => this.fail('aborted', this.#signal.reason)

  /** Once, with or without an error. */
  #close(error: Error | undefined): void {
    if (this.over) return
    const phase = this.#state
    this.#state = 'ended'
    this.#error = error
    this.#signal.removeEventListener('abort', this.#onAbort)
    // once the head is there, whoever reads the body hears of it
    if (error != null && phase === 'waiting') this.#head.reject(error)
    for (const reader of this.#readers.splice(0)) {
      if (error == null) reader.resolve({ done: true, value: undefined })
      else reader.reject(error)
    }
    this.#channel.release(this, error == null && this.#keepAlive && this.requestSent, error)
  }
}

function joined(chunks: Uint8Array[], size: number): Uint8Array {
  const [first] = chunks
  if (first != null && chunks.length === 1) return first
  const whole = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.byteLength
  }
  return whole
}
