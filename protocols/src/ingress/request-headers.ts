import { DATA_CLASSES } from '../data-class/index.ts'
import type { DispatchRequest } from '../dispatch/index.ts'
import { MeshError } from '../errors/index.ts'
import { HEADERS, NAME_PATTERN, PEER_ID_PATTERN } from '../ids/index.ts'
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

/** The one peer that may answer. @throws {MeshError} Malformed */
function workerOf(value: string | undefined): string | undefined {
  if (value == null || PEER_ID.test(value)) return value
  throw new MeshError(
    'Malformed',
    `${HEADERS.worker} is ${JSON.stringify(value.slice(0, 100))}, which is no peer id; GET /api/admin/workers lists them`
  )
}

/** Which class of data a request says that it holds. @throws {MeshError} Malformed */
export function dataClassOf(value: string | undefined): string | undefined {
  if (value == null || NAME.test(value)) return value
  throw new MeshError(
    'Malformed',
    `${HEADERS.dataClass} is ${JSON.stringify(value.slice(0, 100))}; it must be ${DATA_CLASSES.join(', ')}, or a class of the mesh's own (lower-case letters, digits, hyphens)`
  )
}

const NAME = new RegExp(NAME_PATTERN)
const PEER_ID = new RegExp(PEER_ID_PATTERN)

export type IngressOptions = Pick<
  DispatchRequest,
  'timeout' | 'worker' | 'resource' | 'dataClass' | 'traceparent' | 'repeatable'
>

/** What the headers of a request ask of dispatch. @param header by lower-case name @throws {MeshError} Malformed */
export function optionsIn(header: (name: string) => string | undefined): IngressOptions {
  const options: IngressOptions = {}
  const timeout = timeoutOf(header(HEADERS.timeout))
  if (timeout != null) options.timeout = timeout
  const worker = workerOf(header(HEADERS.worker))
  if (worker != null) options.worker = worker
  const resource = header(HEADERS.resource)
  if (resource != null) options.resource = resource
  const dataClass = dataClassOf(header(HEADERS.dataClass))
  if (dataClass != null) options.dataClass = dataClass
  const traceparent = header(HEADERS.traceparent)
  if (traceparent != null) options.traceparent = traceparent
  if (header(HEADERS.idempotencyKey) != null) options.repeatable = true
  return options
}
