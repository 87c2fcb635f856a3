/**
 * The ways to workers. A request never waits for WebRTC: whichever connection is there first is used, the others are
 * opened beside it, and later requests prefer the direct one (`bestConnection`). Nothing that runs on an older
 * connection is touched.
 */
import type { Gate } from '@hedgerow/protocols/gate'
import { bestConnection, routeOf } from '@hedgerow/protocols/invocation/web'
import { pingOver } from '@hedgerow/protocols/ping'
import type { View } from '@hedgerow/protocols/view'
import type { Connection, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Multiaddr } from '@multiformats/multiaddr'
import { raceSignal } from 'race-signal'
import { parse } from './bootstrap.ts'
import { DIAL_TIMEOUT, DIRECT_RETRY, DIRECT_WORTH, INTRODUCTION_DELAY, MAX_ADDRS, MAX_PEERS } from './constants.ts'
import type { PageNode } from './node.ts'
import { isForPages } from './relay-addresses.ts'

export interface PathsComponents {
  node: PageNode
  gate: Gate
  view: Pick<View, 'peer' | 'peers'>
  /** connections to relays */
  relays(): Connection[]
  /** called when a direct way has opened */
  opened(): void
}

export interface PathsInit {
  keepConnected: number
}

export class Paths {
  readonly #components: PathsComponents
  readonly #init: PathsInit
  readonly #stopped = new AbortController()
  /** aborted when the network has changed: what is being dialled then leads nowhere */
  #current = new AbortController()
  /** dials under way, by peer */
  readonly #dials = new Map<string, Promise<Connection>>()
  /** direct connections on which the other side has answered */
  readonly #proven = new WeakSet<Connection>()
  /** when a direct way was last looked for, by peer */
  readonly #looked = new Map<string, number>()

