import type { Route } from '../invocation/index.ts'

/** What is counted over all services, since the start. */
export class Totals {
  local = 0
  forwarded = 0
  /** the view had somebody */
  hits = 0
  misses = 0
  failed = 0
  retried = 0
  hedged = 0

  answered({ path }: Route): void {
    if (path === 'local') this.local++
    else this.forwarded++
  }
}
