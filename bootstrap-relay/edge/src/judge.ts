import { isRecord, readJson } from './bytes.ts'

/**
 * `answered`: it came from the relay, whatever its status. `untouched`: the relay surely did nothing with the request.
 * `lost`: something in front of the relay answers for it, and the relay may have had the request.
 */
export type Verdict = 'answered' | 'untouched' | 'lost'

/** Cloudflare's own, when it found no server to send to: refused, no route, TLS failed, no tunnel. */
const NOT_REACHED = new Set([521, 523, 525, 526, 530])
/** What proxies and tunnels say when the server behind them broke off, or took too long to connect or to answer. */
const GATEWAY = new Set([502, 504, 520, 522, 524])
/** Errors of a relay that has only just begun, or is about to end. */
const REFUSED = new Set(['Starting', 'Draining'])
/** Bytes of a problem; a longer one is nobody's refusal. */
const MAX_PROBLEM = 16 * 1024

/** What an answer says about the relay. Its body is still to be read afterwards. */
export async function judge(response: Response): Promise<Verdict> {
  const { status, headers } = response
  // The mesh marks all that it dispatched, so a 502 with that mark was its own or a service's.
  if (headers.has('hedgerow-request-id')) return 'answered'
  if (NOT_REACHED.has(status)) return 'untouched'
  const isProblem = headers.get('content-type')?.startsWith('application/problem+json') === true
  if (GATEWAY.has(status) && !isProblem) return 'lost'
  if (status !== 503 || !isProblem) return 'answered'
  const problem = await readJson(response.clone().body, MAX_PROBLEM)
  return isRecord(problem) && typeof problem.code === 'string' && REFUSED.has(problem.code) ? 'untouched' : 'answered'
}
