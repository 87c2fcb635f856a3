import { readMultiaddr } from '@hedgerow/protocols/address'
import type { View } from '@hedgerow/protocols/view'
import type { Libp2p, PeerId } from '@libp2p/interface'
import type { TransportManager } from '@libp2p/interface-internal'
import { CODE_WEBRTC, type Multiaddr } from '@multiformats/multiaddr'
import type { Logger } from 'pino'

export interface DirectWaysComponents {
  node: Pick<Libp2p, 'getConnections'> & { services: { transports: Pick<TransportManager, 'dial'> } }
  view: Pick<View, 'peer'>
  log: Pick<Logger, 'info' | 'debug'>
  /** milliseconds, of a clock that never goes back */
  now(): number
  /** from 0 to 1 */
  random(): number
}

/** Peers to which a direct way is looked for at once: each takes native connections, with threads and sockets. */
const MAX_AT_ONCE = 2
/** Milliseconds for one try. ICE alone takes some seconds to see that there is no way. */
const TIMEOUT = 15_000
/** Pauses before a try that failed is made again double from the one to the other; networks change. */
const FIRST_BACKOFF = 30_000
const MAX_BACKOFF = 15 * 60_000
/** Relays over which one peer is asked to meet; strangers write its addresses. */
const MAX_ADDRS = 2
/** Peers of which is remembered that there was no way. */
const MAX_REMEMBERED = 1000

interface Attempt {
  failures: number
  /** not tried again before */
  next: number
}

/**
 * Direct ways to peers that are reached over a relay: when a request goes that way, the two try to meet by WebRTC, which the relay
 * introduces and the NATs between them may let through (ICE, RFC 8445). Nothing waits for it; requests take it once it
 * is there. Only peers that requests go to are worth it.
 */
export class DirectWays {
  readonly #components: DirectWaysComponents
  readonly #stopped = new AbortController()
  /** by peer id, the oldest first */
  readonly #attempts = new Map<string, Attempt>()
  readonly #under = new Set<string>()

  constructor(components: DirectWaysComponents) {
    this.#components = components
  }

  stop(): void {
    this.#stopped.abort()
  }

  /** A request goes to this peer over a relay. */
  want(peer: PeerId): void {
    const id = peer.toString()
    const { node, now } = this.#components
    if (this.#under.has(id) || this.#under.size >= MAX_AT_ONCE || now() < (this.#attempts.get(id)?.next ?? 0)) return
    if (this.#stopped.signal.aborted) return
    if (node.getConnections(peer).some(({ status, limits }) => status === 'open' && limits == null)) return
    const addrs = this.#addrsOf(id)
    if (addrs.length === 0) return
    this.#under.add(id)
    void this.#try(id, addrs).finally(() => this.#under.delete(id))
  }

  #addrsOf(id: string): Multiaddr[] {
    const addrs = this.#components.view.peer(id)?.advert.addrs ?? []
    return addrs
      .flatMap(addr => readMultiaddr(addr) ?? [])
      .filter(addr => addr.getComponents().some(({ code }) => code === CODE_WEBRTC))
      .slice(0, MAX_ADDRS)
  }

  async #try(id: string, addrs: Multiaddr[]): Promise<void> {
    const { node, log } = this.#components
    this.#remember(id)
    for (const addr of addrs) {
      try {
        const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(TIMEOUT)])
        await node.services.transports.dial(addr, { signal })
        this.#attempts.delete(id)
        log.info({ peer: id }, 'reached directly, by WebRTC')
        return
      } catch (err) {
        if (this.#stopped.signal.aborted) return
        log.debug({ err, peer: id, addr: addr.toString() }, 'no direct way')
      }
    }
  }

  #remember(id: string): void {
    const { now, random } = this.#components
    const failures = this.#attempts.get(id)?.failures ?? 0
    const pause = Math.min(MAX_BACKOFF, FIRST_BACKOFF * 2 ** Math.min(failures, 16)) * (0.75 + random() / 2)
    this.#attempts.delete(id)
    this.#attempts.set(id, { failures: failures + 1, next: now() + pause })
    const [oldest] = this.#attempts.keys()
    if (this.#attempts.size > MAX_REMEMBERED && oldest != null) this.#attempts.delete(oldest)
  }
}
