import type { Gate } from '@hedgerow/protocols/gate'
import type { Connection } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { raceSignal } from 'race-signal'
import { type Bootstrap, fetchBootstrap } from './bootstrap.ts'
import {
  FIRST_BACKOFF,
  MAX_BACKOFF,
  MAX_LEARNT_RELAYS,
  MAX_RELAYS,
  RELAY_DIAL_TIMEOUT,
  RELAY_WORTH
} from './constants.ts'
import type { PageNode } from './node.ts'
import { canDial, type LearntRelay, peerOf } from './relay-addresses.ts'

export interface RelaysComponents {
  node: PageNode
  gate: Gate
}

export interface RelaysInit {
  /** its name: a relay of another one is of no use */
  mesh: string
  /** origins of the relays that the page was told of */
  urls: string[]
  /** whether others may carry requests over plain HTTP, which they would read, with whatever says who the user is */
  bridgesLearnt: boolean
  /** called when the page is connected to a relay, or to one more */
  connected(connection: Connection): void
  /** called when the network or the machine is back: what is open may be dead */
  woken(): void
  /** called when a relay's web address did, or did not, answer */
  changed(): void
}

interface Relay {
  /** its origin */
  url: string
  /** the page was told of it; others it has heard of in the mesh */
  told: boolean
  /** as it last described itself */
  bootstrap: Bootstrap | undefined
  /** its web address answered the last time that it was asked */
  answers: boolean
  failures: number
  /** of the clock; undefined while there is no connection, or its loss has been dealt with */
  connectedAt: number | undefined
  timer: ReturnType<typeof setTimeout> | undefined
  busy: boolean
}

/**
 * Stays connected to relays: finds them by their web addresses, those the page was told of and those of which the mesh
 * tells, and comes back to those that were lost.
 */
export class Relays {
  readonly #node: PageNode
  readonly #gate: Gate
  readonly #init: RelaysInit
  #relays: Relay[]
  readonly #stopped = new AbortController()

  constructor({ node, gate }: RelaysComponents, init: RelaysInit) {
    this.#node = node
    this.#gate = gate
    this.#init = init
    this.#relays = init.urls.map(url => fresh(url, true))
  }

