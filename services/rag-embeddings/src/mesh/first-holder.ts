import type { Store } from '../store/store.ts'
import type { CopyComparison, Outcome } from './compare-copies.ts'
import type { Instances } from './instances.ts'
import { Neighbour } from './neighbour.ts'

export interface FirstHolderComponents {
  store: Store
  /** undefined when the service runs on its own */
  instances: Instances | undefined
  comparison: CopyComparison
}

/**
 * Begins collections that nobody seems to hold. Several instances may do so at the same time; each makes its copy before
 * it asks the others, so of two of them at least one finds the other, and tells it by asking. A copy counts as complete
 * when every instance has answered and it has what the others have; they bring it their writes from then on.
 */
export class FirstHolder {
  readonly #parts: FirstHolderComponents
  readonly #self: string
  readonly #beginning = new Map<string, Promise<void>>()

  constructor(components: FirstHolderComponents, { self }: { self: string }) {
    this.#parts = components
    this.#self = self
  }

  /** Makes this instance a holder. Returns when every other instance in reach was asked whether it is one too. */
  async begin(collection: string): Promise<void> {
    const { store } = this.#parts
    if (store.collection(collection) == null) {
      store.ensureCollection(collection, { complete: false })
      const settling = this.settle(collection).then(
        () => undefined,
        () => undefined
      )
      this.#beginning.set(collection, settling)
      void settling.then(() => this.#beginning.delete(collection))
    }
    await this.begun(collection)
  }

  /** Waits while this instance is about to become the first holder. */
  async begun(collection: string): Promise<void> {
    await this.#beginning.get(collection)
  }

  /** Compares with everyone; the copy here is complete when all have answered and none has more. */
  async settle(collection: string): Promise<ReadonlyMap<string, Outcome>> {
    const { store, instances, comparison } = this.#parts
    const peers = ((await instances?.others()) ?? []).map(({ peer }) => peer)
    const outcomes = new Map<string, Outcome>()
    await Promise.all(
      peers.map(async peer => outcomes.set(peer, await comparison.run(collection, new Neighbour(peer, this.#self))))
    )
    if ([...outcomes.values()].every(outcome => outcome !== 'different' && outcome !== 'unreachable')) {
      store.markComplete(collection)
    }
    return outcomes
  }
}
