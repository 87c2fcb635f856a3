/** Serves HTTP to peers: streams become connections of a Node http server, which need not listen on any port. */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse
} from 'node:http'
import type { Connection, Stream, StreamHandler, StreamHandlerOptions } from '@libp2p/interface'
import { pEvent } from 'p-event'
import { HTTP_PROTOCOL, STREAMS_PROTOCOL } from '../../ids/index.ts'
import { acceptStreams } from '../streams/index.ts'
import { FAREWELL } from '../wire/farewell.ts'
import { MAX_CARRIERS, MAX_PROTOCOL_STREAMS, SERVER } from './constants.ts'
import { lingerAfterAnswers } from './lingering.ts'
import { multiplexing } from './multiplexing.ts'
import { StreamDuplex, streamDuplex } from './stream-duplex.ts'

/** The part of a libp2p node, or of its registrar, that is needed to serve a protocol. */
export interface ServeComponents {
  handle(protocol: string, handler: StreamHandler, options: StreamHandlerOptions): Promise<void>
  unhandle(protocol: string): Promise<void>
}

export interface ServeInit {
  /** Streams that one peer may have open, over all of its connections; one more is reset. @default 512 */
  maxStreamsPerPeer?: number
}

export interface HttpService {
  /** streams that are open now */
  readonly streams: number
  /**
   * Takes no more streams, and closes those that are open, each once the request on it is answered. A request that
   * arrives too late is refused in a way that lets its sender send it to someone else, whatever it asks for.
   */
  drain(options?: { signal?: AbortSignal }): Promise<void>
  /** Takes no more streams and cuts off what is under way. Does nothing the second time. */
  stop(): Promise<void>
}

/**
 * An http server for {@link serveHttp}, with limits on what a peer may make it wait for. Serves as Fastify's
 * `serverFactory`. `close()` it in the end.
 */
export function createStreamServer(listener: RequestListener, options: ServerOptions = {}): Server {
  const server = createServer({ ...SERVER, ...options }, listener)
  // Some clients close their direction of the stream after the request, and expect an answer nevertheless.
  Object.assign(server, { httpAllowHalfOpen: true })
  lingerAfterAnswers(server)
  // Node only keeps an eye on the time that headers and requests take from this event on, and this server may never
  // listen.
  server.emit('listening')
  return server
}

export async function serveHttp(
  components: ServeComponents,
  server: Server,
  init: ServeInit = {}
): Promise<HttpService> {
  const service = new StreamService(components, server, init)
  await service.start()
  return service
}

class StreamService implements HttpService {
  readonly #components: ServeComponents
  readonly #server: Server
  readonly #maxStreamsPerPeer: number
  readonly #open = new Set<StreamDuplex>()
  readonly #perPeer = new Map<string, number>()
  /** requests under way; more than one only if the peer pipelines */
  readonly #active = new Map<StreamDuplex, number>()
  #draining = false
  #stopped = false

  constructor(components: ServeComponents, server: Server, init: ServeInit) {
    this.#components = components
    this.#server = server
    this.#maxStreamsPerPeer = init.maxStreamsPerPeer ?? MAX_PROTOCOL_STREAMS
  }

  get streams(): number {
    return this.#open.size
  }

  async start(): Promise<void> {
    this.#server.prependListener('request', this.#onRequest)
    await this.#components.handle(HTTP_PROTOCOL, this.#onStream, {
      runOnLimitedConnection: true,
      maxInboundStreams: this.#maxStreamsPerPeer,
      // what a client on the same node says itself is ignored once there is a handler
      maxOutboundStreams: MAX_PROTOCOL_STREAMS
    })
    await this.#components.handle(STREAMS_PROTOCOL, this.#onCarrier, { maxInboundStreams: MAX_CARRIERS })
  }

  async drain({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    await this.#refuse()
    for (const duplex of this.#open) if (!this.#active.has(duplex)) duplex.destroy()
    await Promise.all(Array.from(this.#open, duplex => pEvent(duplex, 'close', { signal, rejectionEvents: [] })))
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    await this.#refuse()
    this.#server.off('request', this.#onRequest)
    for (const duplex of this.#open) duplex.destroy(this.#active.has(duplex) ? new Error('stopping') : undefined)
  }

  async #refuse(): Promise<void> {
    if (this.#draining) return
    this.#draining = true
    await this.#components.unhandle(HTTP_PROTOCOL)
    await this.#components.unhandle(STREAMS_PROTOCOL)
  }

  #onCarrier = (carrier: Stream, connection: Connection): void => {
    acceptStreams(carrier, multiplexing()(), stream => this.#onStream(stream, connection))
  }

  #onStream = (stream: Stream, connection: Connection): void => {
    const peer = connection.remotePeer.toString()
    const count = this.#perPeer.get(peer) ?? 0
    if (this.#draining || count >= this.#maxStreamsPerPeer) {
      stream.abort(new Error(this.#draining ? 'stopping' : `${count} streams of ${peer} are open already`))
      return
    }
    const duplex: StreamDuplex = streamDuplex(stream, connection, {
      farewell: () => (this.#active.has(duplex) ? undefined : FAREWELL)
    })
    this.#perPeer.set(peer, count + 1)
    this.#open.add(duplex)
    duplex.once('close', () => {
      this.#open.delete(duplex)
      this.#active.delete(duplex)
      const left = (this.#perPeer.get(peer) ?? 1) - 1
      if (left === 0) this.#perPeer.delete(peer)
      else this.#perPeer.set(peer, left)
    })
    this.#server.emit('connection', duplex)
  }

  #onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const duplex = request.socket
    if (!(duplex instanceof StreamDuplex) || !this.#open.has(duplex)) return
    this.#active.set(duplex, (this.#active.get(duplex) ?? 0) + 1)
    response.once('close', () => {
      const left = (this.#active.get(duplex) ?? 1) - 1
      if (left > 0) {
        this.#active.set(duplex, left)
        return
      }
      this.#active.delete(duplex)
      if (this.#draining) duplex.destroySoon()
    })
  }
}

/** The peer that sent a request, proven by its connection's handshake; undefined when it came over plain HTTP. */
export function remotePeerOf(request: IncomingMessage): string | undefined {
  return connectionOf(request)?.remotePeer.toString()
}

/** The libp2p connection that a request came over; undefined when it came over plain HTTP. */
export function connectionOf(request: IncomingMessage): Connection | undefined {
  return request.socket instanceof StreamDuplex ? request.socket.connection : undefined
}
