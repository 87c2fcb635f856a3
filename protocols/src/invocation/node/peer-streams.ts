/** The streams that a client keeps to one peer. */
import type { Connection, PeerId } from '@libp2p/interface'
import { Client } from 'undici'
import { InvocationError, type Route } from '../index.ts'
import { createHttpStreams, openBest, type Ways } from '../streams/index.ts'
import { bestConnection, rankOf, routeOf } from '../wire/route.ts'
import { MAX_PROTOCOL_STREAMS, OPEN_TIMEOUT } from './constants.ts'
import { multiplexing } from './multiplexing.ts'
import { type StreamDuplex, streamDuplex } from './stream-duplex.ts'

/** The part of a libp2p node that is needed to reach peers. */
export interface InvokerComponents {
  getConnections(peer: PeerId): Connection[]
  dial(peer: PeerId, options: { signal: AbortSignal }): Promise<Connection>
  /** called when a request goes over a relay: a direct way would be better */
  relayed?(peer: PeerId): void
}

export interface PeerStreamsInit {
  maxStreams: number
  maxWaiting: number
}

/** A stream with an HTTP client on it. */
export interface Channel {
  readonly client: Client
  readonly duplex: StreamDuplex
  readonly route: Route
  /** how many requests were sent on it */
  uses: number
  /** milliseconds of the monotonic clock */
  idleSince: number
}

interface Waiting {
  /** with a stream that was freed, or nothing when one more may be opened */
  resolve(channel: Channel | undefined): void
  reject(error: InvocationError): void
}

const httpStreams = createHttpStreams(multiplexing()())

const STOPPING = 'this peer is stopping'

export class PeerStreams {
  readonly peer: string
  readonly peerId: PeerId
  readonly #components: InvokerComponents
  readonly #init: PeerStreamsInit
  readonly #ways: Ways
  /** the most recently used last */
  readonly #idle: Channel[] = []
  readonly #channels = new Set<Channel>()
  readonly #waiting: Waiting[] = []
  /** streams that are being opened, or may be */
  #opening = 0
  #retired = false
  #stopped = false
  /** milliseconds of the monotonic clock */
  lastUsed = performance.now()

