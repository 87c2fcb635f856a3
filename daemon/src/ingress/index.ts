/**
 * Where a request enters the mesh over HTTP: `/service/{service}/{path...}`. The route takes the request as it is,
 * hands it to dispatch and writes what comes back, streamed both ways. Daemons and relays share it.
 *
 * @example
 * ```ts
 * app.register(serviceRoutes({ dispatch: request => dispatcher.dispatch(request), record }))
 * ```
 */

import type { OutgoingHttpHeaders } from 'node:http'
import type { FastifyCorsOptions } from '@fastify/cors'
import type { DispatchAnswer, DispatchRequest } from '@hedgerow/protocols/dispatch'
import { MeshError, toMeshError } from '@hedgerow/protocols/errors'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { writeAnswer, writeError } from './answer.ts'
import type { Wording } from './problem.ts'
import { type Target, toDispatchRequest } from './request.ts'

export { bodyOf } from './body.ts'
export { EXPOSED_HEADERS } from './headers.ts'
export { problemAnswer, type Wording } from './problem.ts'
export { timeoutOf } from './request.ts'

export interface IngressComponents {
  dispatch(request: DispatchRequest): Promise<DispatchAnswer>
  /** called once for every request that entered, when its answer is out or has failed */
  record?(record: IngressRecord): void
  /** what errors of the mesh say here. @default problem details */
  wording?: Wording
}

export interface IngressRecord {
  service: string
  status: number
  /** milliseconds to the last byte */
  duration: number
  path: string
  error?: MeshError
}

/** Adds what a nested or restricted ingress knows of its caller. */
export type Amend = (request: DispatchRequest, message: FastifyRequest) => DispatchRequest

/** Takes one HTTP exchange from its request to the last byte of its answer. Never throws. */
export async function enter(
  components: IngressComponents,
  request: FastifyRequest,
  reply: FastifyReply,
  target: Target,
  amend: Amend = same
): Promise<void> {
  const startedAt = performance.now()
  const response = reply.raw
  const gone = new AbortController()
  const onClose = (): void => {
    if (!response.writableFinished) gone.abort(new MeshError('ClientGone', 'the caller left'))
  }
  response.once('close', onClose)
  // From here on the answer is ours: Fastify would wait for the handler and knows nothing of backpressure.
  const extra = reply.getHeaders() as OutgoingHttpHeaders
  reply.hijack()
  let path = 'none'
  let failure: MeshError | undefined
  try {
    const dispatched = amend(await toDispatchRequest(request.raw, request.id, target, gone.signal), request)
    const answer = await components.dispatch(dispatched)
    path = answer.route.path
    await writeAnswer(response, answer, extra, performance.now() - startedAt)
  } catch (err) {
    failure = gone.signal.aborted ? new MeshError('ClientGone', 'the caller left') : toMeshError(err)
    failure.details.request_id ??= request.id
    if (failure.code === 'Internal') request.log.error({ err }, 'request failed')
    writeError(response, failure, extra, performance.now() - startedAt, components.wording)
  } finally {
    response.removeListener('close', onClose)
  }
  const duration = performance.now() - startedAt
  const status = failure?.status ?? response.statusCode
  request.log.info(
    {
      method: request.method,
      service: target.service,
      status,
      path,
      ms: Math.round(duration * 10) / 10,
      ...(failure == null ? {} : { code: failure.code, reason: failure.message })
    },
    'request'
  )
  components.record?.({
    service: target.service,
    status,
    duration,
    path,
    ...(failure == null ? {} : { error: failure })
  })
}

const same: Amend = request => request

const PREFIX = '/service/'
/** What a request to a proxy puts before the path (RFC 9112, 3.2.2); every server must take it. */
const ORIGIN = /^https?:\/\/[^/?#]*/i

/** The path and query of a request, as its sender wrote them. */
export function pathOf(url: string | undefined): string {
  const path = (url ?? '/').replace(ORIGIN, '')
  return path.startsWith('/') ? path : `/${path}`
}

/** Service, path and query of a URL below `/service/`. @throws {MeshError} Malformed */
export function targetOf(url: string): Target {
  // The router decodes before it looks, so `/%73ervice/` comes here too.
  if (!url.startsWith(PREFIX)) throw new MeshError('Malformed', `write ${PREFIX} in the path as it is`)
  const rest = url.slice(PREFIX.length)
  const end = rest.search(/[/?]/)
  const encoded = end === -1 ? rest : rest.slice(0, end)
  const below = end === -1 ? '' : rest.slice(end)
  let service: string
  try {
    service = decodeURIComponent(encoded)
  } catch {
    throw new MeshError('Malformed', 'the service name in the path is not valid percent-encoding')
  }
  return { service, path: below.startsWith('/') ? below : `/${below}` }
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
    const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<void> =>
      enter(components, request, reply, targetOf(pathOf(request.raw.url)), amend)
    const options = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
      if (isPreflight(request)) await reply.code(204).header('content-length', '0').send()
      else await handler(request, reply)
    }
    const schema = { hide: true }
    const method = app.supportedMethods.filter(one => one !== 'OPTIONS')
    for (const url of [`${PREFIX}:service`, `${PREFIX}:service/*`]) {
      app.route({ method, url, schema, handler })
      // What pages may do is said here; any other OPTIONS is for the service, as every method is.
      app.options(url, { schema, config: { cors: { preflightContinue: true } } }, options)
    }
  }
}
