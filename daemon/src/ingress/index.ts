/**
 * Where a request enters the mesh over HTTP: `/service/{service}/{path...}`. The route takes the request as it is,
 * hands it to dispatch and writes what comes back, streamed both ways. Daemons and relays share it.
 *
 * @example
 * ```ts
 * app.register(serviceRoutes({ dispatch: request => dispatcher.dispatch(request), record }))
 * ```
 */

import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { FastifyCorsOptions } from '@fastify/cors'
import type { DispatchAnswer, DispatchRequest } from '@hedgerow/protocols/dispatch'
import { MeshError, toMeshError } from '@hedgerow/protocols/errors'
import { HEADERS } from '@hedgerow/protocols/ids'
import { newRequestId, targetOf } from '@hedgerow/protocols/ingress'
import { attemptsOf, type Tracing } from '@hedgerow/protocols/tracing'
import type { FastifyBaseLogger, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { type Caller, callerText, LOCAL } from '../access/caller.ts'
import { writeAnswer, writeError } from './answer.ts'
import { counted } from './counted.ts'
import type { Wording } from './problem.ts'
import { type Target, toDispatchRequest } from './request.ts'
import { beginEntry, endEntry, traceIdOf } from './spans.ts'

export { type BodyBounds, bodyOf, wholeBodyOf } from './body.ts'
export { problemAnswer, type Wording } from './problem.ts'
export { traceparentOf } from './spans.ts'

export interface IngressComponents {
  dispatch(request: DispatchRequest): Promise<DispatchAnswer>
  /** asked before anything is done for a request; throws what it is refused with. @default none is refused */
  admit?(response: ServerResponse): void
  /** the name of a service by its alias, where callers may be limited to some. @default as it is called */
  nameOf?(service: string): string | undefined
  /** from where a request came, for the log. @default not said */
  addressOf?(message: IncomingMessage): string | undefined
  /** who calls, for the record, where the listener itself doesn't know. @default as it knows */
  callerOf?(message: IncomingMessage): string
  /** called once for every request that entered, when its answer is out or has failed */
  record?(record: IngressRecord): void
  /** @default nothing is recorded */
  tracing?: Tracing | undefined
  /** whose span a request continues. @default that of its traceparent */
  parentOf?(message: IncomingMessage): string | undefined
  /** what errors of the mesh say here. @default problem details */
  wording?: Wording
}

export interface IngressRecord {
  /** request id */
  id: string
  /** as the caller named it */
  service: string
  /** as in `POST /extract`; left out where nothing came of it */
  operation?: string
  method: string
  /** as the caller said it */
  dataClass?: string
  /** of the bodies, as far as they came and went */
  requestBytes: number
  answerBytes: number
  /** peer id of the one who answered, or was asked last */
  worker?: string
  /** milliseconds since 1970 */
  startedAt: number
  status: number
  /** milliseconds to the last byte */
  duration: number
  path: string
  /** who asked: `local`, `key/<id>`, `oidc/<issuer>|<subject>`, `peer/<id>` or `anonymous` */
  caller: string
  error?: MeshError
}

/** One HTTP exchange as the server has it, whether or not it came by way of Fastify. */
export interface Visit {
  /** request id */
  id: string
  message: IncomingMessage
  response: ServerResponse
  /** headers that the route adds to the answer (CORS) */
  extra: OutgoingHttpHeaders
  log: Pick<FastifyBaseLogger, 'info' | 'error'>
  /** who asks. @default a program on this machine */
  caller?: Caller
}

/** Adds what a nested or restricted ingress knows of its caller. */
export type Amend = (request: DispatchRequest, message: IncomingMessage) => DispatchRequest

/** Takes an exchange over from Fastify, which would wait for the handler and knows nothing of backpressure. */
export function visitOf(request: FastifyRequest, reply: FastifyReply): Visit {
  const extra: OutgoingHttpHeaders = {}
  // What else the framework has set (security headers) is for its own answers, not for a service's.
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (name === 'vary' || name.startsWith('access-control-')) extra[name] = value
  for (const name of reply.raw.getHeaderNames()) reply.raw.removeHeader(name)
  reply.hijack()
  return {
    id: request.id,
    message: request.raw,
    response: reply.raw,
    extra,
    log: request.server.log,
    caller: request.caller
  }
}

/** Takes one HTTP exchange from its request to the last byte of its answer. Never throws. */
export async function enter(
  components: IngressComponents,
  { id, message, response, extra, log, caller = LOCAL }: Visit,
  target: Target,
  amend: Amend = same
): Promise<void> {
  const startedAt = target.startedAt ?? performance.now()
  const who = callerText(caller)
  const span = components.tracing == null ? undefined : beginEntry(components, id, message, startedAt)
  const gone = new AbortController()
  const onClose = (): void => {
    if (!response.writableFinished) gone.abort(new MeshError('ClientGone', 'the caller left'))
  }
  response.once('close', onClose)
  let path = 'none'
  let attempts = 0
  let matched: string | undefined
  let worker: string | undefined
  let operation: string | undefined
  let failure: MeshError | undefined
  const passed = { request: 0, answer: 0 }
  try {
    components.admit?.(response)
    if (caller.services !== '*') authorize(caller, target.service, components)
    const request = await toDispatchRequest(message, id, target, gone.signal, startedAt)
    // Whoever isn't known is no more to a worker than the peer that they came by.
    if (caller.id !== '') request.caller = who
    if (caller.classes != null) request.callerClasses = caller.classes
    const dispatched = amend(request, message)
    if (span != null) dispatched.span = attemptsOf(span, start => (matched = start.operation.path))
    dispatched.body = counted(dispatched.body, bytes => {
      passed.request += bytes
    })
    const answer = await components.dispatch(dispatched)
    path = answer.route.path
    worker = answer.worker
    operation = answer.operation
    attempts = answer.attempts
    await writeAnswer(response, answer, extra, performance.now() - startedAt, bytes => {
      passed.answer += bytes
    })
  } catch (err) {
    failure = gone.signal.aborted ? new MeshError('ClientGone', 'the caller left') : toMeshError(err)
    failure.details.request_id ??= id
    if (failure.code === 'Internal') log.error({ request: id, err }, 'request failed')
    worker ??= failure.trail?.worker
    attempts ||= failure.trail?.attempts ?? 0
    passed.answer += writeError(response, failure, extra, performance.now() - startedAt, components.wording)
  } finally {
    response.removeListener('close', onClose)
  }
  const duration = performance.now() - startedAt
  const address = components.addressOf?.(message)
  const status = failure?.status ?? response.statusCode
  if (span != null)
    endEntry(span, message, {
      service: components.nameOf?.(target.service),
      operation: matched,
      worker,
      path,
      attempts,
      status,
      error: failure
    })
  log.info(
    {
      request: id,
      caller: who,
      ...(address == null ? {} : { address }),
      method: message.method,
      service: target.service,
      status,
      path,
      ...(worker == null ? {} : { worker }),
      ms: Math.round(duration * 10) / 10,
      ...(span?.recorded === true ? { trace: traceIdOf(span) } : {}),
      ...(failure == null ? {} : { code: failure.code, reason: failure.message })
    },
    'request'
  )
  const dataClass = message.headers[HEADERS.dataClass]
  components.record?.({
    id,
    service: target.service,
    ...(operation == null ? {} : { operation }),
    method: message.method ?? 'GET',
    ...(typeof dataClass === 'string' ? { dataClass } : {}),
    requestBytes: passed.request,
    answerBytes: passed.answer,
    ...(worker == null ? {} : { worker }),
    startedAt: Date.now() - duration,
    status,
    duration,
    path,
    caller: components.callerOf?.(message) ?? who,
    ...(failure == null ? {} : { error: failure })
  })
}

const same: Amend = request => request

/** @throws {MeshError} Forbidden */
export function authorize(
  caller: Caller,
  service: string,
  { nameOf = () => undefined }: Pick<IngressComponents, 'nameOf'>
): void {
  // Aliases may stand on either side.
  const name = nameOf(service) ?? service
  if (caller.services === '*' || caller.services.some(one => one === name || nameOf(one) === name)) return
  throw new MeshError('Forbidden', `${callerText(caller)} may not call ${service.slice(0, 100)}`, { retry_safe: false })
}

const PREFIX = '/service/'
/** What a request to a proxy puts before the path (RFC 9112, 3.2.2); every server must take it. */
const ORIGIN = /^https?:\/\/[^/?#]*/i

/** The path and query of a request, as its sender wrote them. */
export function pathOf(url: string | undefined): string {
  const path = (url ?? '/').replace(ORIGIN, '')
  return path.startsWith('/') ? path : `/${path}`
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** what this route does otherwise than the rest, which `@fastify/cors` reads here but has no types for */
    cors?: FastifyCorsOptions
  }
}

function isPreflight({ headers }: FastifyRequest): boolean {
  return headers.origin != null && headers['access-control-request-method'] != null
}

export function serviceRoutes(components: IngressComponents, amend?: Amend): FastifyPluginAsync {
  return async app => {
    // Bodies belong to the services: nothing here reads them.
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, _payload, done) => done(null))
    const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
      const target = targetOf(pathOf(request.raw.url))
      return enter(components, visitOf(request, reply), target, amend)
    }
    const options = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
      if (isPreflight(request)) await reply.code(204).header('content-length', '0').send()
      else await handler(request, reply)
    }
    const schema = { hide: true }
    const method = app.supportedMethods.filter(one => one !== 'OPTIONS')
    for (const url of [`${PREFIX}:service`, `${PREFIX}:service/*`]) {
      app.route({ method, url, schema, config: { streamed: true }, handler })
      // What pages may do is said here; any other OPTIONS is for the service, as every method is.
      app.options(url, { schema, config: { cors: { preflightContinue: true }, streamed: true } }, options)
    }
  }
}

/** Serves a request to a service that needs nothing of the web framework. @param extra headers for its answer */
export type ServiceListener = (
  message: IncomingMessage,
  response: ServerResponse,
  extra: OutgoingHttpHeaders,
  caller: Caller
) => void

/** The same as {@link serviceRoutes}, for requests that don't come by way of Fastify. */
export function serviceListener(components: IngressComponents, log: Visit['log']): ServiceListener {
  return (message, response, extra, caller) => {
    void enter(components, { id: newRequestId(), message, response, extra, log, caller }, targetOf(pathOf(message.url)))
  }
}
