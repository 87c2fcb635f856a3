/** Headers as they leave this peer, in both directions. */
import { HEADERS } from '../ids/index.ts'
import type { Headers } from '../invocation/index.ts'

/** For one connection only (RFC 9110, 7.6.1), besides those that `Connection` names. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade'
])

/** Means this peer, or was dealt with by it; where a request came from is nothing for whoever serves it. */
const OUR_OWN = new Set<string>([
  'host',
  'expect',
  HEADERS.traceparent,
  'forwarded',
  'via',
  'x-real-ip',
  'client-ip',
  'true-client-ip',
  'cdn-loop'
])

/** Of proxies in front, and of Cloudflare's. */
const isForwarding = (name: string): boolean => name.startsWith('x-forwarded-') || name.startsWith('cf-')

const MESH_PREFIX = 'hedgerow-'

export interface Dispatched {
  requestId: string
  depth: number
  caller: string | undefined
  traceparent: string
  /** whether the trace is the caller's: only then does its tracestate mean anything */
  traceContinued: boolean
}

/** What a worker gets: the client's headers, and ours instead of any that the client made up. */
export function requestHeaders(client: Headers, dispatched: Dispatched): Headers {
  const named = namedByConnection(client)
  const headers: Headers = {}
  for (const name in client) {
    const value = client[name]
    if (value == null || HOP_BY_HOP.has(name) || OUR_OWN.has(name) || named?.includes(name)) continue
    if ((name.startsWith(MESH_PREFIX) && name !== HEADERS.dataClass) || isForwarding(name)) continue
    if (name === 'tracestate' && !dispatched.traceContinued) continue
    headers[name] = value
  }
  headers[HEADERS.requestId] = dispatched.requestId
  headers[HEADERS.dispatched] = '1'
  headers[HEADERS.depth] = String(dispatched.depth)
  headers[HEADERS.traceparent] = dispatched.traceparent
  if (dispatched.caller != null) headers[HEADERS.caller] = dispatched.caller
  return headers
}

/** What the caller gets of a worker's headers. Who answered and how is for the ingress to say. */
export function answerHeaders(worker: Headers): Headers {
  const named = namedByConnection(worker)
  const headers: Headers = {}
  for (const name in worker) {
    const value = worker[name]
    if (value == null || HOP_BY_HOP.has(name) || named?.includes(name) || name.startsWith(MESH_PREFIX)) continue
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

function namedByConnection(headers: Headers): string[] | undefined {
  const { connection } = headers
  if (connection == null || connection === 'keep-alive' || connection === 'close') return undefined
  return String(connection)
    .toLowerCase()
    .split(',')
    .map(name => name.trim())
}