  constructor(peerId: PeerId, components: InvokerComponents, init: PeerStreamsInit) {
    this.peer = peerId.toString()
    this.peerId = peerId
    this.#components = components
    this.#init = init
    this.#ways = {
      best: () => bestConnection(components.getConnections(peerId)),
      reach: signal => components.dial(peerId, { signal })
    }
  }

  get open(): number {
    return this.#channels.size
  }

  get idle(): number {
    return this.#idle.length
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** nothing is open and nobody waits */
  get unused(): boolean {
    return this.#channels.size + this.#opening + this.#waiting.length === 0
  }

  /** A stream that is open and free, if there is one: the one used last, so that the others can be closed. */
  takeIdle(): Channel | undefined {
    for (let channel = this.#idle.pop(); channel != null; channel = this.#idle.pop()) {
      if (!channel.duplex.writable) continue
      if (this.#isOutdated(channel)) {
        channel.duplex.end()
        continue
      }
      if (channel.route.path === 'relayed') this.#components.relayed?.(this.peerId)
      return channel
    }
    return undefined
  }

  /** @throws {InvocationError} of phase `connect` */
  async acquire(signal: AbortSignal): Promise<Channel> {
    if (this.#channels.size + this.#opening < this.#init.maxStreams) {
      this.#opening++
    } else {
      const freed = await this.#wait(signal)
      if (freed != null) return freed
    }
    return this.#open(signal)
  }

  /** Gives back a stream that was taken. */
  release(channel: Channel, reusable: boolean): void {
    if (!reusable || !channel.duplex.writable) return
    if (this.#retired) {
      channel.duplex.end()
      return
    }
    const next = this.#waiting.shift()
    if (next != null) {
      next.resolve(channel)
      return
    }
    channel.idleSince = performance.now()
    this.#idle.push(channel)
  }

  /** Closes streams that nobody has used since `before`. */
  closeIdle(before: number): void {
    while (this.#idle[0] != null && this.#idle[0].idleSince <= before) this.#idle.shift()?.duplex.end()
  }

  /** Closes the streams, each after the request that is under way on it. */
  retire(): void {
    this.#retired = true
    this.closeIdle(Number.POSITIVE_INFINITY)
  }

  /** Cuts off whatever is under way. */
  stop(): void {
    this.#stopped = true
    this.retire()
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#failure(STOPPING))
    for (const { duplex } of this.#channels) {
      if (!duplex.writableEnded) duplex.destroy(new Error(STOPPING))
    }
  }

  /** A stream over a relay is given up as soon as there is a better way. */
  #isOutdated({ route }: Channel): boolean {
    const rank = rankOf(route)
    if (rank === 0) return false
    const best = bestConnection(this.#components.getConnections(this.peerId))
    return best != null && rankOf(routeOf(best)) < rank
  }

  /** @returns a stream that was freed, or nothing when one more may be opened */
  async #wait(signal: AbortSignal): Promise<Channel | undefined> {
    if (this.#waiting.length >= this.#init.maxWaiting) {
      throw this.#failure(`${this.#waiting.length} requests already wait for a stream`)
    }
    const waiting = Promise.withResolvers<Channel | undefined>()
    const onAbort = (): void => {
      const index = this.#waiting.indexOf(waiting)
      if (index === -1) return
      this.#waiting.splice(index, 1)
      waiting.reject(this.#failure('aborted while waiting for a stream', signal.reason))
    }
    signal.addEventListener('abort', onAbort)
    this.#waiting.push(waiting)
    try {
      return await waiting.promise
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  #failure(message: string, cause?: unknown): InvocationError {
    return new InvocationError('connect', this.peer, message, { cause })
  }

  /** Opens a stream in the place that was reserved for it in `#opening`. */
  async #open(signal: AbortSignal): Promise<Channel> {
    try {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(OPEN_TIMEOUT)])
      const { stream, connection } = await openBest(httpStreams, this.#ways, {
        signal: limited,
        // what the handler for the same protocol says counts for outbound streams too, if there is one
        maxOutboundStreams: MAX_PROTOCOL_STREAMS
      })
      const channel = this.#channel(streamDuplex(stream, connection))
      if (this.#stopped) channel.duplex.destroy(new Error(STOPPING))
      else if (channel.route.path === 'relayed') this.#components.relayed?.(this.peerId)
      return channel
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw this.#failure(`no stream could be opened: ${reason}`, cause)
    } finally {
      this.#opening--
      this.#admit()
    }
  }

  #channel(duplex: StreamDuplex): Channel {
    let connected = false
    const client = new Client('http://peer', {
      pipelining: 1,
      // dispatch has its own
      headersTimeout: 0,
      bodyTimeout: 0,
      // undici waits for the callback, and doesn't expect it before it is ready
      connect: (_options, callback) =>
        queueMicrotask(() => {
          if (connected) return callback(new Error('the stream is closed'), null)
          connected = true
          callback(null, duplex)
        })
    })
    const channel: Channel = { client, duplex, route: routeOf(duplex.connection), uses: 0, idleSince: 0 }
    this.#channels.add(channel)
    duplex.on('error', () => {})
    duplex.once('close', () => {
      this.#channels.delete(channel)
      const index = this.#idle.indexOf(channel)
      if (index !== -1) this.#idle.splice(index, 1)
      this.#admit()
    })
    return channel
  }

  /** If one more may be opened, whoever waits longest does. */
  #admit(): void {
    if (this.#channels.size + this.#opening >= this.#init.maxStreams) return
    const next = this.#waiting.shift()
    if (next == null) return
    this.#opening++
    next.resolve(undefined)
  }
}
