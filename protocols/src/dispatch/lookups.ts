import { LOOKUP_MEMORY, LOOKUP_TIMEOUT, LOOKUP_WAIT, MAX_LOOKUPS, MAX_MISSES } from './constants.ts'
import type { Clock, Finder } from './index.ts'

export interface LookupsComponents {
  finder: Finder
  clock: Clock
}

interface Lookup {
  waiting: Set<(found: boolean) => void>
  end(found: boolean): void
}

/** Searches for services that the view has nobody for: one at a time for each, and not over and over in vain. */
export class Lookups {
  /** searches begun */
  count = 0
  private readonly finder: Finder
  private readonly clock: Clock
  private readonly running = new Map<string, Lookup>()
  /** when a search was in vain, oldest first */
  private readonly misses = new Map<string, number>()

  constructor({ finder, clock }: LookupsComponents) {
    this.finder = finder
    this.clock = clock
  }

  /**
   * @param patience milliseconds that the caller will wait
   * @returns whether a worker was found; false also when that takes longer than anybody should wait
   */
  find(service: string, signal: AbortSignal, patience = LOOKUP_WAIT): Promise<boolean> {
    const missedAt = this.misses.get(service)
    if (missedAt != null && this.clock.now() - missedAt < LOOKUP_MEMORY) return Promise.resolve(false)
    const lookup = this.running.get(service) ?? this.begin(service)
    if (lookup == null || signal.aborted) return Promise.resolve(false)
    return new Promise(resolve => {
      const leave = (): void => done(false)
      const done = (found: boolean): void => {
        this.clock.clearTimeout(timer)
        signal.removeEventListener('abort', leave)
        lookup.waiting.delete(done)
        resolve(found)
      }
      const timer = this.clock.setTimeout(leave, Math.min(patience, LOOKUP_WAIT))
      signal.addEventListener('abort', leave, { once: true })
      lookup.waiting.add(done)
    })
  }

  stop(): void {
    for (const lookup of [...this.running.values()]) lookup.end(false)
  }

  /** Undefined when too many are under way: names come from strangers. */
  private begin(service: string): Lookup | undefined {
    if (this.running.size >= MAX_LOOKUPS) return undefined
    const controller = new AbortController()
    const end = (found: boolean): void => {
      if (this.running.get(service) !== lookup) return
      this.clock.clearTimeout(timer)
      this.running.delete(service)
      if (!found) this.remember(service)
      for (const done of [...lookup.waiting]) done(found)
      controller.abort()
    }
    const lookup: Lookup = { waiting: new Set(), end }
    const timer = this.clock.setTimeout(() => end(false), LOOKUP_TIMEOUT)
    this.running.set(service, lookup)
    this.count++
    this.finder.find(service, controller.signal).then(end, () => end(false))
    return lookup
  }

  private remember(service: string): void {
    this.misses.delete(service)
    for (const oldest of this.misses.keys()) {
      if (this.misses.size < MAX_MISSES) break
      this.misses.delete(oldest)
    }
    this.misses.set(service, this.clock.now())
  }
}
