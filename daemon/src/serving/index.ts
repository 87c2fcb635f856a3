/**
 * Serves a request on this worker, wherever it came from: another peer's dispatch over libp2p, or this peer's own. It
 * serves or refuses; it never dispatches again.
 *
 * @example
 * ```ts
 * const serving = createServing({ services, contexts, peerId, draining: () => false })
 * const answer = await serving.invoke(caller, { method: 'POST', path: '/service/ner-extraction/', headers, body }, { signal })
 * ```
 */
import { matchOperation, methodsOf, type ServiceContract } from '@hedgerow/protocols/contract'
import { maySee, stricter } from '@hedgerow/protocols/data-class'
import { MeshError, toMeshError } from '@hedgerow/protocols/errors'
import { HEADERS, MAX_DEPTH } from '@hedgerow/protocols/ids'
import { dataClassOf, targetOf, timeoutOf } from '@hedgerow/protocols/ingress'
import type { Headers, IncomingAnswer, Invoker, OutgoingRequest } from '@hedgerow/protocols/invocation'
import { type Credential, covers } from '@hedgerow/protocols/membership'
import { problemAnswer } from '../ingress/index.ts'
import type { ServiceAnswer, ServiceInstance, ServiceRequest } from '../runtime/index.ts'
import type { CallContext, ContextTable } from './contexts.ts'
import type { Vouching } from './vouching.ts'

export { type CallContext, ContextTable } from './contexts.ts'
export { type NestedComponents, nestedRoutes } from './nested.ts'
export { peerListener, peerRoutes } from './peer-routes.ts'
export { type Vouching, vouching } from './vouching.ts'

/** A service that runs here. */
export interface LocalService extends Pick<ServiceInstance, 'invoke'> {
  readonly contract: ServiceContract
}

export interface ServingComponents {
  services: { get(name: string): LocalService | undefined }
  contexts: ContextTable
  /** what this peer's own credential says; undefined while it has none */
  rights(): Rights | undefined
  /** what a peer that sent a request may ask for; undefined when that is all */
  callerRights(peerId: string): Pick<Rights, 'services'> | undefined
  draining(): boolean
  /** whether a peer may say for whom it asks */
  vouches: Vouching
  onError?(err: unknown): void
}

export type Rights = Pick<Credential, 'services' | 'classes'>

export interface Serving {
  /** Never rejects: what the mesh refuses is an answer too, marked by {@link HEADERS.error}. */
  invoke: Invoker['invoke']
}

export function createServing(components: ServingComponents): Serving {
  return {
    async invoke(caller, request, { signal }) {
      try {
        return await serve(components, caller, request, signal)
      } catch (err) {
        const error = toMeshError(err)
        if (error.code === 'Internal') components.onError?.(err)
        return answerOf(error)
      }
    }
  }
}

async function serve(
  { services, contexts, rights, callerRights, draining, vouches }: ServingComponents,
  peer: string,
  request: OutgoingRequest,
  signal: AbortSignal
): Promise<IncomingAnswer> {
  const { service: name, path } = targetOf(request.path)
  if (draining()) throw new MeshError('Draining', 'this worker is stopping; another one will answer', { service: name })
  const asked = callerRights(peer)
  if (asked != null && !covers(asked.services, name))
    throw new MeshError('Forbidden', `the credential of ${peer} does not name ${name}`, { service: name })
  const service = services.get(name)
  if (service == null) throw new MeshError('NotServed', `this worker does not offer ${name} now`, { service: name })
  const match = matchOperation(service.contract, request.method, path)
  if (match == null) throw unknownOperation(service.contract, request.method, path)
  const said = (header: string): string | undefined => single(request.headers[header])
  const claimed = said(HEADERS.caller)
  const caller = claimed != null && vouches(peer, claimed) ? claimed : `peer/${peer}`
  if (match.operation.internal && caller !== `service/${name}`) {
    throw new MeshError('Forbidden', `${match.operation.path} is for other instances of ${name} only`, {
      service: name
    })
  }
  const dataClass = dataClassOf(said(HEADERS.dataClass))
  checkClasses(rights()?.classes ?? [], [dataClass, service.contract.dataClass], name)
  const timeout = timeoutOf(said(HEADERS.timeout))
  const context: CallContext = { ...contextOf(said, timeout), caller }
  const itsClass = stricter(service.contract.dataClass, dataClass)
  if (itsClass != null) context.dataClass = itsClass
  const token = contexts.open(context)
  const close = (): void => contexts.close(token)
  const stamp: Headers = {}
  stamp[HEADERS.context] = token
  stamp[HEADERS.requestId] = context.requestId
  stamp[HEADERS.caller] = caller
  if (itsClass != null) stamp[HEADERS.dataClass] = itsClass
  if (context.traceparent != null) stamp[HEADERS.traceparent] = context.traceparent
  const local: ServiceRequest = { ...request, path: match.path, operation: match.operation, stamp }
  try {
    const answer = await service.invoke(local, timeout == null ? { signal } : { signal, timeout })
    const { status, body, complete } = answer
    const headers = withTiming(answer)
    if (complete != null) {
      close()
      return { status, headers, body, complete }
    }
    signal.addEventListener('abort', close, { once: true })
    return { status, headers, body: closing(body, close) }
  } catch (err) {
    close()
    throw err
  }
}

/** The last look before the data is here: whoever sent it may have seen an older credential. */
function checkClasses(allowed: readonly string[], needed: Array<string | undefined>, service: string): void {
  const forbidden = needed.find(one => one != null && !maySee(allowed, one))
  if (forbidden == null) return
  throw new MeshError('ClassNotAllowed', `this worker may not see ${forbidden} data`, {
    service,
    data_class: forbidden
  })
}

/** What a backend's own calls inherit from this one. @throws {MeshError} TooDeep */
function contextOf(said: (header: string) => string | undefined, timeout: number | undefined): CallContext {
  const depth = Number(said(HEADERS.depth) ?? 0)
  if (!(depth >= 0 && depth <= MAX_DEPTH)) {
    throw new MeshError('TooDeep', `calls are nested ${depth} deep; at most ${MAX_DEPTH}`)
  }
  const context: CallContext = { requestId: said(HEADERS.requestId) ?? '', depth }
  if (timeout != null) context.deadline = performance.now() + timeout
  const traceparent = said(HEADERS.traceparent)
  if (traceparent != null) context.traceparent = traceparent
  return context
}

function unknownOperation(contract: ServiceContract, method: string, path: string): MeshError {
  const allowed = methodsOf(contract, path)
  const pathname = path.split('?')[0]
  return allowed.length > 0
    ? new MeshError('MethodNotAllowed', `${contract.name} takes ${allowed.join(', ')} at ${pathname}, not ${method}`, {
        service: contract.name
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

function answerOf(error: MeshError): IncomingAnswer {
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
