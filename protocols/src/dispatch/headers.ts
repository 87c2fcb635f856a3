/** Headers as they leave this peer, in both directions. */
import { connectionOptions, passesToCaller, passesToService } from '../fence/index.ts'
import { HEADERS } from '../ids/index.ts'
import type { Headers } from '../invocation/index.ts'

export interface Dispatched {
  requestId: string
  depth: number
  caller: string | undefined
  callerClasses: readonly string[] | undefined
  dataClass: string | undefined
  traceparent: string
  /** whether the trace is the caller's: only then does its tracestate mean anything */
  traceContinued: boolean
}

/** What a worker gets: the client's headers, and ours instead of any that the client made up. */
export function requestHeaders(client: Headers, dispatched: Dispatched): Headers {
  const named = connectionOptions(client.connection)
  const headers: Headers = {}
  for (const name in client) {
    const value = client[name]
    if (value == null || name === HEADERS.traceparent || named?.has(name)) continue
    if (!passesToService(name)) continue
    if (name === 'tracestate' && !dispatched.traceContinued) continue
    headers[name] = value
  }
  headers[HEADERS.requestId] = dispatched.requestId
  headers[HEADERS.dispatched] = '1'
  headers[HEADERS.depth] = String(dispatched.depth)
  headers[HEADERS.traceparent] = dispatched.traceparent
  if (dispatched.dataClass != null) headers[HEADERS.dataClass] = dispatched.dataClass
  if (dispatched.caller != null) headers[HEADERS.caller] = dispatched.caller
  if (dispatched.callerClasses != null) headers[HEADERS.callerClasses] = dispatched.callerClasses.join(',')
  return headers
}

/** What the caller gets of a worker's headers. Who answered and how is for the ingress to say. */
export function answerHeaders(worker: Headers): Headers {
  const named = connectionOptions(worker.connection)
  const headers: Headers = {}
  for (const name in worker) {
    const value = worker[name]
    if (value == null || named?.has(name) || !passesToCaller(name)) continue
    headers[name] = value
  }
  return headers
}

/** Milliseconds; a worker refuses less than something and more than a day. */
const LEAST_TIMEOUT = 1
const GREATEST_TIMEOUT = 86_400_000

/** Decimal seconds, as in `Hedgerow-Timeout`. @param milliseconds left at sending */
export function timeoutHeader(milliseconds: number): string {
  return (Math.min(GREATEST_TIMEOUT, Math.max(LEAST_TIMEOUT, milliseconds)) / 1000).toFixed(3)
}

/** The first value of a header that should have one. */
export function single(headers: Headers, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : value?.[0]
}
