import { HEDGE_QUANTILE, QUANTILE_REFRESH, QUANTILE_WINDOW } from './constants.ts'

/** Median and a high quantile of the last latencies of one operation, whoever answered; computed every few samples. */
export class LatencyWindow {
  /** how many samples there were in all */
  count = 0
  median = 0
  /** what all but the slowest few stay below */
  high = 0
  private readonly samples = new Float64Array(QUANTILE_WINDOW)

  add(sample: number): void {
    this.samples[this.count % QUANTILE_WINDOW] = sample
    this.count++
    if (this.count > QUANTILE_REFRESH && this.count % QUANTILE_REFRESH !== 0) return
    const sorted = this.samples.slice(0, Math.min(this.count, QUANTILE_WINDOW)).sort()
    this.median = sorted[Math.floor(sorted.length / 2)] ?? 0
    this.high = sorted[Math.floor(sorted.length * HEDGE_QUANTILE)] ?? 0
  }
}
