/**
 * Bounds on how often something may happen, for each of many: so many a second, and so many at once after a rest (token
 * buckets). Those not seen for longest are forgotten, and have rested then.
 *
 * @example
 * ```ts
 * const reports = new Rates({ perSecond: 2, burst: 5, now: () => performance.now() })
 * if (!reports.take(peerId)) return 'too many'
 * ```
 */
export interface RatesInit extends Bounds {
  /** how many are remembered. @default 10 000 */
  max?: number
  /** milliseconds of a clock that never goes back */
  now(): number
}

export interface Bounds {
  perSecond: number
  burst: number
}

const MAX = 10_000

interface Bucket {
  tokens: number
  at: number
}

export class Rates {
  readonly #init: RatesInit
  /** those used last at the end */
  readonly #buckets = new Map<string, Bucket>()

  constructor(init: RatesInit) {
    this.#init = init
  }

  /** @param bounds for this one, where they aren't those of all @returns whether it may happen; when not, nothing is taken */
  take(key: string, cost = 1, bounds: Bounds = this.#init): boolean {
    const { now, max = MAX } = this.#init
    const at = now()
    const tokens = this.#tokens(key, at, bounds)
    this.#buckets.delete(key)
    const may = tokens >= cost
    this.#buckets.set(key, { tokens: may ? tokens - cost : tokens, at })
    if (this.#buckets.size > max) {
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest)
        break
      }
    }
    return may
  }

  /** Milliseconds until it may happen, if nothing else does. */
  wait(key: string, cost = 1, bounds: Bounds = this.#init): number {
    const missing = cost - this.#tokens(key, this.#init.now(), bounds)
    return missing <= 0 ? 0 : (missing / bounds.perSecond) * 1000
  }

  #tokens(key: string, at: number, { perSecond, burst }: Bounds): number {
    const known = this.#buckets.get(key)
    return known == null ? burst : Math.min(burst, known.tokens + ((at - known.at) / 1000) * perSecond)
  }

  get size(): number {
    return this.#buckets.size
  }
}
