import {
  LATENCY_MEMORY,
  MEAN_WEIGHT,
  PEAK_DECAY,
  RETEST_ANSWERS,
  RETEST_INTERVAL,
  WARM_UP_ANSWERS
} from './constants.ts'

/**
 * Peak-sensitive moving average of the time to first byte. A slow answer counts at once and in full; then the value
 * falls back to the mean of what the worker showed, not to zero, so that of two workers that are asked once a minute the
 * faster is still known. What wasn't measured for long is forgotten: what was slow then may be fast now.
 */
export class PeakEwma {
  private peak = 0
  private mean = 0
  private samples = 0
  private at = 0
  private answers = 0

  /**
   * Milliseconds to be expected; undefined when nothing (or nothing recent) is known.
   *
   * @param answers how many there have been in all, whoever answered: at a high rate, one request to see whether a slow
   * worker is still slow costs little
   */
  value(now: number, answers: number): number | undefined {
    const age = now - this.at
    if (this.samples === 0 || age >= LATENCY_MEMORY) return undefined
    if (age >= RETEST_INTERVAL && answers - this.answers >= RETEST_ANSWERS) return undefined
    return this.mean + (this.peak - this.mean) * Math.exp(-age / PEAK_DECAY)
  }

  /** @param prior what is expected of a worker of which nothing is known */
  observe(measured: number, now: number, answers: number, prior: number): void {
    const sample = this.samples < WARM_UP_ANSWERS ? Math.min(measured, prior) : measured
    const known = this.value(now, answers)
    this.mean = known == null ? sample : this.mean + (sample - this.mean) * MEAN_WEIGHT
    this.peak = known == null ? sample : Math.max(sample, known)
    this.samples++
    this.at = now
    this.answers = answers
  }
}
