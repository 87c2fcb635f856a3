/**
 * A libp2p stream as a Node socket, so that Node's http server and undici can talk over it. This is the one place that
 * touches raw streams; everything above it deals in requests and answers.
 */
import type { AddressInfo, Socket, SocketReadyState } from 'node:net'
import { Duplex } from 'node:stream'
import type { Connection, Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { ipOf } from '../wire/route.ts'
import { HIGH_WATER_MARK, LINGER } from './constants.ts'

type WriteCallback = (error?: Error | null) => void

export interface StreamDuplexInit {
  /** What to send as the last thing when this side closes the stream of its own accord. */
  farewell?: () => Uint8Array | undefined
  /**
   * `destroy(error)` resets, also when one direction has ended well: the bytes have no framing by which the other side
   * would know that the rest is missing. @default false
   */
  raw?: boolean
}

/** Wraps an open stream; from here on nobody else may read from it or write to it. */
export function streamDuplex(stream: Stream, connection: Connection, init: StreamDuplexInit = {}): StreamDuplex {
  return new StreamDuplex(stream, connection, init)
}

/**
 * - Writing waits for the stream to drain. Pieces that are written together (a request's head and its body) are sent as
 *   one.
 * - Reading pauses the stream when nobody reads here, which stops the sender once its window is used up.
 * - `end()` closes one direction, `destroy()` closes both and lets what was sent arrive, `destroy(error)` resets.
 * - A stream that ends in any other way than by the other side closing it is an error, `ECONNRESET`, as on a socket:
 *   libp2p reports a lost connection as a stream that just ends.
 */
export class StreamDuplex extends Duplex implements Socket {
  readonly connection: Connection
  /** peer id of the other side, proven by the connection's handshake */
  readonly remotePeer: string
  bytesRead = 0
  bytesWritten = 0
  /** milliseconds without traffic until `timeout` is emitted; 0 = never */
  timeout = 0
  readonly #stream: Stream
  readonly #init: StreamDuplexInit
  #timer: NodeJS.Timeout | undefined
  /** the write that waits for the stream to drain */
  #waiting: WriteCallback | undefined
  #resuming = false
  /** the last that was pushed is more than the reader wants now */
  #full = false
  /** the other side has closed its direction */
  #remoteFinished = false
  /** the other side has reset the stream */
  #remoteReset = false
  /** we have closed ours */
  #finished = false

  constructor(stream: Stream, connection: Connection, init: StreamDuplexInit) {
    super({ allowHalfOpen: true, readableHighWaterMark: HIGH_WATER_MARK, writableHighWaterMark: HIGH_WATER_MARK })
    this.#stream = stream
    this.#init = init
    this.connection = connection
    this.remotePeer = connection.remotePeer.toString()
    stream.addEventListener('remoteCloseWrite', this.#onRemoteCloseWrite)
    stream.addEventListener('end', this.#onEnd)
    stream.addEventListener('close', this.#onClose)
    stream.addEventListener('drain', this.#onDrain)
    // The last one: it delivers what has already arrived.
    stream.addEventListener('message', this.#onMessage)
    // What happened before anyone listened.
    if (stream.status !== 'open') {
      this.destroy(connectionReset())
    } else if (stream.remoteWriteStatus === 'closed') {
      this.#remoteFinished = true
      if (stream.readableEnded) this.push(null)
    }
  }

  override _read(): void {
    const stream = this.#stream
    if (stream.readStatus !== 'paused') return
    // Resuming delivers at once what has arrived since, and grants the sender new window afterwards. Pausing in between
    // would be undone by the second step, and from then on nothing would stop the sender.
    this.#full = false
    this.#resuming = true
    try {
      stream.resume()
    } catch {
      // The stream closed while it was paused: what had arrived is delivered, and there is no window to grant.
    } finally {
      this.#resuming = false
    }
    if (this.#full) this.#pause()
  }

  #onMessage = (event: StreamMessageEvent): void => {
    const { data } = event
    this.bytesRead += data.byteLength
    this.#timer?.refresh()
    if (data instanceof Uint8Array) this.#full = !this.push(data)
    else for (const piece of data) this.#full = !this.push(piece)
    if (this.#full && !this.#resuming) this.#pause()
  }

  #pause(): void {
    if (this.#stream.readStatus === 'readable') this.#stream.pause()
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, callback: WriteCallback): void {
    this.#send(chunk, callback)
  }

  override _writev(chunks: { chunk: Uint8Array }[], callback: WriteCallback): void {
    const list = new Uint8ArrayList()
    for (const { chunk } of chunks) list.append(chunk)
    this.#send(list, callback)
  }

  #send(data: Uint8Array | Uint8ArrayList, callback: WriteCallback): void {
    this.#timer?.refresh()
    let ready: boolean
    try {
      ready = this.#stream.send(data)
    } catch (err) {
      callback(connectionReset(err))
      return
    }
    this.bytesWritten += data.byteLength
    if (ready) callback()
    else this.#waiting = callback
  }

  #onDrain = (): void => {
    if (this.#waiting == null) return
    // The stream first sends what it has kept, in a microtask that is already queued. A small window update takes only
    // a part of that: then the next `drain` counts, or each would let one more piece pile up.
    queueMicrotask(() => {
      if (this.#stream.writableNeedsDrain) return
      const callback = this.#waiting
      this.#waiting = undefined
      callback?.()
    })
  }

  override _final(callback: WriteCallback): void {
    this.#finished = true
    this.#stream.close().then(
      () => callback(),
      // rejects with an event when the stream closes before everything was sent
      cause => callback(connectionReset(cause))
    )
  }

  #onRemoteCloseWrite = (): void => {
    this.#remoteFinished = true
  }

  /** Nothing more will be delivered; comes after the last `message`, however the stream ended. */
  #onEnd = (): void => {
    if (this.#remoteFinished) this.push(null)
  }

  #onClose = (event: StreamCloseEvent): void => {
    this.#remoteReset = event.error?.name === 'StreamResetError'
    if (event.error == null && this.#remoteFinished && this.#finished) return
    const error = connectionReset(event.error)
    // The reader may be about to take the end of an answer, after which it doesn't care.
    if (this.readableLength > 0) setImmediate(() => this.destroy(error))
    else this.destroy(error)
  }

  override _destroy(error: Error | null, callback: WriteCallback): void {
    const stream = this.#stream
    stream.removeEventListener('remoteCloseWrite', this.#onRemoteCloseWrite)
    stream.removeEventListener('end', this.#onEnd)
    stream.removeEventListener('close', this.#onClose)
    stream.removeEventListener('drain', this.#onDrain)
    stream.removeEventListener('message', this.#onMessage)
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (stream.status === 'open') {
      const half = this.#finished || this.#remoteFinished
      if (error == null || (this.#init.raw !== true && (half || isAnswered(error)))) this.#leave(error == null)
      else stream.abort(error)
    }
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.(error ?? connectionReset())
    callback(error)
  }

  /**
   * Closes our direction and waits a while for the other side to close its own. A reset would overtake what the other
   * side has received but not read yet.
   */
  #leave(withFarewell: boolean): void {
    const stream = this.#stream
    const linger = setTimeout(
      () => stream.abort(new Error(`the peer did not close its side within ${LINGER} ms`)),
      LINGER
    )
    linger.unref()
    stream.addEventListener('close', () => clearTimeout(linger), { once: true })
    try {
      const farewell = withFarewell && !this.#finished ? this.#init.farewell?.() : undefined
      if (farewell != null) stream.send(farewell)
    } catch {
      // closing below fails for the same reason, and resets the stream
    }
    Promise.all([stream.close(), stream.closeRead()]).catch(err => stream.abort(connectionReset(err)))
  }

  // The rest is what sockets have and http, undici and web frameworks look at.

  setTimeout(timeout: number, callback?: () => void): this {
    this.timeout = timeout
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (timeout > 0 && !this.destroyed) {
      this.#timer = setTimeout(() => this.emit('timeout'), timeout)
      this.#timer.unref()
    }
    if (callback != null) {
      if (timeout > 0) this.once('timeout', callback)
      else this.off('timeout', callback)
    }
    return this
  }

  destroySoon(): void {
    if (this.writable) this.end()
    if (this.writableFinished) this.destroy()
    else this.once('finish', () => this.destroy())
  }

  resetAndDestroy(): this {
    return this.destroy(connectionReset())
  }

  /** The other side has closed or reset the stream: it did not end because the connection was lost, nor by us. */
  get endedByPeer(): boolean {
    return this.#remoteFinished || this.#remoteReset
  }

  get remoteAddress(): string | undefined {
    return ipOf(this.connection)?.address
  }

  get remoteFamily(): string | undefined {
    return ipOf(this.connection)?.family
  }

  get remotePort(): number | undefined {
    return ipOf(this.connection)?.port
  }

  get readyState(): SocketReadyState {
    if (this.readable) return this.writable ? 'open' : 'readOnly'
    return this.writable ? 'writeOnly' : 'closed'
  }

  get bufferSize(): number {
    return this.writableLength
  }

  readonly connecting = false
  readonly pending = false
  readonly autoSelectFamilyAttemptedAddresses: string[] = []

  connect(): this {
    throw new Error('a stream is connected from the start')
  }

  address(): AddressInfo | Record<string, never> {
    return {}
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  getTypeOfService(): number {
    return 0
  }

  setTypeOfService(): this {
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }
}

function connectionReset(cause?: unknown): Error {
  const reason = cause instanceof Error ? `: ${cause.message}` : ''
  return Object.assign(new Error(`the stream was reset${reason}`, { cause }), { code: 'ECONNRESET' })
}

/** Node's http server has just answered these, with 400, 408 or 431. */
function isAnswered(error: Error): boolean {
  if (!('code' in error) || typeof error.code !== 'string') return false
  return error.code.startsWith('HPE_') || error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
}
