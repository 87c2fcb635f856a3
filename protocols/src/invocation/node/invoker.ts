import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type IncomingAnswer, InvocationError, type InvokeOptions, type OutgoingRequest, type Route } from '../index.ts'
import { requestHeaders } from '../wire/headers.ts'
import { bestConnection, routeOf } from '../wire/route.ts'
import { OutgoingBody } from './body.ts'
import { IDLE_TIMEOUT, MAX_PEERS, MAX_STREAMS_PER_PEER, MAX_WAITING_PER_PEER } from './constants.ts'
import { Exchange, NotSentError } from './exchange.ts'
import type { InvokerInit, NodeInvoker, StreamCounts } from './index.ts'
import { type Channel, type InvokerComponents, PeerStreams, type PeerStreamsInit } from './peer-streams.ts'

export class StreamInvoker implements NodeInvoker {
  readonly #components: InvokerComponents
  readonly #init: PeerStreamsInit
  readonly #maxPeers: number
  readonly #idleTimeout: number
  readonly #peers = new Map<string, PeerStreams>()
  /** of those that were asked about */
  readonly #ids = new Map<string, PeerId>()
  readonly #routes = new WeakMap<object, Route>()
  readonly #sweeper: NodeJS.Timeout
  #stopped = false

  constructor(components: InvokerComponents, init: InvokerInit) {
    this.#components = components
    this.#init = {
      maxStreams: init.maxStreamsPerPeer ?? MAX_STREAMS_PER_PEER,
      maxWaiting: init.maxWaitingPerPeer ?? MAX_WAITING_PER_PEER
    }
    this.#maxPeers = init.maxPeers ?? MAX_PEERS
    this.#idleTimeout = init.idleTimeout ?? IDLE_TIMEOUT
    this.#sweeper = setInterval(() => this.#sweep(), this.#idleTimeout / 4)
    this.#sweeper.unref()
  }

  async invoke(peer: string, request: OutgoingRequest, { signal }: InvokeOptions): Promise<IncomingAnswer> {
    if (this.#stopped) throw new InvocationError('connect', peer, 'this peer is stopping')
    if (signal.aborted) throw new InvocationError('connect', peer, 'aborted', { cause: signal.reason })
    const streams = this.#streamsTo(peer)
    const body = new OutgoingBody(request.body)
    let channel = streams.takeIdle() ?? (await streams.acquire(signal))
    for (let attempt = 1; ; attempt++) {
      if (signal.aborted) {
        streams.release(channel, true)
        throw new InvocationError('connect', peer, 'aborted', { cause: signal.reason })
      }
      const reused = channel.uses++ > 0
      try {
        return await exchange(streams, channel, request, body, signal)
      } catch (err) {
        if (!(err instanceof NotSentError)) throw err
        // A kept-alive stream that turns out to be closed is nobody's fault, and the peer has seen nothing of the
        // request. So this isn't a retry.
        if (attempt > 1 || !reused || body.started) {
          throw new InvocationError(body.started ? 'send' : 'connect', peer, err.message, { cause: err.cause ?? err })
        }
        channel = await streams.acquire(signal)
      }
    }
  }

  route(peer: string): Route | undefined {
    const peerId = this.#peerIdOf(peer)
    const connection = peerId && bestConnection(this.#components.getConnections(peerId))
    if (connection == null) return undefined
    const known = this.#routes.get(connection)
    if (known != null) return known
    const route = routeOf(connection)
    this.#routes.set(connection, route)
    return route
  }

  /** A worker is asked for the route of each request that it served, and reading an id takes 10 µs. */
  #peerIdOf(peer: string): PeerId | undefined {
    const known = this.#peers.get(peer)?.peerId ?? this.#ids.get(peer)
    if (known != null) return known
    const peerId = parsePeerId(peer)
    if (peerId == null) return undefined
    if (this.#ids.size >= this.#maxPeers) this.#ids.clear()
    this.#ids.set(peer, peerId)
    return peerId
  }

  streams(peer: string): StreamCounts {
    const { open = 0, idle = 0, waiting = 0 } = this.#peers.get(peer) ?? {}
    return { open, idle, waiting }
  }

  stop(): void {
    this.#stopped = true
    clearInterval(this.#sweeper)
    for (const streams of this.#peers.values()) streams.stop()
    this.#peers.clear()
  }

  #streamsTo(peer: string): PeerStreams {
    const known = this.#peers.get(peer)
    if (known != null) {
      known.lastUsed = performance.now()
      return known
    }
    if (this.#peers.size >= this.#maxPeers) this.#forgetOldest()
    const peerId = parsePeerId(peer)
    if (peerId == null) throw new InvocationError('connect', peer, 'not a peer id')
    const streams = new PeerStreams(peerId, this.#components, this.#init)
    this.#peers.set(peer, streams)
    return streams
  }

  #forgetOldest(): void {
    let oldest: PeerStreams | undefined
    for (const streams of this.#peers.values()) {
      if (oldest == null || streams.lastUsed < oldest.lastUsed) oldest = streams
    }
    if (oldest == null) return
    this.#peers.delete(oldest.peer)
    oldest.retire()
  }

  #sweep(): void {
    const before = performance.now() - this.#idleTimeout
    for (const [peer, streams] of this.#peers) {
      streams.closeIdle(before)
      if (streams.unused) this.#peers.delete(peer)
    }
  }
}

function exchange(
  streams: PeerStreams,
  channel: Channel,
  request: OutgoingRequest,
  body: OutgoingBody,
  signal: AbortSignal
): Promise<IncomingAnswer> {
  const exchange = new Exchange(streams, channel, signal)
  channel.client.dispatch(
    {
      method: request.method,
      path: request.path,
      headers: requestHeaders(streams.peer, request),
      body: body.open(),
      // or undici closes the stream after each HEAD and after each GET with a body
      reset: false
    },
    exchange
  )
  return exchange.answer
}

function parsePeerId(peer: string): PeerId | undefined {
  try {
    return peerIdFromString(peer)
  } catch {
    return undefined
  }
}
