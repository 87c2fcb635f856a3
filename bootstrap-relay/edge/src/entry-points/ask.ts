import { readJson } from '../bytes.ts'
import type { RelayPool } from '../pool.ts'
import type { Relay } from '../registry/index.ts'
import { type EntryPoint, mergeEntryPoints, readEntryPoints } from './entry-point.ts'

export interface AskComponents {
  pool: Pick<RelayPool, 'answered' | 'failed'>
  allowPrivate: boolean
  now(): number
}

/** Relays asked for one list; each lists the same entry points, but for what it hasn't heard yet. */
const MAX_ASKED = 6
/** Milliseconds for all of them. */
const TIMEOUT = 5000
/** Milliseconds that the others have once one has answered. */
const GRACE = 1000
/** Bytes of an answer: 256 entries with 64 services each fit. */
const MAX_ANSWER = 512 * 1024

/** Asks relays which entry points there are, and merges what they say. Empty when nobody answers or knows any. */
export async function askRelays(relays: readonly Relay[], components: AskComponents): Promise<EntryPoint[]> {
  const controller = new AbortController()
  const timers = [setTimeout(() => controller.abort(new Error('nobody waits any longer')), TIMEOUT)]
  const lists = await Promise.all(
    relays.slice(0, MAX_ASKED).map(async ({ url }) => {
      const points = await askOne(url, controller.signal, components)
      if (points.length > 0) timers.push(setTimeout(() => controller.abort(LATE), GRACE))
      return points
    })
  )
  for (const timer of timers) clearTimeout(timer)
  return mergeEntryPoints(lists)
}

/** Others were faster. No failure: it may be far away. */
const LATE = new Error('others have answered')

async function askOne(
  url: string,
  signal: AbortSignal,
  { pool, allowPrivate, now }: AskComponents
): Promise<EntryPoint[]> {
  const asked = now()
  try {
    const answer = await fetch(`${url}/entry-points`, { redirect: 'manual', cache: 'no-store', signal })
    if (!answer.ok) {
      await answer.body?.cancel()
      // 503 is how a relay says that it knows none.
      if (answer.status === 503 && isFromRelay(answer)) pool.answered(url)
      else pool.failed(url)
      return []
    }
    const points = readEntryPoints(await readJson(answer.body, MAX_ANSWER), allowPrivate)
    pool.answered(url, now() - asked)
    return points
  } catch {
    if (signal.reason !== LATE) pool.failed(url)
    return []
  }
}

/** And not from the proxy in front of one that is gone. */
function isFromRelay({ headers }: Response): boolean {
  return headers.get('content-type')?.startsWith('application/json') === true
}
