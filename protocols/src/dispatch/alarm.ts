import type { Clock } from './index.ts'

/** Timers take no more than this; with a later time the alarm rings and is set again. */
const LONGEST = 2 ** 31 - 1

/**
 * One timer for everything that a request waits for. Setting it to a later time costs nothing: it rings at the earlier
 * one, and whoever is woken sets it again.
 */
export class Alarm {
  private readonly clock: Clock
  private readonly ring: () => void
  private handle: unknown
  private at = Infinity

  constructor(clock: Clock, ring: () => void) {
    this.clock = clock
    this.ring = ring
  }

  /** Rings at `time` or before. */
  set(time: number): void {
    if (time >= this.at) return
    this.clear()
    this.at = time
    const delay = Math.min(LONGEST, Math.max(0, Math.ceil(time - this.clock.now())))
    this.handle = this.clock.setTimeout(this.rang, delay)
  }

  clear(): void {
    if (this.at === Infinity) return
    this.clock.clearTimeout(this.handle)
    this.at = Infinity
  }

  private readonly rang = (): void => {
    this.at = Infinity
    this.ring()
  }
}
