/**
 * The edge with what only tests have: a clock that they set, a count of what is asked of KV, a way to break it, and an
 * end to a copy of the Worker (which loses its memory, but neither cache nor storage).
 */
import { createEdge } from '../../src/edge.ts'
import type { Env } from '../../src/env.ts'

export { RelayRegistry } from '../../src/registry/durable.ts'

let time = Date.UTC(2026, 0, 15)
let kv = { get: 0, put: 0 }
let isBroken = false
let edge = createEdge({ now: () => time })

const JSON_HEADERS = { 'content-type': 'application/json' }

export default {
  async fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url)
    const counted = env.SEEDS == null ? env : { ...env, SEEDS: counting(env.SEEDS) }
    switch (pathname) {
      case '/test/advance':
        time += Number(searchParams.get('ms'))
        return new Response()
      case '/test/restart':
        edge = createEdge({ now: () => time, firstByte: Number(searchParams.get('first_byte')) || undefined })
        return new Response()
      case '/test/kv':
        isBroken = searchParams.get('broken') === 'true'
        return Response.json(kv)
      case '/test/heartbeats':
        return Response.json(await heartbeats(request, counted, ctx))
      default:
        return edge.fetch(request, counted, ctx)
    }
  }
} satisfies ExportedHandler<Env>

interface Plan {
  /** milliseconds */
  interval: number
  rounds: number
  /** `{n}` in `url` is replaced by round ÷ `every`, so that it changes every so many rounds */
  relays: { id: string; url: string; every: number; headers: Record<string, string> }[]
}

/** A day's heartbeats in one request: sent one by one, most of the time would go into sending them. */
async function heartbeats(request: Request, env: Env, ctx: ExecutionContext): Promise<unknown> {
  const { interval, rounds, relays } = await request.json<Plan>()
  kv = { get: 0, put: 0 }
  const statuses: Record<number, number> = {}
  const seeds: Record<string, Record<string, number>> = {}
  const lastOf: Record<string, string> = {}
  for (let round = 0; round < rounds; round++) {
    for (const { id, url, every, headers } of relays) {
      const body = JSON.stringify({ worker_id: id, url: url.replace('{n}', String(Math.floor(round / every))) })
      const heartbeat = new Request(new URL('/api/edge/heartbeat', request.url), {
        method: 'POST',
        headers: { ...JSON_HEADERS, ...headers },
        body
      })
      const answer = await edge.fetch(heartbeat as Parameters<typeof edge.fetch>[0], env, ctx)
      statuses[answer.status] = (statuses[answer.status] ?? 0) + 1
      const { seed = 'none' } = await answer.json<{ seed?: string }>()
      const counts = seeds[id] ?? {}
      seeds[id] = { ...counts, [seed]: (counts[seed] ?? 0) + 1 }
      lastOf[id] = seed
    }
    time += interval
  }
  return { kv, statuses, seeds, lastOf }
}

function counting(namespace: KVNamespace): KVNamespace {
  return new Proxy(namespace, {
    get(target, name: keyof KVNamespace) {
      return (...args: unknown[]) => {
        if (isBroken) throw new Error('KV: 429 Too Many Requests')
        if (name === 'get' || name === 'put') kv[name]++
        return Reflect.apply(Reflect.get(target, name), target, args)
      }
    }
  })
}
