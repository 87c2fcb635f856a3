import { setTimeout as delay } from 'node:timers/promises'
import type { Copies } from '../store/copies.ts'
import type { Store } from '../store/store.ts'
import type { CopyComparison, Outcome } from './compare-copies.ts'
import type { FirstHolder } from './first-holder.ts'
import type { Holders } from './holders.ts'
import type { Instances } from './instances.ts'
import { Neighbour } from './neighbour.ts'
import { rendezvous } from './rendezvous.ts'
import type { Replicator } from './replicator.ts'

export interface UpkeepComponents {
  store: Store
  copies: Copies
  holders: Holders
  instances: Instances | undefined
  comparison: CopyComparison
  replicator: Replicator
  firstHolder: FirstHolder
  log: { info(fields: object, message: string): void; error(fields: object, message: string): void }
}

export interface UpkeepInit {
  self: string
  replicas: number
  /** milliseconds between comparisons with the other holders, on average */
  compareEvery: number
  /** milliseconds */
  holderGrace: number
  /** milliseconds */
  tombstoneLife: number
}

/** A look at who is there costs one call on this machine. Milliseconds, or a fifth of the comparison interval. */
const LOOK_EVERY = 2000
/** At start: how long to wait for those who held the same collections before. Milliseconds. */
const WAIT_FOR_HOLDERS = 3000
const WAIT_STEP = 100
/** Comparisons in a row that must find more holders than needed, all equal, before one of them lets go. */
const SHED_AFTER = 6
/** Milliseconds */
const STOP_WITHIN = 2000
const FORGET_EVERY = 60 * 60 * 1000

/**
 * Keeps the copies of this instance's collections equal and enough in number: catches up before the service says it is
 * healthy, compares with the other holders from time to time and whenever one appears, replaces holders that are gone,
 * and lets a copy go when there have been too many for a while.
 */
export class Upkeep {
  readonly #parts: UpkeepComponents
  readonly #init: UpkeepInit
  readonly #stop = new AbortController()
  readonly #nextComparison = new Map<string, number>()
  readonly #lastSeen = new Map<string, Set<string>>()
  readonly #surplus = new Map<string, number>()
  /** collections without a complete copy in sight, and since when */
  readonly #orphanedAt = new Map<string, number>()
  #nextForget = 0
  #running: Promise<void> | undefined
  #caughtUp = false

  constructor(components: UpkeepComponents, init: UpkeepInit) {
    this.#parts = components
    this.#init = init
  }

