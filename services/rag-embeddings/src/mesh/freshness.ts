import { setTimeout as delay } from 'node:timers/promises'
import type { Store } from '../store/store.ts'
import type { CopyComparison, Outcome } from './compare-copies.ts'
import type { Holders } from './holders.ts'
import { Neighbour } from './neighbour.ts'

/**
 * A copy that was compared with all the others answers for so long without asking them again. A write that doesn't reach
 * a holder is acknowledged only when this holder's trust in its copy has run out. Milliseconds.
 */
export const TRUST = 1000

/** A reader waits no longer for what a copy lacks. Milliseconds, less than a reader elsewhere waits for this instance. */
const PATIENCE = 2500

export interface FreshnessComponents {
  store: Store
  holders: Holders
  comparison: CopyComparison
  log: { warn(fields: object, message: string): void }
}

interface Check {
  /** before the first question was sent: what was acknowledged until then is in the copy after it */
  from: number
  sure: Promise<boolean>
}

/** Sees to it that a copy holds every write that was acknowledged, before it answers a question. */
export class Freshness {
  readonly #parts: FreshnessComponents
  readonly #self: string
  readonly #checks = new Map<string, Check>()

  constructor(components: FreshnessComponents, { self }: { self: string }) {
    this.#parts = components
    this.#self = self
  }

  /**
   * Returns when the copy here has what the other holders have; at once if that was so a moment ago.
   *
   * @returns false when a holder couldn't be asked, or the copy was never complete: something may be missing
   */
  async ensure(collection: string): Promise<boolean> {
    const known = this.#checks.get(collection)
    if (known != null && Date.now() - known.from < TRUST && (await known.sure)) return true
    for (const [name, { from }] of this.#checks) if (Date.now() - from > TRUST) this.#checks.delete(name)
    const late = delay(PATIENCE, false, { ref: false })
    const check = { from: Date.now(), sure: Promise.race([this.#askAll(collection), late]) }
    this.#checks.set(collection, check)
    return check.sure
  }

  async #askAll(collection: string): Promise<boolean> {
    const { store, holders } = this.#parts
    const outcomes = new Map<string, Outcome>()
    // one holder may name another that isn't known here yet
    for (;;) {
      const peers = holders.worthAsking(collection).filter(peer => !outcomes.has(peer))
      if (peers.length === 0) break
      await Promise.all(peers.map(async peer => outcomes.set(peer, await this.#ask(collection, peer))))
    }
    const heardAll = holders.mayHold(collection).every(peer => {
      const outcome = outcomes.get(peer)
      return outcome === 'equal' || outcome === 'caught-up' || outcome === 'not-holder'
    })
    return heardAll && store.collection(collection)?.complete === true
  }

  async #ask(collection: string, peer: string): Promise<Outcome> {
    const { comparison, log } = this.#parts
    try {
      return await comparison.run(collection, new Neighbour(peer, this.#self))
    } catch (err) {
      log.warn({ err, collection, peer }, 'what another holder has could not be taken over')
      return 'different'
    }
  }
}
