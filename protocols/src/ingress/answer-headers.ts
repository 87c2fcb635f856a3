import type { DispatchAnswer } from '../dispatch/index.ts'
import { HEADERS } from '../ids/index.ts'

/** What a page may read of an answer (CORS). */
export const EXPOSED_HEADERS = [
  'Hedgerow-Request-Id',
  'Hedgerow-Worker',
  'Hedgerow-Attempts',
  'Hedgerow-Path',
  'Hedgerow-Transport',
  'Server-Timing',
  'traceparent',
  'Retry-After',
  'Hedgerow-Error'
]

/** What is known of how a request went: all of it for an answer, some of it for a failure. */
export interface Answered extends Partial<Pick<DispatchAnswer, 'headers' | 'requestId' | 'traceparent'>> {
  worker: string
  attempts: number
  route?: { path: string; transport: string }
}

/**
 * Adds what every dispatched answer says besides the service's own headers, an error too as far as it came.
 *
 * @param elapsed milliseconds since the request came, up to the first byte
 */
export function setAnswerHeaders(
  headers: Record<string, unknown>,
  { headers: own, requestId, worker, attempts, route, traceparent }: Answered,
  elapsed: number
): void {
  if (requestId != null) headers[HEADERS.requestId] = requestId
  headers[HEADERS.worker] = worker
  headers[HEADERS.attempts] = String(attempts)
  if (route != null) {
    headers[HEADERS.path] = route.path
    headers[HEADERS.transport] = route.transport
  }
  if (traceparent != null) headers[HEADERS.traceparent] = traceparent
  headers[HEADERS.serverTiming] =
    own == null ? `total;dur=${elapsed.toFixed(2)}` : serverTiming(own[HEADERS.serverTiming], elapsed)
}

const DURATION = /\b(?:queue|backend);dur=([\d.]+)/g

/** The worker says how long queue and backend took; what is left of the time to the first byte was the network's. */
function serverTiming(fromWorker: string | string[] | undefined, firstByteMs: number): string {
  const parts = fromWorker == null ? '' : String(fromWorker)
  let elsewhere = 0
  for (const [, ms] of parts.matchAll(DURATION)) elsewhere += Number(ms)
  const network = `network;dur=${Math.max(0, firstByteMs - elsewhere).toFixed(2)}`
  return parts === '' ? network : `${parts}, ${network}`
}
