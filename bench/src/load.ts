import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'

export interface Figures {
  concurrency: number
  /** milliseconds */
  p50: number
  p99: number
  requests_per_second: number
  errors: number
}

const run = promisify(execFile)

/** 1 KiB of JSON by POST, over connections that are kept alive; wrk, because it costs the machine the least. */
export class Load {
  readonly #script: string

  constructor(script: string) {
    this.#script = script
  }

  static async create(script: string): Promise<Load> {
    const body = JSON.stringify({ text: 'x'.repeat(1024 - '{"text":""}'.length) })
    await writeFile(
      script,
      `wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.body = '${body}'
done = function(summary, latency)
  io.write(string.format("FIGURES %d %d %d %d %d\\n", latency:percentile(50), latency:percentile(99), summary.requests, summary.duration,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout))
end
`
    )
    return new Load(script)
  }

  async measure(url: string, concurrency: number, seconds: number): Promise<Figures> {
    const { stdout } = await run('wrk', ['-t1', `-c${concurrency}`, `-d${seconds}s`, '-s', this.#script, url])
    const [, p50 = 0, p99 = 0, requests = 0, duration = 1, errors = 0] = (
      /FIGURES (\d+) (\d+) (\d+) (\d+) (\d+)/.exec(stdout) ?? []
    ).map(Number)
    return {
      concurrency,
      p50: p50 / 1000,
      p99: p99 / 1000,
      requests_per_second: Math.round(requests / (duration / 1e6)),
      errors
    }
  }
}
