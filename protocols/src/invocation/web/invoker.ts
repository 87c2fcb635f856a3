import { yamux } from '@libp2p/yamux'
import { type IncomingAnswer, InvocationError, type InvokeOptions, type OutgoingRequest, type Route } from '../index.ts'
import { createHttpStreams, openBest, type Ways } from '../streams/index.ts'
import { bestConnection, rankOf, routeOf } from '../wire/route.ts'
import { Channel, type ChannelOwner } from './channel.ts'
import { IDLE_TIMEOUT, MAX_STREAMS_PER_PEER, OPEN_TIMEOUT, YAMUX } from './constants.ts'
import { NotSentError } from './exchange.ts'
import type { PageInvokerComponents, PageInvokerInit, StoppableInvoker } from './index.ts'

const httpStreams = createHttpStreams(yamux(YAMUX)())

export class PageInvoker implements StoppableInvoker {
  readonly #components: PageInvokerComponents
  readonly #maxStreams: number
  readonly #idleTimeout: number
  readonly #peers = new Map<string, PeerChannels>()
  readonly #sweeper: ReturnType<typeof setInterval>
  #stopped = false

  constructor(components: PageInvokerComponents, init: PageInvokerInit) {
    this.#components = components
    this.#maxStreams = init.maxStreamsPerPeer ?? MAX_STREAMS_PER_PEER
    this.#idleTimeout = init.idleTimeout ?? IDLE_TIMEOUT
    this.#sweeper = setInterval(() => this.#sweep(), this.#idleTimeout / 4)
  }

  async invoke(peer: string, request: OutgoingRequest, { signal }: InvokeOptions): Promise<IncomingAnswer> {
    if (this.#stopped) throw new InvocationError('connect', peer, 'the mesh was left')
    if (signal.aborted) throw new InvocationError('connect', peer, 'aborted', { cause: signal.reason })
    const channels = this.#channelsOf(peer)
    const replayable = request.body == null || request.body instanceof Uint8Array
    for (let attempt = 1; ; attempt++) {
      const channel = (attempt === 1 ? channels.takeIdle() : undefined) ?? (await channels.open(signal))
      const reused = channel.uses > 0
      try {
        return await channel.send(peer, request, signal).answer
      } catch (err) {
        if (!(err instanceof NotSentError)) throw err
        // A kept-alive stream that turns out to be closed is nobody's fault, and the peer has seen nothing of the request.
        if (attempt > 1 || !reused || !replayable)
          throw new InvocationError(replayable ? 'connect' : 'send', peer, err.message, { cause: err })
      }
    }
  }

  route(peer: string): Route | undefined {
    const connection = bestConnection(this.#components.connectionsTo(peer))
    return connection && routeOf(connection)
  }

  stop(): void {
    this.#stopped = true
    clearInterval(this.#sweeper)
    for (const channels of this.#peers.values()) channels.stop()
    this.#peers.clear()
  }

  #channelsOf(peer: string): PeerChannels {
    let channels = this.#peers.get(peer)
    if (channels == null) {
      channels = new PeerChannels(peer, this.#components, this.#maxStreams)
      this.#peers.set(peer, channels)
    }
    return channels
  }

  #sweep(): void {
    const before = performance.now() - this.#idleTimeout
    for (const [peer, channels] of this.#peers) {
      channels.closeIdle(before)
      if (channels.unused) this.#peers.delete(peer)
    }
  }
}

/** The streams that a page keeps to one peer. */
class PeerChannels implements ChannelOwner {
  readonly #peer: string
  readonly #components: PageInvokerComponents
  readonly #ways: Ways
  readonly #max: number
  readonly #all = new Set<Channel>()
  /** the most recently used last */
  readonly #idle: Channel[] = []
  #opening = 0

  constructor(peer: string, components: PageInvokerComponents, max: number) {
    this.#peer = peer
    this.#components = components
    this.#ways = {
      best: () => bestConnection(components.connectionsTo(peer)),
      reach: signal => components.reach(peer, signal)
    }
    this.#max = max
  }

  get unused(): boolean {
    return this.#all.size + this.#opening === 0
  }

  /** One that is free, on the best way to the peer: a stream over a relay is given up once there is a direct one. */
  takeIdle(): Channel | undefined {
    const best = bestConnection(this.#components.connectionsTo(this.#peer))
    for (let channel = this.#idle.pop(); channel != null; channel = this.#idle.pop()) {
      if (!channel.usable) continue
      if (best == null || rankOf(channel.route) <= rankOf(routeOf(best))) return channel
      channel.close()
    }
    return undefined
  }

  /** @throws {InvocationError} of phase `connect` */
  async open(signal: AbortSignal): Promise<Channel> {
    if (this.#all.size + this.#opening >= this.#max)
      throw new InvocationError('connect', this.#peer, `${this.#max} requests to it are under way already`)
    this.#opening++
    const limited = AbortSignal.any([signal, AbortSignal.timeout(OPEN_TIMEOUT)])
    try {
      const { stream, connection } = await openBest(httpStreams, this.#ways, {
        signal: limited,
        maxOutboundStreams: this.#max
      })
      const channel = new Channel(stream, connection, this)
      this.#all.add(channel)
      return channel
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new InvocationError('connect', this.#peer, `no stream could be opened: ${reason}`, { cause })
    } finally {
      this.#opening--
    }
  }

  freed(channel: Channel): void {
    channel.idleSince = performance.now()
    this.#idle.push(channel)
  }

  closed(channel: Channel): void {
    this.#all.delete(channel)
    const index = this.#idle.indexOf(channel)
    if (index !== -1) this.#idle.splice(index, 1)
  }

  closeIdle(before: number): void {
    for (const channel of [...this.#idle]) if (channel.idleSince <= before) channel.close()
  }

  stop(): void {
    for (const channel of [...this.#all]) channel.close(new Error('the mesh was left'))
  }
}
