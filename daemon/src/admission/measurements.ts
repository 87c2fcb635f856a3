import type { Clock } from '../clock/index.ts'
import { ASSUMED_DURATION, ERROR_HALF_LIFE, ERROR_WEIGHT, LATENCY_WEIGHT } from './constants.ts'
import type { Outcome } from './index.ts'

/** Running averages of how requests went. */
export class Measurements {
  readonly #clock: Clock
  #latency: number | undefined
  #duration: number | undefined
  #errorRate = 0
  #errorAt = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** milliseconds to the first byte; 0 before the first request */
  get latency(): number {
    return this.#latency ?? 0
  }

  /** milliseconds that a request keeps its place */
  get duration(): number {
    return this.#duration ?? ASSUMED_DURATION
  }

  errorRate(): number {
    const idle = this.#clock.now() - this.#errorAt
    return this.#errorRate * 0.5 ** (idle / ERROR_HALF_LIFE)
  }

  firstByte(latency: number): void {
    this.#latency = average(this.#latency, latency, LATENCY_WEIGHT)
  }

  finished(outcome: Outcome, duration: number): void {
    if (outcome === 'cancelled') return
    this.#duration = average(this.#duration, duration, LATENCY_WEIGHT)
    this.#errorRate = average(this.errorRate(), outcome === 'failed' ? 1 : 0, ERROR_WEIGHT)
    this.#errorAt = this.#clock.now()
  }
}

function average(before: number | undefined, sample: number, weight: number): number {
  return before == null ? sample : before + weight * (sample - before)
}
