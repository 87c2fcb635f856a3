import type { DispatchRequest } from '../dispatch/index.ts'
import { MeshError } from '../errors/index.ts'
import { HEADERS } from '../ids/index.ts'
import { randomHex } from '../random/index.ts'

/** 128 bits, as W3C trace ids have. */
const REQUEST_ID_BYTES = 16

export function newRequestId(): string {
  return randomHex(REQUEST_ID_BYTES)
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

export type IngressOptions = Pick<DispatchRequest, 'timeout' | 'worker' | 'resource' | 'traceparent' | 'repeatable'>

/** What the headers of a request ask of dispatch. @param header by lower-case name @throws {MeshError} Malformed */
export function optionsIn(header: (name: string) => string | undefined): IngressOptions {
  const options: IngressOptions = {}
  const timeout = timeoutOf(header(HEADERS.timeout))
  if (timeout != null) options.timeout = timeout
  const worker = header(HEADERS.worker)
  if (worker != null) options.worker = worker
  const resource = header(HEADERS.resource)
  if (resource != null) options.resource = resource
  const traceparent = header(HEADERS.traceparent)
  if (traceparent != null) options.traceparent = traceparent
  if (header(HEADERS.idempotencyKey) != null) options.repeatable = true
  return options
}
