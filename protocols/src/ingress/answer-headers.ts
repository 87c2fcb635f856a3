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

/** The headers that every dispatched answer has besides the service's own. @param firstByteMs since the request came */
export function answerHeaders(
  { headers, requestId, worker, attempts, route, traceparent }: Omit<DispatchAnswer, 'body' | 'status' | 'complete'>,
  firstByteMs: number
): Record<string, string> {
  return {
    [HEADERS.requestId]: requestId,
    [HEADERS.worker]: worker,
    [HEADERS.attempts]: String(attempts),
    [HEADERS.path]: route.path,
    [HEADERS.transport]: route.transport,
    [HEADERS.traceparent]: traceparent,
    [HEADERS.serverTiming]: serverTiming(headers[HEADERS.serverTiming], firstByteMs)
  }
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
