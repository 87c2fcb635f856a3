import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import swagger from '@fastify/swagger'
import { type TypeBoxTypeProvider, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController
} from 'fastify'
import { type Problem, problem, ServiceError } from './errors.ts'
import { strictBodies } from './json-body.ts'
import { lingerAfterAnswers } from './lingering.ts'
import { RequestStats } from './stats.ts'
import { describeFaults, inputErrors } from './validation.ts'

// routes say what they do (`schema: { summary }`) in terms of this package's types
export type {} from '@fastify/swagger'

export type ServiceApp = FastifyInstance<
  Server,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

export interface ServiceAppInit {
  /** the service's canonical name, as in its manifest */
  name: string
  version: string
  /** bytes; a larger body is answered 413. @default 1 MiB */
  bodyLimit?: number
  /** milliseconds that one request may take to arrive whole. @default 120 s */
  requestTimeout?: number
  /** says whether the service can work now; not ready is 503 on `/health`, with the reason. @default always ready */
  ready?(): { ready: true } | { ready: false; reason: string }
  /** what the body of an error says besides problem details, for clients that look elsewhere */
  errorFields?(problem: Problem): Record<string, unknown>
  /** what the service adds to `GET /stats`, in snake_case */
  stats?(): Record<string, unknown> | Promise<Record<string, unknown>>
}

const BODY_LIMIT = 1024 * 1024
const REQUEST_TIMEOUT = 120_000
/** a backend on loopback keeps connections longer than the daemon that pools them, so that the daemon closes first */
const KEEP_ALIVE_TIMEOUT = 75_000

/** A Fastify instance with the conventions of the shipped services; add operations, then {@link serve} it. */
export async function serviceApp(init: ServiceAppInit): Promise<ServiceApp> {
  const stats = new RequestStats()
  const app = Fastify({
    bodyLimit: init.bodyLimit ?? BODY_LIMIT,
    requestTimeout: init.requestTimeout ?? REQUEST_TIMEOUT,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
    forceCloseConnections: 'idle',
    // Fastify's defaults change bodies in silence: coerce "5" to 5, drop what the schema doesn't name.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: true, allErrors: false } },
    requestIdHeader: 'hedgerow-request-id',
    logController: new LogController({ disableRequestLogging: true }),
    logger: { level: process.env.LOG_LEVEL ?? 'info', base: { service: init.name }, stream: process.stderr }
  }).withTypeProvider<TypeBoxTypeProvider>()
  app.setValidatorCompiler(TypeBoxValidatorCompiler)
  const lingering = lingerAfterAnswers(app.server)
  app.addHook('preClose', async () => lingering.stop())
  // by default Fastify takes any text as a body; a service that wants text says so, and the others answer 415
  app.removeContentTypeParser('text/plain')
  strictBodies(app)

  await app.register(swagger, { openapi: { openapi: '3.1.0', info: { title: init.name, version: init.version } } })

  const send = (reply: FastifyReply, error: Problem): FastifyReply =>
    reply
      .code(error.status)
      .type('application/problem+json')
      .send(JSON.stringify({ ...error, ...init.errorFields?.(error) }))
  app.addHook('onResponse', async (request, reply) => {
    if (request.routeOptions.config?.probe === true) return
    stats.record(reply.statusCode, reply.elapsedTime)
    request.log.info(
      {
        method: request.method,
        route: request.routeOptions.url,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
        ...traceOf(request)
      },
      'request'
    )
  })
  app.setErrorHandler<FastifyError | ServiceError>((error, request, reply) => {
    // Fastify closes the connection of a body that is too large; the rest of it is read all the same (`lingering`).
    reply.removeHeader('connection')
    return send(reply, problemOf(isWrongType(error) ? wrongType(request) : error, request.log))
  })
  app.setNotFoundHandler((request, reply) => {
    send(
      reply,
      problem(
        404,
        'NoSuchOperation',
        `${init.name} has no ${request.method} ${request.url.split('?')[0]}; GET /openapi.json lists its operations`
      )
    )
  })

  app.get('/health', { config: { probe: true } }, async (_request, reply) => {
    const state = init.ready?.() ?? { ready: true }
    if (state.ready) return { status: 'healthy', service: init.name, version: init.version }
    return reply.code(503).send({ status: 'starting', service: init.name, version: init.version, reason: state.reason })
  })
  app.get('/stats', { config: { probe: true } }, async () => ({
    service: init.name,
    version: init.version,
    ...stats.snapshot(),
    ...(await init.stats?.())
  }))
  app.get('/openapi.json', { config: { probe: true } }, async () => app.swagger())
  return app as unknown as ServiceApp
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** a route that watches the service rather than uses it: neither counted nor logged */
    probe?: boolean
  }
}

function problemOf(error: FastifyError | ServiceError, log: FastifyBaseLogger): Problem {
  if (error instanceof ServiceError) {
    if (error.status >= 500) log.warn({ err: error }, 'request failed')
    return problem(error.status, error.code, error.message, error.extensions)
  }
  // 400 is a body that isn't what its media type says; 422 is one that is, but not what the schema asks for.
  if (error.validation != null) {
    const { validation, validationContext: part = 'body' } = error
    const detail = describeFaults(validation, PARTS[part])
    const errors = inputErrors(validation)
    return problem(part === 'body' ? 422 : 400, 'InvalidInput', detail, { errors })
  }
  const status = error.statusCode ?? 500
  if (status < 500) return problem(status, CODES[error.code] ?? 'BadRequest', error.message)
  log.error({ err: error }, 'request failed')
  return problem(500, 'Internal', 'the service failed on this request; its log has the cause')
}

function isWrongType(error: FastifyError | ServiceError): boolean {
  return error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE'
}

/** What was sent, and what the operation takes. */
function wrongType({ headers, method, routeOptions }: FastifyRequest): ServiceError {
  const sent = headers['content-type']
  const taken = routeOptions.schema?.consumes ?? ['application/json']
  return new ServiceError(
    415,
    'UnsupportedMediaType',
    `${sent == null ? 'the body comes without a Content-Type' : `the body is said to be ${sent.slice(0, 100)}`}; ${method} ${routeOptions.url} takes ${taken.join(', ')}`
  )
}

const PARTS: Record<string, string> = { querystring: 'in the query string, ', params: 'in the path, ' }

const CODES: Record<string, string> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BodyTooLarge',
  FST_ERR_CTP_INVALID_JSON_BODY: 'MalformedBody',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'EmptyBody'
}

/** The trace that a request belongs to, for the log, as far as somebody records it (W3C `traceparent`, sampled). */
function traceOf({ headers }: FastifyRequest): { trace?: string } {
  const [, trace, flags = '0'] =
    /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})/.exec(String(headers.traceparent)) ?? []
  return trace == null || (Number.parseInt(flags, 16) & 1) === 0 ? {} : { trace }
}
