/**
 * `GET /entry-points`: asked from the relays, merged, kept for a minute, and told for two when no relay answers.
 *
 * It is kept twice: in this copy of the Worker, and in the cache that all copies in one place of Cloudflare's share, which
 * works on custom domains only.
 */
import { isRecord, readJson } from '../bytes.ts'
import { EdgeError } from '../errors.ts'
import { placeOf } from '../place.ts'
import type { RelayPool } from '../pool.ts'
import { askRelays } from './ask.ts'
import { type EntryPoint, readEntryPoints } from './entry-point.ts'

export interface EntryPointsComponents {
  pool: RelayPool
  allowPrivate: boolean
  now(): number
}

/** Milliseconds for which a list is told without asking. */
const FRESH = 60_000
/** Milliseconds after which a list is told to nobody: a peer that is silent for longer is gone. */
const STALE = 120_000
/** Milliseconds in which relays aren't asked again, so that a crowd doesn't ask when one of it does, or nobody answers. */
const PAUSE = 5000
/** Bytes of what was written here: larger is somebody else's. */
const MAX_KEPT = 16 * 1024 * 1024

interface Kept {
  points: EntryPoint[]
  fetchedAt: number
  askedAt: number
}

const NOTHING: Kept = { points: [], fetchedAt: 0, askedAt: 0 }

export class EntryPoints {
  readonly #components: EntryPointsComponents
  #kept = NOTHING

  constructor(components: EntryPointsComponents) {
    this.#components = components
  }

  async answer(request: Request, later: (work: Promise<unknown>) => void): Promise<Response> {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      throw new EdgeError('MethodNotAllowed', `${request.method} is not for this path`, { allow: ['GET', 'HEAD'] })
    const { pool, now } = this.#components
    const key = new URL('/.edge/entry-points', request.url).href
    const asked = now()
    let kept = this.#kept
    if (asked - kept.fetchedAt >= FRESH) kept = newest(kept, await this.#readCache(key))
    this.#kept = kept
    if (kept.points.length > 0 && asked - kept.fetchedAt < FRESH) return listed(request, kept, 'hit', asked)
    if (asked - kept.askedAt < PAUSE)
      return usable(kept, asked) ? listed(request, kept, 'stale', asked) : none(request, asked)

    // Said before it is so, for others who come meanwhile; those with nothing to tell ask too.
    if (usable(kept, asked)) this.#kept = { ...kept, askedAt: asked }
    const points = await askRelays(await pool.ranked(placeOf(request)), this.#components)
    const answered = now()
    // Somebody else may have been luckier meanwhile.
    kept = newest(this.#kept, kept)
    const fetched = points.length > 0
    this.#kept = fetched ? { points, fetchedAt: answered, askedAt: answered } : { ...kept, askedAt: answered }
    if (fetched || usable(kept, answered)) later(writeCache(key, this.#kept))
    if (fetched) return listed(request, this.#kept, 'fwd=miss', answered)
    return usable(kept, answered) ? listed(request, kept, 'stale', answered) : none(request, answered)
  }

  async #readCache(key: string): Promise<Kept> {
    const found = await caches.default.match(key)
    const value = found == null ? undefined : await readJson(found.body, MAX_KEPT)
    if (!isRecord(value)) return NOTHING
    const { fetchedAt, askedAt } = value
    if (typeof fetchedAt !== 'number' || typeof askedAt !== 'number') return NOTHING
    const points = readEntryPoints({ entry_points: value.points }, this.#components.allowPrivate)
    return { points, fetchedAt, askedAt }
  }
}

async function writeCache(key: string, kept: Kept): Promise<void> {
  const headers = { 'content-type': 'application/json', 'cache-control': `public, max-age=${STALE / 1000}` }
  await caches.default.put(key, new Response(JSON.stringify(kept), { headers }))
}

function newest(a: Kept, b: Kept): Kept {
  if (a.fetchedAt === b.fetchedAt) return a.askedAt >= b.askedAt ? a : b
  return a.fetchedAt > b.fetchedAt ? a : b
}

function usable({ points, fetchedAt }: Kept, now: number): boolean {
  return points.length > 0 && now - fetchedAt < STALE
}

/** How it was come by stands in `Cache-Status` (RFC 9211). */
function listed(
  { method }: Request,
  { points, fetchedAt }: Kept,
  how: 'hit' | 'fwd=miss' | 'stale',
  now: number
): Response {
  const body = { entry_points: points, count: points.length, updated_at: new Date(fetchedAt).toISOString() }
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': how === 'stale' ? 'no-store' : 'public, max-age=60',
    age: String(Math.max(0, Math.floor((now - fetchedAt) / 1000))),
    'cache-status': `hedgerow-edge; ${how === 'stale' ? 'hit; detail=stale' : how}`
  }
  return new Response(method === 'HEAD' ? null : JSON.stringify(body), { headers })
}

function none({ method }: Request, now: number): Response {
  const body = {
    entry_points: [],
    count: 0,
    updated_at: new Date(now).toISOString(),
    error: 'no relay of this mesh answers with an entry point now'
  }
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'retry-after': '10',
    'cache-status': 'hedgerow-edge; fwd=miss'
  }
  return new Response(method === 'HEAD' ? null : JSON.stringify(body), { status: 503, headers })
}
