import type { View } from '@hedgerow/protocols/view'
import type { Libp2p } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Logger } from 'pino'
import { learnAddrs } from './addresses.ts'

export interface RelaysComponents {
  node: Libp2p
  view: Pick<View, 'peer' | 'peers'>
  log: Logger
  /** milliseconds, of a clock that never goes back */
  now(): number
  /** from 0 to 1 */
  random(): number
}

export interface RelaysInit {
  /** how many relays to stay connected to */
  wanted: number
}

/** Milliseconds between two looks at whether there are enough. */
const CHECK_INTERVAL = 2000
/** Pauses before a relay that couldn't be dialled is tried again double from the one to the other. */
const FIRST_BACKOFF = 2000
const MAX_BACKOFF = 30_000

interface Attempt {
  failures: number
  next: number
}

/**
 * Stays connected to some relays of the mesh, whichever this peer was told of: adverts say which there are. So those that
 * are left are enough when some die, also for a peer that was started with one of the dead.
 */
export class Relays {
  readonly #components: RelaysComponents
  readonly #wanted: number
  readonly #stopped = new AbortController()
  /** by peer id; of those alone that are in the view, which is bounded */
  readonly #attempts = new Map<string, Attempt>()
  #timer: NodeJS.Timeout | undefined

  constructor(components: RelaysComponents, { wanted }: RelaysInit) {
    this.#components = components
    this.#wanted = wanted
  }

  start(): void {
    this.#timer = setInterval(() => this.#check(), CHECK_INTERVAL)
    this.#timer.unref()
  }

  stop(): void {
    this.#stopped.abort()
    clearInterval(this.#timer)
  }

  #check(): void {
    const { node, view, now, random } = this.#components
    const direct = node.getConnections().filter(({ status, limits }) => status === 'open' && limits == null)
    const connected = new Set(direct.map(({ remotePeer }) => remotePeer.toString()))
    const relays = [...view.peers()].flatMap(({ advert: { role, peerId } }) => (role === 'relay' ? [peerId] : []))
    const known = new Set(relays)
    for (const peerId of this.#attempts.keys())
      if (!known.has(peerId) || connected.has(peerId)) this.#attempts.delete(peerId)
    const missing = this.#wanted - relays.filter(peerId => connected.has(peerId)).length
    if (missing <= 0) return
    const self = node.peerId.toString()
    const candidates = relays
      .filter(peerId => peerId !== self && !connected.has(peerId) && now() >= (this.#attempts.get(peerId)?.next ?? 0))
      // Not the same ones for everybody: each has room for so many.
      .map(peerId => ({ peerId, rank: random() }))
      .sort((a, b) => a.rank - b.rank)
    for (const { peerId } of candidates.slice(0, missing)) this.#dial(peerId)
  }

  #dial(peerId: string): void {
    const { node, view, log, now, random } = this.#components
    const failures = this.#attempts.get(peerId)?.failures ?? 0
    const pause = Math.min(MAX_BACKOFF, FIRST_BACKOFF * 2 ** failures) * (0.75 + random() / 2)
    this.#attempts.set(peerId, { failures: failures + 1, next: now() + pause })
    learnAddrs(node, view, peerId)
      .then(() => node.dial(peerIdFromString(peerId), { signal: this.#stopped.signal }))
      .then(() => log.info({ relay: peerId }, 'connected to another relay'))
      .catch(err => log.debug({ err, relay: peerId }, 'another relay could not be dialled'))
  }
}