  /** Whether this instance has caught up since it started. */
  get caughtUp(): boolean {
    return this.#caughtUp
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Returns when nothing is going on any more, or after a short while. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await Promise.race([this.#running, delay(STOP_WITHIN, undefined, { ref: false })])
  }

  /** Compares with the other holders at the next look, and looks at once. */
  soon(collection: string): void {
    this.#nextComparison.set(collection, 0)
    this.#wake()
  }

  /** Compares with every other holder now. */
  async compare(collection: string): Promise<Map<string, Outcome>> {
    const { comparison, holders } = this.#parts
    const peers = holders.worthAsking(collection)
    const outcomes = await Promise.all(
      peers.map(peer => comparison.run(collection, new Neighbour(peer, this.#init.self)))
    )
    return new Map(peers.map((peer, i) => [peer, outcomes[i] ?? 'unreachable']))
  }

  #wake: () => void = () => undefined

  async #run(): Promise<void> {
    const { log } = this.#parts
    await this.#catchUp().catch((err: unknown) => log.error({ err }, 'catching up failed'))
    this.#caughtUp = true
    while (!this.#stop.signal.aborted) {
      const woken = new Promise<void>(resolve => {
        this.#wake = resolve
      })
      await this.#look().catch((err: unknown) => log.error({ err }, 'upkeep failed'))
      const pause = Math.min(LOOK_EVERY, this.#init.compareEvery / 5)
      await Promise.race([woken, delay(pause, undefined, { signal: this.#stop.signal, ref: false })]).catch(
        () => undefined
      )
    }
  }

  /** Waits a little for those who held the same collections when this instance was last up, and compares with them. */
  async #catchUp(): Promise<void> {
    const { store, copies, instances, log } = this.#parts
    if (instances == null) return
    const waitFor = new Map(
      store
        .collections()
        .map(({ name }) => [name, copies.of(name).map(({ peer }) => peer)] as const)
        .filter(([, peers]) => peers.length > 0)
    )
    const deadline = Date.now() + WAIT_FOR_HOLDERS
    while (waitFor.size > 0 && Date.now() < deadline && !this.#stop.signal.aborted) {
      for (const { peer, collections } of await this.#refresh()) {
        for (const [name, peers] of waitFor) if (peers.includes(peer) && collections.has(name)) waitFor.delete(name)
      }
      if (waitFor.size > 0) await delay(WAIT_STEP, undefined, { ref: false })
    }
    await this.#refresh()
    for (const { name } of store.collections()) {
      const outcomes = await this.compare(name)
      log.info({ collection: name, outcomes: Object.fromEntries(outcomes) }, 'caught up')
    }
  }

  async #refresh(): ReturnType<Instances['others']> {
    const { store, holders, instances } = this.#parts
    const others = (await instances?.others()) ?? []
    holders.advertised(
      others,
      store.collections().map(({ name }) => name)
    )
    return others
  }

  async #look(): Promise<void> {
    const { store, holders, instances } = this.#parts
    this.#forgetOld()
    if (instances == null) return
    const everyone = (await this.#refresh()).map(({ peer }) => peer)
    for (const { name } of store.collections()) {
      if (this.#stop.signal.aborted) return
      // whoever appears may be a holder with news, or be wanted as one
      const seen = new Set([...everyone, ...holders.worthAsking(name)])
      const before = this.#lastSeen.get(name) ?? new Set()
      this.#lastSeen.set(name, seen)
      const somebodyNew = [...seen].some(peer => !before.has(peer))
      if (!somebodyNew && Date.now() < (this.#nextComparison.get(name) ?? 0)) continue
      // jittered, so that two holders don't keep asking each other at the same moment
      this.#nextComparison.set(name, Date.now() + this.#init.compareEvery * (0.75 + Math.random() / 2))
      await this.#tend(name)
    }
  }

  async #tend(name: string): Promise<void> {
    const { store, replicator, firstHolder, log } = this.#parts
    // where a copy isn't complete, anyone may have what it lacks
    const complete = store.collection(name)?.complete === true
    const outcomes = await (complete ? this.compare(name) : firstHolder.settle(name))
    this.#adoptOrphan(name, outcomes)
    if (store.collection(name)?.complete === true) {
      const recruited = await replicator.replenish(name)
      if (recruited > 0) log.info({ collection: name, recruited }, 'found new holders')
    }
    await this.#shed(name, outcomes)
  }

  /** A copy that was never completed, with no complete one anywhere for a while, is the best there is. */
  #adoptOrphan(name: string, outcomes: ReadonlyMap<string, Outcome>): void {
    const { store, holders, log } = this.#parts
    const behind = holders.of(name).some(peer => outcomes.get(peer) !== 'equal' && outcomes.get(peer) !== 'caught-up')
    if (store.collection(name)?.complete !== false || behind) {
      this.#orphanedAt.delete(name)
      return
    }
    const since = this.#orphanedAt.get(name) ?? Date.now()
    this.#orphanedAt.set(name, since)
    if (Date.now() - since < this.#init.holderGrace) return
    store.markComplete(name)
    this.#orphanedAt.delete(name)
    log.info({ collection: name }, 'no complete copy is left: this one serves with what it got')
  }

  /**
   * Lets the copy go if there are more holders than needed and this is the last of them in rendezvous order. All must
   * have been equal for several comparisons and be so at this moment. The first in that order never lets go, so
   * whatever everyone believes, one copy stays.
   */
  async #shed(name: string, outcomes: ReadonlyMap<string, Outcome>): Promise<void> {
    const { store, log } = this.#parts
    const { self, replicas } = this.#init
    const equal = [...outcomes].filter(([, outcome]) => outcome === 'equal').map(([peer]) => peer)
    const order = rendezvous(name, [self, ...equal])
    if (equal.length < outcomes.size || order.length <= replicas || order.at(-1) !== self) {
      this.#surplus.delete(name)
      return
    }
    const rounds = (this.#surplus.get(name) ?? 0) + 1
    this.#surplus.set(name, rounds)
    if (rounds < SHED_AFTER) return
    const digests = await Promise.all(
      order.slice(0, replicas).map(peer => new Neighbour(peer, self).digest(name).catch(() => undefined))
    )
    // no await from here on: nothing is written in between
    const mine = store.digest(name)
    if (!digests.every(theirs => theirs?.complete === true && theirs.digest === mine)) return
    store.dropCollection(name)
    this.#forgetCollection(name)
    log.info({ collection: name, holders: order.slice(0, replicas) }, 'let a surplus copy go')
  }

  #forgetCollection(name: string): void {
    for (const map of [this.#surplus, this.#lastSeen, this.#nextComparison, this.#orphanedAt]) map.delete(name)
  }

  #forgetOld(): void {
    const now = Date.now()
    if (now < this.#nextForget) return
    this.#nextForget = now + FORGET_EVERY
    const { store, copies, log } = this.#parts
    const forgotten = store.forgetTombstones(now - this.#init.tombstoneLife)
    copies.forget(now - 3 * this.#init.tombstoneLife)
    if (forgotten > 0) log.info({ forgotten }, 'forgot old tombstones')
  }
}
