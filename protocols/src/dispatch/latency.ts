import { LATENCY_MEMORY, MEAN_WEIGHT, PEAK_DECAY, RETEST_ANSWERS, RETEST_INTERVAL } from './constants.ts'

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

  /** @param prior what was expected of this worker before anything was known */
  observe(sample: number, now: number, answers: number, prior: number): void {
    const known = this.value(now, answers)
    if (known != null) {
      this.mean += (sample - this.mean) * MEAN_WEIGHT
      this.peak = Math.max(sample, known)
    } else {
      // The first answer pays for dialling and warming up; held against a worker, it would get no second request.
      this.mean = this.samples === 0 ? Math.min(sample, prior) : sample
      this.peak = this.mean
    }
    this.samples++
    this.at = now
    this.answers = answers
  }
}
