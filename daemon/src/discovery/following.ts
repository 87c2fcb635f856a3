import type { Finder } from '@hedgerow/protocols/dispatch'
import type { View } from '@hedgerow/protocols/view'
import type { Libp2p } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Logger } from 'pino'
import { learnAddrs } from './addresses.ts'
import type { Gossip } from './gossip.ts'

export interface FollowingComponents {
  node: Libp2p
  gossip: Gossip
  finder: Finder
  view: View
  log: Logger
}

export interface FollowingInit {
  /** follow every service of the mesh, as relays do, rather than those in use. @default false */
  all?: boolean
}

/** Milliseconds between two background looks into the DHT for a followed service. */
const REFRESH_INTERVAL = 60_000
const REFRESH_TIMEOUT = 20_000
/** Milliseconds after its last use at which a service is followed no more. */
const UNUSED_AFTER = 15 * 60_000
/** Services followed at once: each is a gossip topic with its own mesh of peers. */
const MAX_FOLLOWED = 128
/** Workers of a followed service to which a connection is kept open. */
const KEEP_CONNECTED = 8
/** Milliseconds before a worker that couldn't be dialled is tried again. */
const REDIAL_AFTER = 15_000
const MAX_DIALS_REMEMBERED = 4096

/**
 * Which services this peer listens for, and that it is connected to some of their workers: so the first request to a
 * service it uses finds a fresh view and an open connection. What it doesn't use costs it nothing.
 */
export class Following {
  readonly #node: Libp2p
  readonly #gossip: Gossip
  readonly #finder: Finder
  readonly #view: View
  readonly #log: Logger
  readonly #all: boolean
  readonly #stopped = new AbortController()
  /** service to when it was last used; Infinity = for good */
  readonly #used = new Map<string, number>()
  readonly #dials = new Map<string, number>()
  #unwatch: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined

  constructor({ node, gossip, finder, view, log }: FollowingComponents, init: FollowingInit = {}) {
    this.#node = node
    this.#gossip = gossip
    this.#finder = finder
    this.#view = view
    this.#log = log
    this.#all = init.all ?? false
  }

  start(): void {
    this.#unwatch = this.#view.addListener(change => {
      if (change.type === 'peer') this.#onPeer(change.peerId)
    })
    this.#timer = setInterval(() => this.#refresh(), REFRESH_INTERVAL)
    this.#timer.unref()
  }

  stop(): void {
    this.#stopped.abort()
    this.#unwatch?.()
    clearInterval(this.#timer)
  }

  /** A request for the service came by: follow it for a while. */
  use(service: string): void {
    if (this.#used.has(service)) {
      if (this.#used.get(service) !== Number.POSITIVE_INFINITY) this.#used.set(service, Date.now())
      return
    }
    if (this.#view.resolve(service) !== service) return
    this.#follow(service, Date.now())
  }

  /** Follows the service for as long as this peer runs. */
  pin(service: string): void {
    if (this.#used.has(service)) this.#used.set(service, Number.POSITIVE_INFINITY)
    else this.#follow(service, Number.POSITIVE_INFINITY)
  }

  #follow(service: string, at: number): void {
    if (this.#used.size >= MAX_FOLLOWED && at !== Number.POSITIVE_INFINITY) return
    this.#used.set(service, at)
    if (this.#gossip.follow(service)) this.#log.debug({ service }, 'following')
    this.#connect(service)
    this.#look(service)
  }

  #onPeer(peerId: string): void {
    for (const { contract } of this.#view.peer(peerId)?.advert.services ?? []) {
      if (this.#all && !this.#used.has(contract.name)) this.#follow(contract.name, Date.now())
      else if (this.#used.has(contract.name)) this.#connect(contract.name)
    }
  }

  #refresh(): void {
    for (const [service, usedAt] of this.#used) {
      // What nobody offers any more makes room: names of services are anybody's to make up.
      if (this.#all && usedAt !== Number.POSITIVE_INFINITY && this.#view.candidates(service).length > 0)
        this.#used.set(service, Date.now())
      else if (Date.now() - usedAt > UNUSED_AFTER) {
        this.#used.delete(service)
        this.#gossip.unfollow(service)
        continue
      }
      this.#look(service)
      this.#connect(service)
    }
  }

  #look(service: string): void {
    const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(REFRESH_TIMEOUT)])
    this.#finder.find(service, signal).catch(err => this.#log.debug({ err, service }, 'the look into the DHT failed'))
  }

  #connect(service: string): void {
    const connected = new Set(this.#node.getPeers().map(peer => peer.toString()))
    const candidates = this.#view
      .candidates(service)
      .map(({ peerId }) => peerId)
      .filter(peerId => peerId !== this.#node.peerId.toString())
    let wanted = KEEP_CONNECTED - candidates.filter(peerId => connected.has(peerId)).length
    for (const peerId of candidates) {
      if (wanted <= 0) return
      if (connected.has(peerId) || Date.now() - (this.#dials.get(peerId) ?? 0) < REDIAL_AFTER) continue
      wanted--
      this.#dial(peerId)
    }
  }

  #dial(peerId: string): void {
    if (this.#dials.size >= MAX_DIALS_REMEMBERED) this.#dials.clear()
    this.#dials.set(peerId, Date.now())
    learnAddrs(this.#node, this.#view, peerId)
      .then(() => this.#node.dial(peerIdFromString(peerId), { signal: this.#stopped.signal }))
      .catch(err => this.#log.debug({ err, peer: peerId }, 'a worker could not be dialled'))
  }
}
