import { LOOKUP_MEMORY, LOOKUP_TIMEOUT, LOOKUP_WAIT, MAX_LOOKUPS, MAX_MISSES } from './constants.ts'
import type { Clock, Finder } from './index.ts'

export interface LookupsComponents {
  finder: Finder
  clock: Clock
}

interface Lookup {
  waiting: Set<(found: boolean) => void>
}

/** Searches for services that the view has nobody for: one at a time for each, and not over and over in vain. */
export class Lookups {
  /** searches begun */
  count = 0
  private readonly finder: Finder
  private readonly clock: Clock
  private readonly running = new Map<string, Lookup>()
  /** ends a search that is under way, also one that has found somebody */
  private readonly walks = new Set<() => void>()
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
    for (const end of [...this.walks]) end()
  }

  /** Undefined when too many are under way: names come from strangers. */
  private begin(service: string): Lookup | undefined {
    if (this.running.size >= MAX_LOOKUPS) return undefined
    const lookup: Lookup = { waiting: new Set() }
    const controller = new AbortController()
    const answer = (found: boolean): void => {
      if (this.running.get(service) !== lookup) return
      this.running.delete(service)
      if (!found) this.remember(service)
      for (const done of [...lookup.waiting]) done(found)
    }
    const end = (): void => {
      answer(false)
      this.walks.delete(end)
      this.clock.clearTimeout(timer)
      controller.abort()
    }
    const timer = this.clock.setTimeout(end, LOOKUP_TIMEOUT)
    this.running.set(service, lookup)
    this.walks.add(end)
    this.count++
    // The first one found is enough to go on with; the search does, too, so that there is a choice next time.
    this.finder.find(service, controller.signal).then(
      found => (found ? answer(true) : end()),
      () => end()
    )
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
