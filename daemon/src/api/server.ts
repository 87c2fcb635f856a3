import { METHODS } from 'node:http'
import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { MeshError } from '@hedgerow/protocols/errors'
import { EXPOSED_HEADERS, newRequestId } from '@hedgerow/protocols/ingress'
import { lingerAfterAnswers } from '@hedgerow/protocols/invocation/node'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyServerFactory,
  LogController,
  type onRequestAsyncHookHandler
} from 'fastify'
import type { Logger } from 'pino'
import {
  CHECK_INTERVAL,
  HEADERS_TIMEOUT,
  KEEP_ALIVE_TIMEOUT,
  MAX_HEADER_SIZE,
  REQUEST_TIMEOUT
} from '../access/constants.ts'
import { type Gate, isAllowedOrigin } from '../access/index.ts'
import type { ServiceListener } from '../ingress/index.ts'
import { API_BODY_LIMIT } from './constants.ts'
import { DESCRIPTION, docsPages } from './docs-pages.ts'
import { checkFraming, isWellFramed } from './framing.ts'
import { guard } from './guard.ts'
import { ingressPaths } from './ingress-paths.ts'
import { refuseUnparsed, sendProblem } from './problem.ts'
import { SECURITY_HEADERS } from './security-headers.ts'
import { shortcut } from './shortcut.ts'

export interface ApiInit {
  title: string
  version: string
  log: Logger
  /** origins of pages that may call; `*` for any, `[]` for those on this machine only. @default no page may */
  corsOrigins?: string[]
  /** who may call, and how much; left out where the connections themselves tell: other peers, own backends */
  gate?: Gate
  /** asked before anything is done or told, descriptions of the API too; rejects with what a request is refused with */
  guard?: onRequestAsyncHookHandler
  /** whether somebody takes upgrades of its connections. @default false */
  upgrades?: boolean
  /** where connections come from, when not from a port */
  serverFactory?: FastifyServerFactory
  /** whether it describes itself, at `/openapi.json` and `/docs`. @default true */
  described?: boolean
  /** takes plain requests to services, past the framework; the routes for them are there for the rest */
  services?: ServiceListener
}

const PREFLIGHT_SECONDS = 3600
/** What the API's own routes and pages use. */
const USUAL_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/** A Fastify instance with the mesh's error format, request ids, CORS and API description; routes are added to it. */
export async function createApi(init: ApiInit): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: quiet(init.log) as FastifyBaseLogger,
    childLoggerFactory: (_logger, bindings, options) => init.log.child(bindings, options) as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request' }),
    requestIdHeader: false,
    genReqId: newRequestId,
    bodyLimit: API_BODY_LIMIT,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
    requestTimeout: REQUEST_TIMEOUT,
    http: {
      headersTimeout: HEADERS_TIMEOUT,
      connectionsCheckingInterval: CHECK_INTERVAL,
      maxHeaderSize: MAX_HEADER_SIZE,
      insecureHTTPParser: false
    },
    forceCloseConnections: true,
    exposeHeadRoutes: true,
    // What fails before any route is found (a URL that can't be decoded) has the same form as the rest.
    frameworkErrors: (err, request, reply) => sendProblem(request, reply, err),
    clientErrorHandler: refuseUnparsed,
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    routerOptions: { maxParamLength: 512 },
    ...(init.serverFactory == null ? {} : { serverFactory: init.serverFactory })
  })

  // `/service` takes every method that HTTP has; Fastify knows the usual ones only.
  for (const method of METHODS)
    if (method !== 'CONNECT' && !app.supportedMethods.includes(method)) app.addHttpMethod(method, { hasBody: true })
  app.setErrorHandler((err, request, reply) => sendProblem(request, reply, err))
  app.setNotFoundHandler(request => {
    const [url = ''] = request.url.split('?')
    const allow = USUAL_METHODS.filter(method => app.hasRoute({ method, url }))
    if (allow.length > 0)
      throw new MeshError('MethodNotAllowed', `${url} takes ${allow.join(', ')}, not ${request.method}`, { allow })
    throw new MeshError(
      'UnknownRoute',
      `there is no ${request.method} ${url} here; GET /openapi.json lists what there is`
    )
  })

  const { corsOrigins } = init
  if (corsOrigins != null)
    await app.register(cors, {
      origin: (origin, done) => done(null, origin == null || isAllowedOrigin(origin, corsOrigins)),
      // Pages may send keys and proofs; which headers they ask for is what they get.
      // An OPTIONS that no page sends gets the same answer; without this, 400.
      strictPreflight: false,
      methods: [...USUAL_METHODS],
      exposedHeaders: EXPOSED_HEADERS,
      maxAge: PREFLIGHT_SECONDS
    })
  await app.register(helmet, SECURITY_HEADERS)
  app.addHook('onRequest', async (request, reply) => {
    // What follows on such a connection could be anything.
    if (!isWellFramed(request.raw)) reply.raw.shouldKeepAlive = false
    checkFraming(request.raw)
  })
  if (init.guard != null) app.addHook('onRequest', init.guard)
  guard(app, init)
  if (init.services != null) shortcut(app, init.services, { cors: corsOrigins != null, gate: init.gate })
  // After the shortcut, so that it sees requests of both ways. A server from elsewhere sees to that itself.
  if (init.serverFactory == null) lingerAfterAnswers(app.server)
  if (init.described === false) return app
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: init.title, version: init.version, description: DESCRIPTION },
      paths: ingressPaths()
    }
  })
  await app.register(swaggerUi, docsPages(init.title))
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
  return app
}

/** For what Fastify says of itself: where it listens, which is said once for all listeners elsewhere. */
function quiet(log: Logger): Logger {
  const own = log.child({})
  if (own.isLevelEnabled('info')) own.level = 'warn'
  return own
}
