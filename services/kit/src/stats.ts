import { createHistogram } from 'node:perf_hooks'

/** Counts and latencies of the requests that this process has answered. */
export class RequestStats {
  readonly #startedAt = Date.now()
  readonly #latency = createHistogram()
  #requests = 0
  #clientErrors = 0
  #serverErrors = 0

  /** @param milliseconds from the request's arrival to the last byte of its answer */
  record(status: number, milliseconds: number): void {
    this.#requests++
    if (status >= 500) this.#serverErrors++
    else if (status >= 400) this.#clientErrors++
    this.#latency.record(Math.max(1, Math.round(milliseconds * 1000)))
  }

  snapshot(): Record<string, unknown> {
    const ms = (percentile: number): number => (this.#requests === 0 ? 0 : this.#latency.percentile(percentile) / 1000)
    return {
      uptime: Math.round((Date.now() - this.#startedAt) / 1000),
      requests: this.#requests,
      client_errors: this.#clientErrors,
      server_errors: this.#serverErrors,
      latency_ms: { p50: ms(50), p95: ms(95), p99: ms(99) },
      memory_mb: Math.round(process.memoryUsage.rss() / 1024 / 1024)
    }
  }
}
