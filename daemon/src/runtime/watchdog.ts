import type { Clock } from '../clock/index.ts'

/**
 * One timer for all the waits of an exchange. Each wait has its own limit; something that happens starts it anew, which
 * costs a look at the clock, not a timer.
 */
export class Watchdog {
  readonly #clock: Clock
  readonly #deadline: number
  readonly #expire: (late: boolean) => void
  #since: number
  #limit: number
  #dueAt = 0
  #timer: unknown

  /**
   * @param deadline when the whole must be over
   * @param expire called once, with whether the deadline has passed, or else the limit of the wait
   */
  constructor(clock: Clock, limit: number, deadline: number | undefined, expire: (pastDeadline: boolean) => void) {
    this.#clock = clock
    this.#deadline = deadline ?? Number.POSITIVE_INFINITY
    this.#expire = expire
    this.#since = clock.now()
    this.#limit = limit
    this.#schedule()
  }

  /** Another wait begins. */
  wait(limit: number): void {
    this.#limit = limit
    this.#since = this.#clock.now()
    // A timer that is due too late is set again; one that is due too early sets itself again.
    if (this.#timer != null && this.#next() < this.#dueAt) {
      this.#clock.clearTimeout(this.#timer)
      this.#schedule()
    }
  }

  /** The wait begins anew: something has come. */
  touch(): void {
    this.#since = this.#clock.now()
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #next(): number {
    return Math.min(this.#since + this.#limit, this.#deadline)
  }

  #schedule(): void {
    this.#dueAt = this.#next()
    this.#timer = this.#clock.setTimeout(() => this.#look(), Math.max(1, this.#dueAt - this.#clock.now()))
  }

  #look(): void {
    this.#timer = undefined
    const now = this.#clock.now()
    if (now < this.#next()) this.#schedule()
    else this.#expire(now >= this.#deadline)
  }
}
