import { type Cors, cors } from './cors.ts'
import { EntryPoints } from './entry-points/index.ts'
import type { Env } from './env.ts'
import { EdgeError } from './errors.ts'
import { RelayPool } from './pool.ts'
import { FIRST_BYTE, proxy } from './proxy.ts'
import { register } from './register.ts'
import { type Registry, registryOf } from './registry/index.ts'
import { relayOrigin } from './urls.ts'

export interface EdgeInit {
  /** milliseconds since 1970. @default the clock */
  now?(): number
  /** milliseconds until another relay is asked, where that does no harm. @default 20,000 */
  firstByte?: number
}

/** Origins that `RELAYS` may name. */
const MAX_FIXED = 16

/**
 * One copy of the Worker. Cloudflare runs many, starts and ends them as it likes, and gives each its environment with the
 * first request; what a copy remembers only saves it questions.
 */
export function createEdge({
  now = Date.now,
  firstByte = FIRST_BYTE
}: EdgeInit = {}): ExportedHandler<Env> & Required<Pick<ExportedHandler<Env>, 'fetch'>> {
  let parts: Parts | undefined
  return {
    async fetch(request, env, ctx) {
      parts ??= partsOf(env, now, firstByte)
      return (
        parts.cors.preflight(request) ??
        parts.cors.allow(request, await route(request, parts, work => ctx.waitUntil(work)))
      )
    }
  }
}

interface Parts {
  registry: Registry | undefined
  pool: RelayPool
  entryPoints: EntryPoints
  cors: Cors
  token: string | undefined
  allowPrivate: boolean
  now(): number
  firstByte: number
}

function partsOf(env: Env, now: () => number, firstByte: number): Parts {
  const allowPrivate = env.ALLOW_PRIVATE === 'true'
  const registry = registryOf(env)
  const fixed = list(env.RELAYS).flatMap(text => {
    const url = relayOrigin(text, allowPrivate)
    if (url == null) console.error(`RELAYS: ${text} is left out: it must be https://, of a public host, with no path`)
    return url ?? []
  })
  const pool = new RelayPool({ registry, now }, fixed.slice(0, MAX_FIXED))
  return {
    registry,
    pool,
    entryPoints: new EntryPoints({ pool, allowPrivate, now }),
    cors: cors(list(env.CORS_ORIGINS ?? '*')),
    token: env.EDGE_TOKEN,
    allowPrivate,
    now,
    firstByte
  }
}

async function route(request: Request, parts: Parts, later: (work: Promise<unknown>) => void): Promise<Response> {
  try {
    switch (new URL(request.url).pathname) {
      case '/entry-points':
      case '/api/entry-points':
        return await parts.entryPoints.answer(request, later)
      case '/api/worker/register':
      case '/api/edge/heartbeat':
        return await register(request, parts)
      default:
        return await proxy(request, parts)
    }
  } catch (err) {
    if (!(err instanceof EdgeError)) throw err
    if (err.cause != null) console.warn(`${err.message}: ${err.cause}`)
    return err.toResponse()
  }
}

function list(text = ''): string[] {
  return text
    .split(',')
    .map(one => one.trim())
    .filter(one => one !== '')
}
