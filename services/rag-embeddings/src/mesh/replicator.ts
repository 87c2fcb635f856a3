import { setTimeout as delay } from 'node:timers/promises'
import { ServiceError } from '@hedgerow/service-kit'
import type { StoredDocument } from '../store/document.ts'
import type { Store } from '../store/store.ts'
import type { FirstHolder } from './first-holder.ts'
import { TRUST } from './freshness.ts'
import type { Holders } from './holders.ts'
import type { Instances } from './instances.ts'
import { Neighbour, NeighbourError } from './neighbour.ts'
import { rendezvous } from './rendezvous.ts'

export interface ReplicatorComponents {
  store: Store
  holders: Holders
  /** undefined when the service runs on its own */
  instances: Instances | undefined
  firstHolder: FirstHolder
  log: { warn(fields: object, message: string): void }
}

export interface ReplicatorInit {
  self: string
  /** instances that should hold each collection */
  replicas: number
}

/**
 * Which instance is to do something with a collection: this one, or the first of `peers` that answers; `begin` means that
 * nobody holds it yet, and they are asked to.
 */
export type Place = { here: true } | { here: false; peers: string[]; begin: boolean }

interface Found {
  /** the likeliest to answer first */
  peers: string[]
  /** whether everyone was heard who might be one */
  sure: boolean
}

/** Instances asked at most when nobody advertises a collection. */
const ASK_MOST = 16

/** Finds the holders of a collection, brings writes to all of them, and finds new ones when there are too few. */
export class Replicator {
  readonly #store: Store
  readonly #holders: Holders
  readonly #instances: Instances | undefined
  readonly #firstHolder: FirstHolder
  readonly #log: ReplicatorComponents['log']
  readonly #self: string
  readonly #replicas: number

  constructor(
    { store, holders, instances, firstHolder, log }: ReplicatorComponents,
    { self, replicas }: ReplicatorInit
  ) {
    this.#store = store
    this.#holders = holders
    this.#instances = instances
    this.#firstHolder = firstHolder
    this.#log = log
    this.#self = self
    this.#replicas = replicas
  }

