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
  'Retry-After'
]

type Dispatched = Omit<DispatchAnswer, 'body' | 'status' | 'complete'>

/** Adds what every dispatched answer says besides the service's own headers. @param firstByteMs since the request came */
export function setAnswerHeaders(
  headers: Record<string, unknown>,
  { headers: own, requestId, worker, attempts, route, traceparent }: Dispatched,
  firstByteMs: number
): void {
  headers[HEADERS.requestId] = requestId
  headers[HEADERS.worker] = worker
  headers[HEADERS.attempts] = String(attempts)
  headers[HEADERS.path] = route.path
  headers[HEADERS.transport] = route.transport
  headers[HEADERS.traceparent] = traceparent
  headers[HEADERS.serverTiming] = serverTiming(own[HEADERS.serverTiming], firstByteMs)
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
