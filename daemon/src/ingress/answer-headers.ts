import type { DispatchAnswer } from '@hedgerow/protocols/dispatch'
import { HEADERS } from '@hedgerow/protocols/ids'

/** What is known of how a request went: all of it for an answer, some of it for a failure. */
export interface Answered extends Partial<Pick<DispatchAnswer, 'headers' | 'requestId' | 'worker' | 'attempts'>> {
  route?: { path: string; transport: string }
  traceparent?: string
}

/**
 * The headers that every dispatched answer has besides the service's own, an error too as far as it came.
 *
 * @param elapsed milliseconds since the request came
 */
export function answerHeaders(
  { headers, requestId, worker, attempts, route, traceparent }: Answered,
  elapsed: number
): Record<string, string> {
  const said: Record<string, string> = {}
  if (requestId != null) said[HEADERS.requestId] = requestId
  if (worker == null) return said
  said[HEADERS.worker] = worker
  if (attempts != null) said[HEADERS.attempts] = String(attempts)
  if (route != null) {
    said[HEADERS.path] = route.path
    said[HEADERS.transport] = route.transport
  }
  if (traceparent != null) said[HEADERS.traceparent] = traceparent
  said[HEADERS.serverTiming] =
    headers == null ? `total;dur=${elapsed.toFixed(2)}` : serverTiming(headers[HEADERS.serverTiming], elapsed)
  return said
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
