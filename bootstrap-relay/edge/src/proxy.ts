import { readUpTo } from './bytes.ts'
import { EdgeError } from './errors.ts'
import { judge } from './judge.ts'
import { placeOf } from './place.ts'
import type { RelayPool } from './pool.ts'

export interface ProxyComponents {
  pool: RelayPool
  firstByte: number
}

/** Relays tried for one request: of the six connections that a request may have at once, and of its caller's patience. */
const MAX_ATTEMPTS = 3
/** Bytes of a body that is kept to be sent again; relays keep as much. */
const MAX_KEPT = 1024 * 1024
/** Milliseconds until another relay is asked, where asking twice does no harm and another is left. */
export const FIRST_BYTE = 20_000

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])
/** What passes through names the edge here, so that a request which comes back is noticed. */
const VIA = 'hedgerow-edge'

interface Attempt {
  method: string
  path: string
  headers: Headers
  body: BodyInit | null
  /** whether sending it twice does nothing twice */
  repeatable: boolean
  /** whether it could be sent again: its body is still here */
  kept: boolean
}

/**
 * Sends a request to the nearest relay that answers. Another is tried when the first surely did nothing with it, or when
 * the request may be repeated (a safe method, a WebSocket handshake, an `Idempotency-Key`); what may not be is sent only
 * to a relay that has just shown to be there. Streams both ways; a WebSocket is handed through as it is. When the caller
 * leaves, the runtime ends all of it.
 */
export async function proxy(request: Request, { pool, firstByte }: ProxyComponents): Promise<Response> {
  const attempt = await toAttempt(request)
  const relays = (await pool.ranked(placeOf(request))).slice(0, MAX_ATTEMPTS)
  let last: Response | undefined
  for (const [index, { url }] of relays.entries()) {
    const isLast = index === relays.length - 1
    const patience = attempt.repeatable && !isLast ? firstByte : undefined
    if (!attempt.repeatable && !(await pool.isThere(url))) continue
    let response: Response
    try {
      response = await send(url, attempt, patience)
    } catch (err) {
      pool.failed(url)
      if (attempt.repeatable) continue
      const what = `the relay ${new URL(url).host} broke off; it may have carried the request out`
      throw new EdgeError('RelayLost', what, { retry_safe: false }, { cause: err })
    }
    const verdict = await judge(response)
    if (verdict === 'answered') pool.answered(url)
    else pool.failed(url)
    last = named(response, url)
    const again = verdict === 'untouched' ? attempt.kept : verdict === 'lost' && attempt.repeatable
    if (isLast || !again) return last
    await last.body?.cancel()
  }
  if (last != null) return last
  throw new EdgeError(
    'NoRelay',
    relays.length === 0 ? 'no relay is registered here' : 'none of the relays could be reached',
    {
      retry_after: 10,
      retry_safe: true
    }
  )
}

async function toAttempt(request: Request): Promise<Attempt> {
  const { method } = request
  if (request.headers.get('via')?.includes(VIA) === true)
    throw new EdgeError('Loop', 'a relay that is registered here leads back here: register where it is reached itself')
  const { pathname, search } = new URL(request.url)
  const repeatable = SAFE.has(method) || request.headers.has('idempotency-key')
  const length = Number(request.headers.get('content-length') ?? Number.NaN)
  const attempt = { method, path: pathname + search, headers: forwarded(request) }
  if (request.body == null) return { ...attempt, body: null, repeatable, kept: true }
  // Without a length it may be a stream that goes on as long as its answer.
  if (!(length <= MAX_KEPT)) return { ...attempt, body: request.body, repeatable: false, kept: false }
  const body = await readUpTo(request.body, MAX_KEPT)
  if (body == null) throw new EdgeError('Malformed', 'the body is longer than its content-length')
  return { ...attempt, body, repeatable, kept: true }
}

/** What a caller says of who it is and how it came is not passed on: relays hear that from us. */
function forwarded({ url, headers }: Request): Headers {
  const { host, protocol } = new URL(url)
  const passed = new Headers(headers)
  const address = headers.get('cf-connecting-ip')
  for (const name of ['forwarded', 'x-forwarded-for', 'x-real-ip', 'host']) passed.delete(name)
  if (address != null) passed.set('x-forwarded-for', address)
  passed.set('x-forwarded-host', host)
  passed.set('x-forwarded-proto', protocol.slice(0, -1))
  passed.append('via', `1.1 ${VIA}`)
  return passed
}

/** @param patience milliseconds until it counts as failed; undefined = as long as it takes */
async function send(url: string, attempt: Attempt, patience: number | undefined): Promise<Response> {
  const { method, path, headers, body } = attempt
  const controller = new AbortController()
  const late = patience == null ? null : setTimeout(() => controller.abort(new Error('no answer in time')), patience)
  try {
    const { signal } = controller
    return await fetch(url + path, { method, headers, body, redirect: 'manual', cache: 'no-store', signal })
  } finally {
    clearTimeout(late)
  }
}

/** Which relay it was, and redirects within that relay as redirects within the edge. */
function named(response: Response, url: string): Response {
  if (response.webSocket != null) return response
  const answer = new Response(response.body, response)
  answer.headers.set('hedgerow-relay', new URL(url).host)
  const location = answer.headers.get('location')
  if (location != null && (location === url || location.startsWith(`${url}/`)))
    answer.headers.set('location', location.slice(url.length) || '/')
  return answer
}
