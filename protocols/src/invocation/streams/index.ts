/**
 * Streams for HTTP, or for another protocol, with flow control whatever the connection. A libp2p stream over WebRTC is a data channel: nothing
 * stops its sender, so a reader who is slower than the network gets a buffer that grows until the stream is reset. There,
 * one libp2p stream carries yamux, and the streams in that are used; they also open at once, where a data channel takes
 * some milliseconds. Peers that don't know {@link STREAMS_PROTOCOL} get plain streams.
 *
 * @example
 * ```ts
 * const streams = createHttpStreams(yamux(YAMUX)())
 * const stream = await streams.open(connection, { signal }) // speaks /http/1.1
 * // the other side
 * node.handle(STREAMS_PROTOCOL, stream => acceptStreams(stream, yamux(YAMUX)(), serve))
 * ```
 */
import type { Connection, Stream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import { raceSignal } from 'race-signal'
import { HTTP_PROTOCOL, STREAMS_PROTOCOL } from '../../ids/index.ts'
import { routeOf } from '../wire/route.ts'

export interface OpenOptions {
  signal: AbortSignal
  /** streams of one protocol that the connection may have. @default libp2p's own limit */
  maxOutboundStreams?: number
}

export interface HttpStreams {
  /** @throws {Error} when the connection is closed, or the peer doesn't answer in time */
  open(connection: Connection, options: OpenOptions): Promise<Stream>
}

/** What the streams speak, and what carries them where the connection has no flow control of its own. */
export interface StreamProtocols {
  plain: string
  carrier: string
}

const HTTP: StreamProtocols = { plain: HTTP_PROTOCOL, carrier: STREAMS_PROTOCOL }

/** Milliseconds for the one stream below the others: whoever asks first may leave, and others wait for it too. */
const OPEN_TIMEOUT = 10_000

/** @param protocols what the streams speak. @default HTTP */
export function createHttpStreams(factory: StreamMuxerFactory, protocols = HTTP): HttpStreams {
  return new MuxedStreams(factory, protocols)
}

class MuxedStreams implements HttpStreams {
  readonly #factory: StreamMuxerFactory
  readonly #protocols: StreamProtocols
  /** undefined for a peer that has plain streams only */
  readonly #muxers = new WeakMap<Connection, Promise<StreamMuxer | undefined>>()

  constructor(factory: StreamMuxerFactory, protocols: StreamProtocols) {
    this.#factory = factory
    this.#protocols = protocols
  }

  async open(connection: Connection, options: OpenOptions): Promise<Stream> {
    const { plain } = this.#protocols
    if (hasFlowControl(connection)) return open(connection, plain, options)
    const muxer = await raceSignal(this.#muxerOf(connection), options.signal)
    return muxer == null ? open(connection, plain, options) : muxer.createStream({ signal: options.signal })
  }

  #muxerOf(connection: Connection): Promise<StreamMuxer | undefined> {
    const known = this.#muxers.get(connection)
    if (known != null) return known
    const opening = this.#begin(connection)
    this.#muxers.set(connection, opening)
    opening.catch(() => this.#muxers.delete(connection))
    return opening
  }

  async #begin(connection: Connection): Promise<StreamMuxer | undefined> {
    try {
      const stream = await connection.newStream(this.#protocols.carrier, { signal: AbortSignal.timeout(OPEN_TIMEOUT) })
      stream.addEventListener('close', ({ local }) => {
        this.#muxers.delete(connection)
        // Nobody closes it but with the connection, of whose end WebRTC itself may say nothing for seconds.
        if (local !== true) connection.abort(new Error('the peer closed the stream that carries the others'))
      })
      return this.#factory.createStreamMuxer(stream)
    } catch (err) {
      if (err instanceof Error && err.name === 'UnsupportedProtocolError') return undefined
      throw err
    }
  }
}

/** The ways to a peer. */
export interface Ways {
  /** the best connection that is open now */
  best(): Connection | undefined
  /** opens one where there is none */
  reach(signal: AbortSignal): Promise<Connection>
}

/** Opens a stream on the best way to a peer. @throws {Error} when there is none */
export async function openBest(
  streams: HttpStreams,
  ways: Ways,
  options: OpenOptions
): Promise<{ stream: Stream; connection: Connection }> {
  const tried = new Set<Connection>()
  for (;;) {
    const connection = ways.best() ?? (await ways.reach(options.signal))
    try {
      return { stream: await streams.open(connection, options), connection }
    } catch (err) {
      if (!isClosed(err) || tried.has(connection)) throw err
      tried.add(connection)
      // The other side has left the connection, but its transport has not noticed (WebSockets don't close when a
      // connection is aborted). Nobody else would clear it away, so that the peer is dialled again.
      connection.abort(err)
    }
  }
}

function isClosed(err: unknown): err is Error {
  return err instanceof Error && (err.name === 'ConnectionClosedError' || err.name === 'MuxerClosedError')
}

/** Serves the streams that the other side opens in this one, until it closes. */
export function acceptStreams(stream: Stream, factory: StreamMuxerFactory, serve: (stream: Stream) => void): void {
  factory.createStreamMuxer(stream).addEventListener('stream', ({ detail }) => serve(detail))
}

function open(connection: Connection, protocol: string, options: OpenOptions): Promise<Stream> {
  return connection.newStream(protocol, { runOnLimitedConnection: true, ...options })
}

function hasFlowControl(connection: Connection): boolean {
  const { path, transport } = routeOf(connection)
  return path === 'relayed' || (transport !== 'webrtc' && transport !== 'webrtc-direct')
}