  /**
   * Where to do something with a collection. Reads: here if the copy is complete, else where there is a complete one,
   * else here if there is any. Changes: here if there is any copy, else at a holder; to add to a collection that nobody
   * holds, the first in rendezvous order becomes its first holder, wherever the document came in.
   */
  async place(collection: string, what: 'read' | 'add' | 'change'): Promise<Place> {
    const held = this.#store.collection(collection)
    if (held != null && (held.complete || what !== 'read')) return { here: true }
    const { peers, sure } = await this.#find(collection)
    if (peers.length > 0) return { here: false, peers, begin: false }
    if (held != null) return { here: true }
    if (what !== 'add') {
      if (sure) return { here: false, peers, begin: false }
      throw new ServiceError(503, 'NoHolder', 'an instance that may hold this collection does not answer now')
    }
    const instances = (await this.#refresh()).filter(peer => this.#holders.reachable(peer))
    const [first = this.#self] = rendezvous(collection, [this.#self, ...instances])
    if (first !== this.#self) return { here: false, peers: [first], begin: true }
    await this.#firstHolder.begin(collection)
    return { here: true }
  }

  /**
   * Brings a version that was written here to every other holder that can be reached, and to new ones if too few hold
   * the collection. When a holder isn't reached, it returns only after the time for which that one may answer questions
   * without asking here first.
   *
   * @returns the number of instances that have it on disk now, this one included
   */
  async spread(collection: string, document: StoredDocument): Promise<number> {
    const storedAt = Date.now()
    const instances = await this.#refresh()
    const tried = new Map<string, boolean>()
    await this.#bring(collection, document, tried)
    for (const peer of await this.#recruit(collection, instances, [document])) tried.set(peer, true)
    // a holder, new or old, may have named another that wasn't known here
    await this.#bring(collection, document, tried)
    const missed = this.#holders.of(collection).filter(peer => tried.get(peer) !== true)
    const trustEnds = missed.map(peer => Math.min(storedAt, this.#holders.lastAsked(peer)) + TRUST)
    const wait = Math.max(0, ...trustEnds.map(at => at - Date.now()))
    if (wait > 0) await delay(wait)
    return 1 + [...tried.values()].filter(took => took).length
  }

  /** Brings it to the holders that weren't tried, also those that become known on the way. */
  async #bring(collection: string, document: StoredDocument, tried: Map<string, boolean>): Promise<void> {
    for (;;) {
      const peers = this.#holders.of(collection).filter(peer => !tried.has(peer) && this.#holders.reachable(peer))
      if (peers.length === 0) return
      await Promise.all(
        peers.map(async peer => tried.set(peer, await this.#put(collection, peer, [document], { join: false })))
      )
    }
  }

  /** Finds new holders if too few hold the collection; they fetch what is in it by themselves. */
  async replenish(collection: string): Promise<number> {
    return (await this.#recruit(collection, await this.#refresh(), [])).length
  }

  /** @returns the new holders */
  async #recruit(collection: string, instances: readonly string[], documents: StoredDocument[]): Promise<string[]> {
    const holders = new Set(this.#holders.of(collection))
    const candidates = rendezvous(
      collection,
      instances.filter(peer => !holders.has(peer) && this.#holders.reachable(peer))
    )
    let wanted = this.#replicas - 1 - holders.size
    const recruited: string[] = []
    for (const peer of candidates) {
      if (wanted <= 0) break
      if (!(await this.#put(collection, peer, documents, { join: true }))) continue
      wanted--
      recruited.push(peer)
    }
    return recruited
  }

  async #put(collection: string, peer: string, documents: StoredDocument[], how: { join: boolean }): Promise<boolean> {
    const digest = this.#store.collection(collection)?.complete === true ? this.#store.digest(collection) : undefined
    try {
      const others = await new Neighbour(peer, this.#self).put(collection, documents, { ...how, digest })
      this.#holders.proved(collection, peer)
      this.#holders.heard(collection, others)
      return true
    } catch (err) {
      if (!(err instanceof NeighbourError)) throw err
      this.#log.warn({ err, peer, collection }, 'a write did not reach another instance')
      if (err.notHolder) this.#holders.denied(collection, peer)
      else if (err.unreachable) this.#holders.failed(peer)
      return false
    }
  }

  /** Peers that exist now. */
  async #refresh(): Promise<string[]> {
    const instances = (await this.#instances?.others()) ?? []
    this.#holders.advertised(
      instances,
      this.#store.collections().map(({ name }) => name)
    )
    return instances.map(({ peer }) => peer)
  }

  /**
   * Holders that nobody advertises yet, for when those that are advertised don't answer: a copy is made in a moment,
   * and an advert takes seconds to get around.
   */
  async unadvertised(collection: string, tried: readonly string[]): Promise<string[]> {
    const everyone = ((await this.#instances?.others()) ?? []).map(({ peer }) => peer)
    const untried = everyone.filter(peer => !tried.includes(peer))
    return (await this.#ask(collection, untried)).peers
  }

  /** Holders other than this instance, those within reach first. */
  async #find(collection: string): Promise<Found> {
    const instances = (await this.#instances?.others()) ?? []
    const advertised = instances.filter(({ collections }) => collections.has(collection)).map(({ peer }) => peer)
    if (advertised.length === 0) {
      return this.#ask(
        collection,
        instances.map(({ peer }) => peer)
      )
    }
    const peers = shuffle(advertised).sort(
      (a, b) => Number(this.#holders.reachable(b)) - Number(this.#holders.reachable(a))
    )
    return { peers, sure: true }
  }

  /** Asks everyone, complete copies first; an incomplete one is better than none. */
  async #ask(collection: string, everyone: readonly string[]): Promise<Found> {
    const answers = await Promise.all(
      everyone.slice(0, ASK_MOST).map(async peer => {
        try {
          const held = await new Neighbour(peer, this.#self).held()
          return { peer, copy: held.find(({ name }) => name === collection), answered: true }
        } catch (err) {
          if (err instanceof NeighbourError) return { peer, copy: undefined, answered: false }
          throw err
        }
      })
    )
    const holders = answers.flatMap(({ peer, copy }) => (copy == null ? [] : [{ peer, complete: copy.complete }]))
    return {
      peers: holders.sort((a, b) => Number(b.complete) - Number(a.complete)).map(({ peer }) => peer),
      sure: answers.length === everyone.length && answers.every(({ answered }) => answered)
    }
  }
}

/** Readers spread over the holders. */
function shuffle(peers: readonly string[]): string[] {
  return peers
    .map(peer => ({ peer, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ peer }) => peer)
}