  constructor(components: PathsComponents, init: PathsInit) {
    this.#components = components
    this.#init = init
    components.node.addEventListener('connection:close', this.#onClose)
  }

  stop(): void {
    this.#stopped.abort()
    this.#components.node.removeEventListener('connection:close', this.#onClose)
  }

  connectionsTo(peer: string): Connection[] {
    const id = peerId(peer)
    if (id == null) return []
    const { node, gate } = this.#components
    // One whose other side has yet to prove that it is a member is of no use.
    const connections = gate.isMember(peer) ? node.getConnections(id) : []
    // WebRTC calls a connection open before the other side takes streams: until it has answered, an older way is better.
    const ready = connections.filter(
      connection => this.#proven.has(connection) || routeOf(connection).path === 'relayed'
    )
    return ready.length > 0 ? ready : connections
  }

  /** The first way to a peer that opens. @throws {Error} when none does */
  async reach(peer: string, signal: AbortSignal): Promise<Connection> {
    for (;;) {
      const network = this.#current
      const dial = this.#dial(peer)
      try {
        const connection = await raceSignal(dial, signal)
        if (connection.status === 'open') return connection
        // Opened, and lost since, while another way is still being looked for.
        if (this.#dials.get(peer) === dial) this.#dials.delete(peer)
      } catch (err) {
        // given up since the network is another one: who waits needn't know
        if (network === this.#current || signal.aborted || this.#stopped.signal.aborted) throw err
      }
    }
  }

  /** The network is another one, or there again: dials that began before are given up, and may begin anew. */
  renew(): void {
    this.#current.abort(new Error('the network has changed'))
    this.#current = new AbortController()
    this.#dials.clear()
    this.#looked.clear()
    this.prepare()
  }

  /** Opens connections to workers that may be asked something soon, and looks for direct ones where there are none. */
  prepare(): void {
    let wanted = this.#init.keepConnected
    for (const { advert, silent } of this.#components.view.peers()) {
      if (wanted <= 0) return
      if (advert.role !== 'worker' || silent || advert.services.length === 0) continue
      wanted--
      if (!this.#isDirect(advert.peerId) && this.#mayLook(advert.peerId)) this.#dial(advert.peerId).catch(() => {})
    }
  }

  #onClose = ({ detail }: CustomEvent<Connection>): void => {
    const peer = detail.remotePeer.toString()
    const { open, close = Date.now() } = detail.timeline
    // A way that was lost is looked for at once; but not again and again when the other side ends it at once.
    if (routeOf(detail).path === 'direct' && close - open > DIRECT_WORTH) this.#looked.delete(peer)
    if (this.#components.view.peer(peer)?.advert.role === 'worker') this.prepare()
  }

  #isDirect(peer: string): boolean {
    const best = bestConnection(this.connectionsTo(peer))
    return best != null && routeOf(best).path === 'direct'
  }

  #mayLook(peer: string): boolean {
    return performance.now() - (this.#looked.get(peer) ?? -Infinity) > DIRECT_RETRY
  }

  #dial(peer: string): Promise<Connection> {
    const known = this.#dials.get(peer)
    if (known != null) return known
    const ways = this.#open(peer)
    const first = Promise.any(ways).catch((err: AggregateError) => {
      throw new Error(`no way to ${peer} opened: ${[...new Set(err.errors.map(messageOf))].join('; ')}`)
    })
    this.#dials.set(peer, first)
    void Promise.allSettled(ways).then(() => {
      if (this.#dials.get(peer) === first) this.#dials.delete(peer)
    })
    return first
  }

  /** Every way at once. */
  #open(peer: string): Array<Promise<Connection>> {
    const advert = this.#components.view.peer(peer)?.advert
    if (advert == null) return [Promise.reject(new Error('nothing is known of it'))]
    if (this.#looked.size > MAX_PEERS) this.#looked.clear()
    this.#looked.set(peer, performance.now())
    const addrs = advert.addrs.flatMap(parse)
    const relays = this.#components.relays()
    const [circuit = circuitElsewhere(peer, addrs)] = relays.flatMap(relay => circuitOver(relay, peer, addrs) ?? [])
    const direct = addrs.filter(addr => has(addr, 'webrtc-direct')).slice(0, MAX_ADDRS)
    const ways = direct.map(addr => this.#dialDirect(addr))
    if (circuit != null) {
      if (this.connectionsTo(peer).length === 0) ways.push(this.#dialOne(circuit))
      const introduced = circuit.toString().replace(/\/p2p\/[^/]+$/, '')
      ways.push(this.#introduce(peer, parse(`${introduced}/webrtc/p2p/${peer}`), direct.length > 0))
    }
    return ways.length > 0 ? ways : [Promise.reject(new Error('no relay of this page can introduce it'))]
  }

  /** By the relay's introduction; not when another direct way opens soon. */
  async #introduce(peer: string, [addr]: Multiaddr[], wait: boolean): Promise<Connection> {
    if (wait) await new Promise(resolve => setTimeout(resolve, INTRODUCTION_DELAY))
    const best = bestConnection(this.connectionsTo(peer))
    if (best != null && routeOf(best).path === 'direct') return best
    if (addr == null) throw new Error('no introduction')
    return this.#dialDirect(addr)
  }

  async #dialDirect(addr: Multiaddr): Promise<Connection> {
    const connection = await this.#dialOne(addr)
    try {
      await pingOver(connection, AbortSignal.timeout(DIAL_TIMEOUT))
    } catch (err) {
      connection.abort(err instanceof Error ? err : new Error('nobody answers'))
      throw err
    }
    this.#proven.add(connection)
    this.#components.opened()
    return connection
  }

  async #dialOne(addr: Multiaddr): Promise<Connection> {
    const signal = AbortSignal.any([this.#stopped.signal, this.#current.signal, AbortSignal.timeout(DIAL_TIMEOUT)])
    // Raced, because WebRTC doesn't look at the signal at every step, and who waits must hear in time.
    const connection = await raceSignal(this.#components.node.services.transports.dial(addr, { signal }), signal)
    await this.#components.gate.proven(connection, signal)
    return connection
  }
}

/** The way over a relay that the page is connected to; undefined when the worker has no place there. */
function circuitOver(relay: Connection, peer: string, addrs: Multiaddr[]): Multiaddr | undefined {
  const id = relay.remotePeer.toString()
  const isReserved = addrs.some(addr => addr.toString().includes(`/p2p/${id}/p2p-circuit`))
  if (!isReserved) return undefined
  const base = relay.remoteAddr.toString().replace(/\/p2p\/[^/]+$/, '')
  return parse(`${base}/p2p/${id}/p2p-circuit/p2p/${peer}`)[0]
}

/** Over a relay that the page isn't connected to: where a mesh has many, a worker has places on some only. */
function circuitElsewhere(peer: string, addrs: Multiaddr[]): Multiaddr | undefined {
  const circuit = addrs.find(addr => has(addr, 'p2p-circuit') && !has(addr, 'webrtc') && isForPages(addr))
  if (circuit == null) return undefined
  return parse(`${circuit.toString().replace(/\/p2p-circuit.*$/, '/p2p-circuit')}/p2p/${peer}`)[0]
}

function has(addr: Multiaddr, protocol: string): boolean {
  return addr.getComponents().some(({ name }) => name === protocol)
}

function peerId(peer: string): PeerId | undefined {
  try {
    return peerIdFromString(peer)
  } catch {
    return undefined
  }
}

function messageOf(err: unknown): string {
  return err instanceof Error ? err.message : String(err)
}
