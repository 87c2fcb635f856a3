/**
 * Serves a request on this worker, wherever it came from: another peer's dispatch over libp2p, or this peer's own. It
 * serves or refuses; it never dispatches again.
 *
 * @example
 * ```ts
 * const serving = createServing({ services, contexts, draining: () => false, mayActFor: () => false })
 * const answer = await serving.invoke(caller, { method: 'POST', path: '/service/ner-extraction/', headers, body }, { signal })
 * ```
 */
import { matchOperation, methodsOf, type ServiceContract } from '@hedgerow/protocols/contract'
import { seenByBoth, stricter } from '@hedgerow/protocols/data-class'
import { MeshError, toMeshError } from '@hedgerow/protocols/errors'
import { isAmbiguous } from '@hedgerow/protocols/fence'
import { HEADERS, MAX_DEPTH } from '@hedgerow/protocols/ids'
import { dataClassOf, newRequestId, targetOf, timeoutOf } from '@hedgerow/protocols/ingress'
import type { Headers, IncomingAnswer, Invoker, OutgoingRequest } from '@hedgerow/protocols/invocation'
import { ATTRIBUTES, type Span } from '@hedgerow/protocols/tracing'
import { problemAnswer } from '../ingress/index.ts'
import type { ServiceAnswer, ServiceRequest } from '../runtime/index.ts'
import { Account, type Served, type ServedHead } from './account.ts'
import { callerOf, checkClasses, type ServingComponents, serviceFor, tooOften } from './checks.ts'
import type { CallContext } from './contexts.ts'
import { beginExchange, beginServing, endServing } from './spans.ts'

export type { Served } from './account.ts'
export type { LocalService, Rights, ServingComponents } from './checks.ts'
export { type ConnectionServing, serveConnections } from './connections.ts'
export { type CallContext, ContextTable } from './contexts.ts'
export { backendsOnly, type NestedComponents, nestedRoutes } from './nested.ts'
export { peerListener, peerRoutes } from './peer-routes.ts'
export { type Vouching, vouching } from './vouching.ts'

export interface Serving {
  /** Never rejects: what the mesh refuses is an answer too, marked by {@link HEADERS.error}. */
  invoke: Invoker['invoke']
}

export function createServing(components: ServingComponents): Serving {
  const { onServed = ignore } = components
  return {
    async invoke(peer, request, { signal }) {
      const said = (header: string): string | undefined => single(request.headers[header])
      // Not accounted for: whoever floods a worker doesn't fill its audit log.
      if (components.mayAsk?.(peer) === false) return answerOf(tooOften(peer))
      const head = headOf(peer, request.method, said)
      const span = components.tracing && beginServing(components.tracing, head, said(HEADERS.traceparent))
      const account = new Account(head, span == null ? onServed : recording(span, onServed))
      try {
        return await serve(components, account, request, said, signal, span)
      } catch (err) {
        const error = toMeshError(err)
        if (error.code === 'Internal') components.onError?.(err)
        const answer = answerOf(error)
        account.refused(error, answer.complete)
        return answer
      }
    }
  }
}

function ignore(): void {}

function recording(span: Span, tell: (served: Served) => void): (served: Served) => void {
  return served => {
    endServing(span, served)
    tell(served)
  }
}

/** As far as it is known before anything is checked. */
function headOf(peer: string, method: string, said: Said): ServedHead {
  const id = said(HEADERS.requestId)
  return {
    requestId: id != null && REQUEST_ID.test(id) ? id : newRequestId(),
    peer,
    caller: `peer/${peer}`,
    service: '',
    operation: undefined,
    method,
    dataClass: undefined,
    depth: 0
  }
}

type Said = (header: string) => string | undefined