  /** @param known what relays said already */
  start(known: Bootstrap[]): void {
    for (const relay of this.#relays) {
      relay.bootstrap = known.find(({ url }) => url === relay.url)
      relay.answers = relay.bootstrap != null
      void this.#keep(relay)
    }
    this.#node.addEventListener('connection:close', this.#onClose)
    globalThis.addEventListener?.('online', this.wake)
    globalThis.document?.addEventListener('visibilitychange', this.#onVisible)
  }

  stop(): void {
    this.#stopped.abort()
    for (const { timer } of this.#relays) clearTimeout(timer)
    this.#node.removeEventListener('connection:close', this.#onClose)
    globalThis.removeEventListener?.('online', this.wake)
    globalThis.document?.removeEventListener('visibilitychange', this.#onVisible)
  }

  /** the connections to relays that are open now */
  get connections(): Connection[] {
    return this.#relays.flatMap(relay => this.#connectionTo(relay) ?? [])
  }

  /** web addresses that answer, or might: for requests over plain HTTP */
  get bridges(): string[] {
    return this.#bridging.toSorted((a, b) => Number(b.answers) - Number(a.answers)).map(({ url }) => url)
  }

  get answering(): boolean {
    return this.#bridging.some(({ answers }) => answers)
  }

  get #bridging(): Relay[] {
    return this.#init.bridgesLearnt ? this.#relays : this.#relays.filter(({ told }) => told)
  }

  /** @param learnt which others there are now */
  learn(learnt: LearntRelay[]): void {
    if (this.#stopped.signal.aborted) return
    const others = learnt.slice(0, MAX_LEARNT_RELAYS)
    const stays = (relay: Relay): boolean =>
      relay.told || relay.connectedAt != null || others.some(({ url }) => url === relay.url)
    for (const { timer } of this.#relays.filter(relay => !stays(relay))) clearTimeout(timer)
    this.#relays = this.#relays.filter(stays)
    for (const { peerId, url } of others) {
      if (this.#relays.some(relay => relay.url === url || peerOf(relay.bootstrap?.peers[0]) === peerId)) continue
      if (this.#relays.filter(({ told }) => !told).length >= MAX_LEARNT_RELAYS) return
      const relay = fresh(url, false)
      this.#relays.push(relay)
      void this.#keep(relay)
    }
  }

  /**
   * Asks all of them over HTTP whether they are there: browsers wait for minutes for who says nothing at all. Whoever
   * answers is connected to at once. @throws {AggregateError} when nobody answers
   */
  async ask(signal: AbortSignal): Promise<void> {
    const asked = AbortSignal.any([this.#stopped.signal, signal])
    await Promise.any(
      this.#bridging.map(async relay => {
        await this.#fetch(relay, asked)
        relay.failures = 0
        void this.#keep(relay)
      })
    )
  }

  /** The network is back, or the machine: what was lost meanwhile is looked for at once. */
  readonly wake = (): void => {
    this.#init.woken()
    for (const relay of this.#relays) {
      relay.failures = 0
      void this.#keep(relay)
    }
  }

  #onVisible = (): void => {
    if (globalThis.document?.visibilityState === 'visible') this.wake()
  }

  #onClose = (): void => {
    for (const relay of this.#relays) {
      const { connectedAt } = relay
      if (relay.busy || this.#connectionTo(relay) != null) continue
      relay.connectedAt = undefined
      // One that takes connections and drops them is no better than one that takes none.
      if (connectedAt != null && performance.now() - connectedAt < RELAY_WORTH) {
        this.#later(relay)
      } else if (connectedAt != null || relay.timer == null) {
        relay.failures = 0
        void this.#keep(relay)
      }
    }
  }

  #later(relay: Relay): void {
    if (this.#stopped.signal.aborted) return
    const pause = Math.min(MAX_BACKOFF, FIRST_BACKOFF * 2 ** relay.failures++) * (0.75 + Math.random() / 2)
    clearTimeout(relay.timer)
    relay.timer = setTimeout(() => {
      relay.timer = undefined
      void this.#keep(relay)
    }, pause)
  }

  async #keep(relay: Relay): Promise<void> {
    if (relay.busy || this.#stopped.signal.aborted) return
    if (this.#connectionTo(relay) != null || this.connections.length >= MAX_RELAYS) return
    relay.busy = true
    clearTimeout(relay.timer)
    relay.timer = undefined
    try {
      const bootstrap = await this.#describe(relay)
      // It may have two names, or be the same as another by now.
      if (this.#connectionTo(relay) != null || !this.#relays.includes(relay)) return
      const connection = await this.#dial(bootstrap.peers)
      if (connection.status !== 'open') throw new Error('it was closed at once')
      relay.connectedAt = performance.now()
      this.#init.connected(connection)
    } catch {
      this.#later(relay)
    } finally {
      relay.busy = false
      this.#init.changed()
    }
  }

  /** What the relay says of itself: asked again whenever it couldn't be dialled. */
  async #describe(relay: Relay): Promise<Bootstrap> {
    if (relay.failures === 0 && relay.bootstrap != null) return relay.bootstrap
    return this.#fetch(relay, this.#stopped.signal)
  }

  async #fetch(relay: Relay, signal: AbortSignal): Promise<Bootstrap> {
    try {
      const bootstrap = await fetchBootstrap(relay.url, signal)
      if (bootstrap.mesh !== this.#init.mesh) throw new Error('it is a relay of another mesh')
      relay.bootstrap = bootstrap
      relay.answers = true
      return bootstrap
    } catch (err) {
      // that nobody waits for the answer any more says nothing of the relay
      if (!signal.aborted) relay.answers = false
      throw err
    }
  }

  #connectionTo({ bootstrap }: Relay): Connection | undefined {
    const id = peerOf(bootstrap?.peers[0])
    return this.#node
      .getConnections()
      .find(({ remotePeer, status, limits }) => status === 'open' && limits == null && remotePeer.toString() === id)
  }

  /** Its own addresses come first; another relay of the mesh is as good. */
  async #dial(addrs: Multiaddr[]): Promise<Connection> {
    const own = peerOf(addrs[0])
    const usable = addrs.filter(addr => peerOf(addr) === own && canDial(addr))
    let failure: unknown = new Error('the relay names no address that a page can dial')
    for (const addr of usable) {
      const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(RELAY_DIAL_TIMEOUT)])
      try {
        const connection = await raceSignal(this.#node.services.transports.dial(addr, { signal }), signal)
        await this.#gate.proven(connection, signal)
        return connection
      } catch (err) {
        failure = err
      }
    }
    throw failure
  }
}

function fresh(url: string, told: boolean): Relay {
  return {
    url,
    told,
    bootstrap: undefined,
    answers: false,
    failures: 0,
    connectedAt: undefined,
    timer: undefined,
    busy: false
  }
}
