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
import type { DispatchAnswer, DispatchRequest } from '@hedgerow/protocols/dispatch'
import { MeshError, toMeshError } from '@hedgerow/protocols/errors'
import { targetOf } from '@hedgerow/protocols/ingress'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { writeAnswer, writeError } from './answer.ts'
import type { Wording } from './problem.ts'
import { type Target, toDispatchRequest } from './request.ts'

export { bodyOf } from './body.ts'
export { problemAnswer, type Wording } from './problem.ts'

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
    writeError(response, failure, extra, components.wording)
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

export function serviceRoutes(components: IngressComponents, amend?: Amend): FastifyPluginAsync {
  return async app => {
    // Bodies belong to the services: nothing here reads them.
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, _payload, done) => done(null))
    const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<void> =>
      enter(components, request, reply, targetOf(pathOf(request.raw.url)), amend)
    const schema = { hide: true }
    app.all(`${PREFIX}:service`, { schema }, handler)
    app.all(`${PREFIX}:service/*`, { schema }, handler)
  }
}
