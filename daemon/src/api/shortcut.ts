/**
 * Plain requests to services go past the web framework. Its router, hooks, CORS, request, reply and logger cost as much
 * as the whole of Node's HTTP server, on each of the two peers that a request passes, and a plain request needs none of
 * them. Whatever is less plain (a page's `Origin`, an escape in the path, `OPTIONS`, a caller who isn't known at once) goes
 * to the framework, whose routes for services answer in the same way.
 */
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { EXPOSED_HEADERS } from '@hedgerow/protocols/ingress'
import type { FastifyInstance } from 'fastify'
import { type Gate, LOCAL } from '../access/index.ts'
import type { ServiceListener } from '../ingress/index.ts'
import { isWellFramed } from './framing.ts'

export interface ShortcutInit {
  /** pages may call: answers say what they may read */
  cors: boolean
  /** says who calls; left out where the connection tells */
  gate: Gate | undefined
}

const METHODS: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])
/** What a router reads as it is written. */
const PLAIN = /^\/service\/[a-z0-9-]+(?:\/[\w\-./~]*)?(?:\?[^#]*)?$/
/** Beyond this a router has limits of its own. */
const MAX_LENGTH = 512

/** What the framework's CORS adds to an answer for somebody who isn't a page. */
const CORS: OutgoingHttpHeaders = { vary: 'Origin', 'access-control-expose-headers': EXPOSED_HEADERS.join(', ') }

export function shortcut(app: FastifyInstance, listener: ServiceListener, init: ShortcutInit): void {
  const { gate } = init
  const extra = init.cors ? CORS : {}
  let closing = false
  // From then on the framework refuses requests.
  app.addHook('preClose', async () => {
    closing = true
  })
  const isPlain = ({ method, url = '', headers: { origin } }: IncomingMessage): boolean =>
    !closing && origin == null && METHODS.has(method) && url.length <= MAX_LENGTH && PLAIN.test(url)

  const { server } = app
  const framework = server.listeners('request')
  server.removeAllListeners('request')
  server.on('request', (request, response) => {
    const caller =
      isPlain(request) && isWellFramed(request) ? (gate == null ? LOCAL : gate.quick(request, response)) : undefined
    if (caller != null) listener(request, response, extra, caller)
    else for (const listen of framework) listen.call(server, request, response)
  })
}
