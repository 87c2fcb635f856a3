import type { Documents } from '../documents.ts'
import type { Copies } from '../store/copies.ts'
import type { StoredDocument } from '../store/document.ts'
import { compare, type Entry } from '../store/merge.ts'
import type { Store } from '../store/store.ts'
import type { Holders } from './holders.ts'
import type { Digest } from './messages.ts'
import { batches, type Neighbour, NeighbourError } from './neighbour.ts'

export interface CopyComparisonComponents {
  store: Store
  copies: Copies
  documents: Documents
  holders: Holders
}

export interface CopyComparisonInit {
  /** milliseconds */
  tombstoneLife: number
  now?: () => number
}

/**
 * `equal` now, whatever it took; `caught-up`: all that the other had when it was asked is here, and it has gone on since;
 * `different`: something of it could not be had; the other is `not-holder` or `unreachable`.
 */
export type Outcome = 'equal' | 'caught-up' | 'different' | 'not-holder' | 'unreachable'

/** What was refused once is not asked for again so soon, as long as neither copy changes. Milliseconds. */
const REFUSED_FOR = 10_000

/** Makes the copy here and the one at another instance equal, in both directions. */
export class CopyComparison {
  readonly #parts: CopyComparisonComponents
  readonly #tombstoneLife: number
  readonly #now: () => number
  /** collection and peer → the two copies of which some documents may not pass from one to the other */
  readonly #refused = new Map<string, { digests: string; at: number }>()

  constructor(components: CopyComparisonComponents, { tombstoneLife, now = Date.now }: CopyComparisonInit) {
    this.#parts = components
    this.#tombstoneLife = tombstoneLife
    this.#now = now
  }

  async run(collection: string, neighbour: Neighbour): Promise<Outcome> {
    const { store, copies, holders } = this.#parts
    try {
      let theirs = await neighbour.digest(collection)
      holders.proved(collection, neighbour.peer)
      holders.heard(collection, theirs.holders)
      if (theirs.digest !== store.digest(collection)) {
        if (!(await this.#exchangeAll(collection, neighbour, theirs))) return 'different'
        if (theirs.complete) store.markComplete(collection)
        theirs = await neighbour.digest(collection)
      }
      if (theirs.digest !== store.digest(collection)) return 'caught-up'
      copies.setEqual(collection, { peer: neighbour.peer, incarnation: theirs.incarnation, equalAt: this.#now() })
      if (theirs.complete) store.markComplete(collection)
      return 'equal'
    } catch (err) {
      if (!(err instanceof NeighbourError)) throw err
      if (err.notHolder) {
        holders.denied(collection, neighbour.peer)
        copies.remove(collection, neighbour.peer)
        return 'not-holder'
      }
      if (!err.unreachable) return 'different'
      holders.failed(neighbour.peer)
      return 'unreachable'
    }
  }

  async #exchangeAll(collection: string, neighbour: Neighbour, theirs: Digest): Promise<boolean> {
    const pair = `${collection}\n${neighbour.peer}`
    const digests = `${this.#parts.store.digest(collection)}\n${theirs.digest}`
    const before = this.#refused.get(pair)
    if (before?.digests === digests && this.#now() - before.at < REFUSED_FOR) return false
    this.#refused.delete(pair)
    if (await this.#exchange(collection, neighbour, theirs.incarnation)) return true
    this.#refused.set(pair, {
      digests: `${this.#parts.store.digest(collection)}\n${theirs.digest}`,
      at: this.#now()
    })
    return false
  }

  /** @returns whether both may have all of it */
  async #exchange(collection: string, neighbour: Neighbour, incarnation: string): Promise<boolean> {
    const { store, copies } = this.#parts
    const theirs = await neighbour.entries(collection)
    const mine = store.entries(collection, '', Number.MAX_SAFE_INTEGER)
    const { pull, push, drop } = compare(mine, theirs, {
      equalAt: copies.equalAt(collection, neighbour.peer, incarnation),
      now: this.#now(),
      tombstoneLife: this.#tombstoneLife
    })
    for (const id of drop) store.forget(collection, id)
    let all = true
    for (const [dataClass, ids] of byClass(pull, theirs)) {
      all = (await unlessRefused(() => this.#pull(collection, neighbour, ids, dataClass))) && all
    }
    for (const batch of batches(present(store, collection, push))) {
      all = (await unlessRefused(() => neighbour.put(collection, batch, { join: false }))) && all
    }
    return all
  }

  async #pull(collection: string, neighbour: Neighbour, ids: string[], dataClass: string | undefined): Promise<void> {
    for (let wanted = ids; wanted.length > 0; ) {
      const got = await neighbour.fetch(collection, wanted, dataClass)
      for (const document of got) await this.#parts.documents.take(collection, document)
      const came = new Set(got.map(({ id }) => id))
      const rest = wanted.filter(id => !came.has(id))
      // none of them: they went away between the two questions
      if (rest.length === wanted.length) break
      wanted = rest
    }
  }
}

/** A worker that may not see a data class is refused the documents of that class, and gets the others. */
async function unlessRefused(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (err) {
    if (!(err instanceof NeighbourError) || err.unreachable || err.notHolder) throw err
    return false
  }
}

function byClass(ids: readonly string[], entries: ReadonlyMap<string, Entry>): Map<string | undefined, string[]> {
  return Map.groupBy(ids, id => entries.get(id)?.data_class)
}

function* present(store: Store, collection: string, ids: readonly string[]): Generator<StoredDocument> {
  for (const id of ids) {
    const document = store.getToSend(collection, id)
    if (document != null) yield document
  }
}
