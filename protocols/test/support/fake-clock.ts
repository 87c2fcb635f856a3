import type { Clock } from '../../src/dispatch/index.ts'

interface Timer {
  at: number
  callback: () => void
}

/** Time that passes only when a test says so. */
export class FakeClock implements Clock {
  private time = 1_000_000
  private readonly timers = new Set<Timer>()

  now = (): number => this.time

  date(): number {
    return Date.UTC(2026, 0, 1) + this.time
  }

  setTimeout(callback: () => void, milliseconds: number): Timer {
    const timer = { at: this.time + milliseconds, callback }
    this.timers.add(timer)
    return timer
  }

  clearTimeout(handle: unknown): void {
    for (const timer of this.timers) if (timer === handle) this.timers.delete(timer)
  }

  /** how many timers are set */
  get pending(): number {
    return this.timers.size
  }

  /** Lets time pass; whatever is due on the way happens in its order, with all that follows from it. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.time + milliseconds
    await settled()
    for (;;) {
      let next: Timer | undefined
      for (const timer of this.timers) if (timer.at <= end && (next == null || timer.at < next.at)) next = timer
      if (next == null) break
      this.timers.delete(next)
      this.time = Math.max(this.time, next.at)
      next.callback()
      await settled()
    }
    this.time = end
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise(resolve => this.setTimeout(resolve, milliseconds))
  }
}

/** When everything that can happen now has happened. */
export function settled(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** A random sequence that is the same in every run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
