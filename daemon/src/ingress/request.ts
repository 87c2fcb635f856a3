import type { IncomingMessage } from 'node:http'
import type { DispatchRequest } from '@hedgerow/protocols/dispatch'
import { MeshError } from '@hedgerow/protocols/errors'
import { HEADERS, PEER_ID_PATTERN } from '@hedgerow/protocols/ids'
import type { Headers } from '@hedgerow/protocols/invocation'
import { bodyOf } from './body.ts'
import { DISPATCH_HEADERS } from './headers.ts'

/** What the route says of a request; the rest is read off the request itself. */
export interface Target {
  service: string
  /** path and query below the service */
  path: string
  resource?: string
  /** a body that was read already */
  body?: Uint8Array
}

/** Milliseconds that the caller will wait. @throws {MeshError} Malformed */
export function timeoutOf(value: string | undefined): number | undefined {
  if (value == null) return undefined
  const seconds = Number(value)
  if (!(seconds > 0 && seconds <= 86_400)) {
    throw new MeshError(
      'Malformed',
      `${HEADERS.timeout} is ${JSON.stringify(value.slice(0, 50))}; it must be a number of seconds between 0 and 86400`
    )
  }
  return seconds * 1000
}

/** The one peer that may answer. @throws {MeshError} Malformed */
export function workerOf(value: string | undefined): string | undefined {
  if (value == null || PEER_ID.test(value)) return value
  throw new MeshError(
    'Malformed',
    `${HEADERS.worker} is ${JSON.stringify(value.slice(0, 100))}, which is no peer id; GET /api/admin/workers lists them`
  )
}

const PEER_ID = new RegExp(PEER_ID_PATTERN)

/** Turns an HTTP request into one for dispatch. @throws {MeshError} Malformed */
export async function toDispatchRequest(
  message: IncomingMessage,
  id: string,
  target: Target,
  signal: AbortSignal
): Promise<DispatchRequest> {
  const { headers } = message
  const request: DispatchRequest = {
    id,
    service: target.service,
    method: message.method ?? 'GET',
    path: target.path,
    headers: passedOn(message),
    body: target.body ?? (await bodyOf(message)),
    signal
  }
  const timeout = timeoutOf(one(headers[HEADERS.timeout]))
  if (timeout != null) request.timeout = timeout
  const worker = workerOf(one(headers[HEADERS.worker]))
  if (worker != null) request.worker = worker
  const resource = target.resource ?? one(headers[HEADERS.resource])
  if (resource != null) request.resource = resource
  const traceparent = one(headers[HEADERS.traceparent])
  if (traceparent != null) request.traceparent = traceparent
  if (headers[HEADERS.idempotencyKey] != null) request.repeatable = true
  return request
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

/** The client's headers without those that dispatch speaks itself. */
function passedOn({ headers }: IncomingMessage): Headers {
  const kept: Headers = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value != null && !DISPATCH_HEADERS.has(name)) kept[name] = value
  }
  return kept
}
