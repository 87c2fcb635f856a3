import type { Clock } from '../../src/clock/index.ts'

/** A clock that stands still until it is told to go on. */
export class FakeClock implements Clock {
  #now = 0
  #last = 0
  readonly #timers = new Map<number, { at: number; callback: () => void }>()

  now(): number {
    return this.#now
  }

  setTimeout(callback: () => void, milliseconds: number): unknown {
    const id = ++this.#last
    this.#timers.set(id, { at: this.#now + Math.max(0, milliseconds), callback })
    return id
  }

  clearTimeout(handle: unknown): void {
    if (typeof handle === 'number') this.#timers.delete(handle)
  }

  /** timers that are set */
  get pending(): number {
    return this.#timers.size
  }

  /** Lets time pass; what falls due runs in order. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds
    for (;;) {
      let next: [number, { at: number; callback: () => void }] | undefined
      for (const timer of this.#timers)
        if (timer[1].at <= end && (next == null || timer[1].at < next[1].at)) next = timer
      if (next == null) break
      this.#timers.delete(next[0])
      this.#now = Math.max(this.#now, next[1].at)
      next[1].callback()
    }
    this.#now = end
  }

  /** Like {@link advance}, in steps, letting promises settle in between. */
  async run(milliseconds: number, step = 50): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += step) {
      this.advance(Math.min(step, milliseconds - passed))
      await new Promise(resolve => setImmediate(resolve))
    }
  }
}
