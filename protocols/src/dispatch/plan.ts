import { matchOperation, methodsOf, type Operation, type ServiceContract } from '../contract/index.ts'
import { MeshError, type MeshErrorCode, type MeshErrorDetails } from '../errors/index.ts'
import { isAmbiguous } from '../fence/index.ts'
import { MAX_DEPTH } from '../ids/index.ts'
import type { Headers, Invoker } from '../invocation/index.ts'
import type { Needs } from './eligible.ts'
import type { ServiceState } from './experience.ts'
import { requestHeaders, single } from './headers.ts'
import type { DispatchRequest } from './index.ts'
import type { LatencyWindow } from './latency-window.ts'
import { tooLarge } from './request-body.ts'
import { continueTrace, type Trace } from './trace.ts'

/** What a request asks for, checked against what the service promises. */
export interface Plan {
  request: DispatchRequest
  requestId: string
  service: ServiceState
  operation: Operation
  /** whether doing it twice does no harm: the operation says so, or the caller */
  repeatable: boolean
  /** whether a small answer is kept back until it is complete */
  withhold: boolean
  /** how it is sent. @default as HTTP */
  invoke?: Invoker['invoke']
  /** as in `POST /extract` */
  operationName: string
  /** the operation's latencies */
  window: LatencyWindow
  needs: Needs
  /** path and query as the worker gets them */
  path: string
  /** headers as the worker gets them, but for the time left */
  headers: Headers
  traceparent: string
  /** when the caller's time is up; Infinity when it has all the time */
  deadline: number
}

export interface PlanInput {
  request: DispatchRequest
  requestId: string
  service: ServiceState
  contract: ServiceContract
  now: number
}

/** @throws {MeshError} when no worker should be troubled with it */
export function makePlan({ request, requestId, service, contract, now }: PlanInput): Plan {
  const { method, path, caller, callerClasses, depth = 0, timeout = Infinity, worker, resource, dataClass } = request
  const { name } = service
  const refuse = (code: MeshErrorCode, message: string, details?: MeshErrorDetails): MeshError =>
    new MeshError(code, message, { service: name, request_id: requestId, ...details })
  if (depth > MAX_DEPTH) throw refuse('TooDeep', `calls may be nested ${MAX_DEPTH} deep; this one is at ${depth}`)
  if (contract.protocol === 'tcp') {
    throw refuse(
      'NotHttp',
      `${name} speaks TCP; \`hedgerow forward ${name} <port>\` opens it at a port of your machine`
    )
  }
  const operation = matchOperation(contract, method, path)?.operation
  if (operation == null || (operation.internal && caller !== `service/${name}`)) {
    if (isAmbiguous(path.replace(/\?.*/s, ''))) {
      throw refuse(
        'Malformed',
        'the path holds "..", "//", ";", "%2F", a backslash, a control character or what is no percent-encoded UTF-8, which servers read in different ways; put such a value in the query'
      )
    }
    const allow = methodsOf({ operations: contract.operations.filter(({ internal }) => !internal) }, path)
    throw allow.length === 0
      ? refuse('UnknownOperation', `${name} has no such path; it has ${pathsOf(contract)}`)
      : refuse('MethodNotAllowed', `${name} has this path for ${allow.join(', ')} only`, { allow })
  }
  if (Number(single(request.headers, 'content-length') ?? 0) > operation.bodyLimit) throw tooLarge(operation.bodyLimit)
  const repeatable = operation.idempotent || request.repeatable === true
  const { traceparent, continued } = traceOf(request)
  const operationName = `${operation.method} ${operation.path}`
  return {
    request,
    requestId,
    service,
    operation,
    repeatable,
    withhold: repeatable,
    operationName,
    window: service.window(operationName),
    needs: {
      method,
      path,
      contract,
      worker,
      resource,
      dataClass,
      repeatable,
      preferred: preferredResource(contract.stateKey, path)
    },
    path: `/service/${name}${path}`,
    headers: requestHeaders(request.headers, {
      requestId,
      depth,
      caller,
      callerClasses,
      dataClass,
      traceparent,
      traceContinued: continued
    }),
    traceparent,
    deadline: now + timeout
  }
}

/** That of the span which is recorded, if there is one. */
function traceOf({ traceparent, span }: DispatchRequest): Trace {
  const trace = continueTrace(traceparent)
  return span == null ? trace : { ...trace, traceparent: span.traceparent }
}

const MAX_PATHS = 12

/** As a caller may use them, `POST /query, GET /documents/{id}`. */
function pathsOf({ operations }: ServiceContract): string {
  const open = operations.filter(({ internal }) => !internal).map(({ method, path }) => `${method} ${path}`)
  return open.length > MAX_PATHS ? `${open.slice(0, MAX_PATHS).join(', ')} and others` : open.join(', ')
}

/** A service that keeps data by key says so; who holds the key of this request answers it best. */
export function preferredResource(stateKey: string | undefined, path: string): string | undefined {
  const mark = path.indexOf('?')
  if (stateKey == null || mark === -1) return undefined
  const value = new URLSearchParams(path.slice(mark)).get(stateKey)
  return value == null ? undefined : `${stateKey}/${value}`
}
