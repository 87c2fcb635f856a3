/** One stream with an HTTP client on it. This is the one place in a page that touches raw streams. */
import type { Connection, Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import { pEvent } from 'p-event'
import { Uint8ArrayList } from 'uint8arraylist'
import type { OutgoingRequest, Route } from '../index.ts'
import { routeOf } from '../wire/route.ts'
import { PIECE } from './constants.ts'
import { Exchange, NotSentError } from './exchange.ts'
import { chunked, type Framing, LAST_CHUNK, requestHead } from './request-head.ts'

export interface ChannelOwner {
  /** its exchange is over, and another request may be sent */
  freed(channel: Channel): void
  /** it is of no use any more */
  closed(channel: Channel): void
}

export class Channel {
  readonly connection: Connection
  readonly route: Route
  /** how many requests were sent on it */
  uses = 0
  /** milliseconds of the monotonic clock */
  idleSince = 0
  readonly #stream: Stream
  readonly #owner: ChannelOwner
  #exchange: Exchange | undefined
  #closed = false

  constructor(stream: Stream, connection: Connection, owner: ChannelOwner) {
    this.#stream = stream
    this.#owner = owner
    this.connection = connection
    this.route = routeOf(connection)
    stream.addEventListener('close', this.#onClose)
    stream.addEventListener('remoteCloseWrite', this.#onRemoteCloseWrite)
    // The last one: it delivers what has already arrived.
    stream.addEventListener('message', this.#onMessage)
  }

  get usable(): boolean {
    return !this.#closed && this.#stream.status === 'open' && this.#stream.remoteWriteStatus !== 'closed'
  }

  /** Sends a request; its answer flows back through the exchange. @throws {TypeError} when it isn't valid HTTP */
  send(peer: string, request: OutgoingRequest, signal: AbortSignal): Exchange {
    const { head, framing } = requestHead(peer, request)
    const exchange = new Exchange(this, peer, request.method, signal)
    this.#exchange = exchange
    this.uses++
    this.#write(exchange, head, framing, request.body).then(
      () => {
        exchange.requestSent = true
      },
      cause => exchange.fail('the request could not be sent', cause)
    )
    return exchange
  }

  pause(): void {
    if (this.#stream.readStatus === 'readable') this.#stream.pause()
  }

  resume(): void {
    if (this.#stream.readStatus === 'paused') this.#stream.resume()
  }

  /** From the exchange: it is over. */
  release(exchange: Exchange, reusable: boolean, error: Error | undefined): void {
    if (this.#exchange !== exchange) return
    this.#exchange = undefined
    if (!reusable || !this.usable) {
      this.#leave(error instanceof NotSentError ? undefined : error)
      return
    }
    this.resume()
    this.#owner.freed(this)
  }

  /** Closes it; an exchange under way fails. */
  close(error?: Error): void {
    if (error != null) this.#exchange?.fail(error.message, error)
    this.#leave(error)
  }

  async #write(exchange: Exchange, head: Uint8Array, framing: Framing, body: OutgoingRequest['body']): Promise<void> {
    const first = new Uint8ArrayList(head)
    if (body instanceof Uint8Array && body.byteLength <= PIECE) {
      first.append(body)
      this.#stream.send(first)
      exchange.requestSent = true
      return
    }
    this.#stream.send(first)
    if (body == null) {
      exchange.requestSent = true
      return
    }
    for await (const piece of pieces(body)) {
      if (exchange.over) return
      const list = new Uint8ArrayList()
      if (framing === 'chunked') for (const part of chunked(piece)) list.append(part)
      else list.append(piece)
      if (!this.#stream.send(list)) await this.#drained()
      if (exchange.over) return
    }
    if (framing === 'chunked') this.#stream.send(LAST_CHUNK)
    exchange.requestSent = true
  }

  /** A small window update takes only a part of what is kept: then the next `drain` counts. */
  async #drained(): Promise<void> {
    while (this.#stream.writableNeedsDrain) {
      // rejects with an event when the stream closes
      await pEvent(this.#stream, 'drain', { rejectionEvents: ['close'] }).catch(() => {
        throw new Error('the stream closed')
      })
    }
  }

  #onMessage = ({ data }: StreamMessageEvent): void => {
    const exchange = this.#exchange
    // An answer that nobody asked for: the next request would get it. Servers also say goodbye so, before they close.
    if (exchange == null) this.#leave()
    else exchange.received(data instanceof Uint8Array ? data : data.subarray())
  }

  #onRemoteCloseWrite = (): void => {
    this.#exchange?.finished()
    this.#leave()
  }

  #onClose = ({ error }: StreamCloseEvent): void => {
    this.#exchange?.fail(error?.message ?? 'the connection was lost', error)
    this.#leave()
  }

  #leave(error?: Error): void {
    if (this.#closed) return
    this.#closed = true
    this.#owner.closed(this)
    if (this.#stream.status !== 'open') return
    if (error != null) this.#stream.abort(error)
    else this.#stream.close().catch(err => this.#stream.abort(err instanceof Error ? err : new Error('not closed')))
  }
}

/** A large piece in smaller ones; an iterable is never closed, since an answer may have yet to go out on its source. */
async function* pieces(body: Uint8Array | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) {
    yield* slices(body)
    return
  }
  const source = body[Symbol.asyncIterator]()
  for (let next = await source.next(); next.done !== true; next = await source.next()) yield* slices(next.value)
}

function* slices(data: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < data.byteLength; start += PIECE) yield data.subarray(start, start + PIECE)
}
