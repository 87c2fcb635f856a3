import { setTimeout as delay } from 'node:timers/promises'
import type { Indexer } from './indexer.ts'
import { passagesOf } from './passages.ts'
import type { Store } from './store/store.ts'

export interface IndexUpkeepComponents {
  store: Store
  indexer: Indexer
}

/** Passages that get their vectors in one transaction; about half a second of work. */
const SLICE = 16
/** Milliseconds; what a document lacks after it follows in slices. */
const LONGEST_STEP = 30_000
/** Work and rest are equally long: the machine is lent, and an update is no reason to keep it busy for an hour. */
const REST = 1
/** Milliseconds until it is tried again when it failed, on a full disk for one. */
const RETRY = 30_000

/**
 * Brings the index up to date while others are served: documents that were indexed by another recipe are indexed anew,
 * one after the other, passages without a vector get one. What isn't done when the process ends goes on when it starts
 * again.
 */
export class IndexUpkeep {
  readonly #store: Store
  readonly #indexer: Indexer
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined
  #wake: () => void = () => undefined

  constructor({ store, indexer }: IndexUpkeepComponents) {
    this.#store = store
    this.#indexer = indexer
  }

  start(onError: (err: unknown) => void): void {
    this.#running ??= this.#run(onError)
  }

  /** There is something to do. */
  wake(): void {
    this.#wake()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    this.#wake()
    await this.#running
  }

  /** One document, or a slice of passages; false when there is nothing to do. */
  async step(): Promise<boolean> {
    const outdated = this.#store.outdated(this.#indexer.recipe)
    if (outdated != null) {
      const { collection, document } = outdated
      const passages = passagesOf(document.text)
      const enough = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(LONGEST_STEP)])
      const vectors = await this.#indexer.embed(document, passages, 'background', enough)
      if (this.#stop.signal.aborted) return true
      const index = await this.#indexer.index(document, passages, vectors)
      // it serves with what it was found by before until this moment
      if (this.#store.collection(collection) != null) this.#store.reindex(collection, document, index)
      return true
    }
    const pending = this.#store.pending(SLICE)
    if (pending.length === 0) return false
    const vectors = await this.#indexer.embedTitled(pending, 'background', this.#stop.signal)
    if (!this.#stop.signal.aborted) this.#store.fill(pending, vectors)
    return true
  }

  async #run(onError: (err: unknown) => void): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      const woken = new Promise<void>(resolve => {
        this.#wake = resolve
      })
      const began = performance.now()
      try {
        if (await this.step()) await pause(REST * (performance.now() - began), signal)
        else await woken
      } catch (err) {
        onError(err)
        await pause(RETRY, signal)
      }
    }
  }
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { ref: false, signal }).catch(() => undefined)
}