async function serve(
  components: ServingComponents,
  account: Account,
  request: OutgoingRequest,
  said: Said,
  signal: AbortSignal,
  span: Span | undefined
): Promise<IncomingAnswer> {
  const { contexts, rights, callerClasses } = components
  const { head } = account
  const { service: name, path } = targetOf(request.path)
  head.service = name
  const service = serviceFor(components, head.peer, name)
  if (service.contract.protocol !== 'http') throw new MeshError('NotHttp', `${name} speaks TCP`, { service: name })
  const match = matchOperation(service.contract, request.method, path)
  if (match == null) throw unknownOperation(service.contract, request.method, path)
  head.operation = `${match.operation.method} ${match.operation.path}`
  head.caller = callerOf(head.peer, said(HEADERS.caller), components)
  if (match.operation.internal && head.caller !== `service/${name}`) {
    throw new MeshError('Forbidden', `${match.operation.path} is for other instances of ${name} only`, {
      service: name
    })
  }
  const dataClass = dataClassOf(said(HEADERS.dataClass))
  head.dataClass = stricter(service.contract.dataClass, dataClass)
  checkClasses(rights()?.classes ?? [], [dataClass, service.contract.dataClass], name)
  const seen = classesSeen(callerClasses(head.peer), said(HEADERS.callerClasses))
  // An instance keeps what it is given, so it must be allowed to see it; whoever else sends data has it already.
  if (head.caller === `service/${name}`) checkClasses(seen, [head.dataClass], name, `the worker ${head.peer}`)
  head.depth = depthOf(said(HEADERS.depth))
  const timeout = timeoutOf(said(HEADERS.timeout))
  const traceparent = span?.traceparent ?? said(HEADERS.traceparent)
  const context: CallContext = { ...contextOf(head, traceparent, timeout), callerClasses: seen }
  const token = contexts.open(context)
  const close = (): void => contexts.close(token)
  const stamp: Headers = {}
  stamp[HEADERS.context] = token
  stamp[HEADERS.requestId] = context.requestId
  stamp[HEADERS.caller] = head.caller
  stamp[HEADERS.callerClasses] = seen.join(',')
  if (head.dataClass != null) stamp[HEADERS.dataClass] = head.dataClass
  if (context.traceparent != null) stamp[HEADERS.traceparent] = context.traceparent
  const body = account.request(request.body)
  const local: ServiceRequest = { ...request, body, path: match.path, operation: match.operation, stamp }
  if (span != null)
    local.begin = () => {
      const exchange = beginExchange(span, head)
      // What the backend asks of others meanwhile is part of that.
      context.traceparent = exchange.traceparent
      return exchange
    }
  try {
    const answer = await service.invoke(local, timeout == null ? { signal } : { signal, timeout })
    const { status, complete } = answer
    span?.set({ [ATTRIBUTES.queue]: answer.timing.queue })
    const headers = withTiming(answer)
    // For who sent none: by it, what was noted of this request is found.
    if (said(HEADERS.requestId) !== head.requestId) headers[HEADERS.requestId] = head.requestId
    account.status = status
    if (complete != null) {
      close()
      account.complete(complete)
      return { status, headers, body: answer.body, complete }
    }
    const leave = (): void => {
      close()
      account.end('ClientGone')
    }
    signal.addEventListener('abort', leave, { once: true })
    return { status, headers, body: closing(account.answer(answer.body), close) }
  } catch (err) {
    close()
    throw err
  }
}

/** Of a nested call no more than its first caller may see, nor more than who passes it on. */
function classesSeen(own: readonly string[], said: string | undefined): readonly string[] {
  return said == null ? own : seenByBoth(own, said.split(',', MAX_CLASSES))
}

const MAX_CLASSES = 16

const REQUEST_ID = /^[\w.:-]{1,128}$/

/** @throws {MeshError} TooDeep */
function depthOf(said = '0'): number {
  const depth = Number(said)
  if (Number.isInteger(depth) && depth >= 0 && depth <= MAX_DEPTH) return depth
  throw new MeshError('TooDeep', `calls are nested ${depth} deep; at most ${MAX_DEPTH}`)
}

/** What a backend's own calls inherit from this one. */
function contextOf(
  { requestId, depth, service, caller, dataClass }: ServedHead,
  traceparent: string | undefined,
  timeout: number | undefined
): CallContext {
  const context: CallContext = { requestId, depth, backend: service, caller }
  if (dataClass != null) context.dataClass = dataClass
  if (timeout != null) context.deadline = performance.now() + timeout
  if (traceparent != null) context.traceparent = traceparent
  return context
}

function unknownOperation(contract: ServiceContract, method: string, path: string): MeshError {
  const [pathname = ''] = path.split('?')
  if (isAmbiguous(pathname)) {
    return new MeshError('Malformed', 'servers read this path in different ways, so none gets it', {
      service: contract.name
    })
  }
  const allowed = methodsOf(contract, path)
  return allowed.length > 0
    ? new MeshError('MethodNotAllowed', `${contract.name} takes ${allowed.join(', ')} at ${pathname}, not ${method}`, {
        service: contract.name,
        allow: allowed
      })
    : new MeshError('UnknownOperation', `${contract.name} has no operation ${method} ${pathname}`, {
        service: contract.name
      })
}

/** The answer's headers, which nobody else has. */
function withTiming({ headers, timing }: ServiceAnswer): Headers {
  const own = `queue;dur=${timing.queue.toFixed(2)}, backend;dur=${timing.backend.toFixed(2)}`
  const theirs = single(headers[HEADERS.serverTiming])
  headers[HEADERS.serverTiming] = theirs == null ? own : `${theirs}, ${own}`
  return headers
}

async function* closing(body: AsyncIterable<Uint8Array>, onEnd: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } finally {
    onEnd()
  }
}

function answerOf(error: MeshError): IncomingAnswer & { complete: Uint8Array } {
  const { body: complete, ...head } = problemAnswer(error)
  return {
    ...head,
    complete,
    body: (async function* () {
      yield complete
    })()
  }
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}
