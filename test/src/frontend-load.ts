/** Requests as a frontend with a list of relays sends them: to the next relay when one is gone. */
import { setTimeout as sleep } from 'node:timers/promises'
import { postJson } from './harness.ts'

export interface Outcome {
  status: number
  /** how many relays were asked */
  asked: number
  ms: number
  detail: string
}

export interface FrontendLoad {
  /** how many have been answered so far */
  readonly answered: number
  /** @returns what every request came to */
  stop(): Promise<Outcome[]>
}

export interface FrontendLoadInit {
  /** where it asks, in this order; one that was found to be gone goes to the end */
  urls: string[]
  /** path of an operation that may be repeated */
  path: string
  /** how many requests are under way at any time */
  concurrency: number
}

/** Keeps requests under way until it is told to stop. What no relay takes is an outcome with status 0. */
export function frontendLoad({ urls, path, concurrency }: FrontendLoadInit): FrontendLoad {
  const outcomes: Outcome[] = []
  const order = [...urls]
  let stopping = false

  const send = async (number: number): Promise<Outcome> => {
    const startedAt = performance.now()
    let detail = ''
    for (let asked = 1; asked <= urls.length; asked++) {
      const [url = ''] = order
      try {
        const response = await postJson(`${url}${path}`, { number })
        return { status: response.status, asked, ms: performance.now() - startedAt, detail: await response.text() }
      } catch (err) {
        detail = `${url}: ${err instanceof Error ? `${err.message} (${String(err.cause)})` : String(err)}`
        if (order[0] === url) order.push(...order.splice(0, 1))
      }
    }
    return { status: 0, asked: urls.length, ms: performance.now() - startedAt, detail }
  }

  const work = async (worker: number): Promise<void> => {
    for (let i = 0; !stopping; i++) {
      outcomes.push(await send(worker * 1e6 + i))
      // As people do: not a benchmark.
      await sleep(20)
    }
  }
  const workers = Array.from({ length: concurrency }, (_, i) => work(i))
  return {
    get answered() {
      return outcomes.length
    },
    async stop() {
      stopping = true
      await Promise.all(workers)
      return outcomes
    }
  }
}
