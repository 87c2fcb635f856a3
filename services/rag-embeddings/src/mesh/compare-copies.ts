import type { Documents } from '../documents.ts'
import type { Copies } from '../store/copies.ts'
import type { StoredDocument } from '../store/document.ts'
import { compare, type Entry } from '../store/merge.ts'
import type { Store } from '../store/store.ts'
import type { Holders } from './holders.ts'
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

/** `equal` now, whatever it took; `different` still; the other is `not-holder` or `unreachable` */
export type Outcome = 'equal' | 'different' | 'not-holder' | 'unreachable'

/** Makes the copy here and the one at another instance equal, in both directions. */
export class CopyComparison {
  readonly #parts: CopyComparisonComponents
  readonly #tombstoneLife: number
  readonly #now: () => number

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
      if (theirs.digest !== store.digest(collection)) {
        await this.#exchange(collection, neighbour, theirs.incarnation)
        theirs = await neighbour.digest(collection)
      }
      if (theirs.digest !== store.digest(collection)) return 'different'
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

  async #exchange(collection: string, neighbour: Neighbour, incarnation: string): Promise<void> {
    const { store, copies } = this.#parts
    const theirs = await neighbour.entries(collection)
    const mine = store.entries(collection, '', Number.MAX_SAFE_INTEGER)
    const { pull, push, drop } = compare(mine, theirs, {
      equalAt: copies.equalAt(collection, neighbour.peer, incarnation),
      now: this.#now(),
      tombstoneLife: this.#tombstoneLife
    })
    for (const id of drop) store.forget(collection, id)
    for (const [dataClass, ids] of byClass(pull, theirs)) {
      await unlessRefused(() => this.#pull(collection, neighbour, ids, dataClass))
    }
    for (const batch of batches(present(store, collection, push))) {
      await unlessRefused(() => neighbour.put(collection, batch, { join: false }))
    }
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
async function unlessRefused(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (err) {
    if (!(err instanceof NeighbourError) || err.unreachable || err.notHolder) throw err
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
