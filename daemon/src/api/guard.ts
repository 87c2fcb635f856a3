import { MeshError } from '@hedgerow/protocols/errors'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { API_BODY_TIMEOUT } from '../access/constants.ts'
import { Connections, type Gate, LOCAL, needOf } from '../access/index.ts'
import { sendProblem } from './problem.ts'

export interface GuardInit {
  gate?: Gate
  upgrades?: boolean
}

/** Asks of every request that comes by way of the framework who sends it, and whether they may. */
export function guard(app: FastifyInstance, { gate, upgrades = false }: GuardInit): void {
  if (gate == null) {
    // Whoever reaches these servers was let in elsewhere.
    app.decorateRequest('caller', { getter: () => LOCAL })
    return
  }
  gate.watch(new Connections(app.server, { upgrades }))
  app.decorateRequest('caller', {
    getter(this: FastifyRequest) {
      return gate.callerOf(this.raw)
    }
  })
  app.addHook('onRequest', async (request, reply) => {
    // Which pages may call is said without asking who they are: a browser asks before it sends a key.
    const { routeOptions } = request
    const isOpen = routeOptions.config?.everybody === true || isPreflight(request)
    await gate.admit(request.raw, reply.raw, isOpen ? 'everybody' : needOf(routeOptions.url))
  })
  app.addHook('preParsing', (request, reply, _payload, done) => {
    if (request.routeOptions.config?.streamed !== true) hurry(request, reply)
    done()
  })
}

export function isPreflight({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && headers.origin != null && headers['access-control-request-method'] != null
}

/** A body that the API reads itself is small, so it has come by now or is held back. */
function hurry(request: FastifyRequest, reply: FastifyReply): void {
  const { raw } = request
  if (raw.complete || (raw.headers['content-length'] == null && raw.headers['transfer-encoding'] == null)) return
  const late = setTimeout(() => {
    if (raw.complete || reply.sent) return
    const seconds = API_BODY_TIMEOUT / 1000
    sendProblem(request, reply, new MeshError('BodyStalled', `the request did not arrive within ${seconds} s`))
  }, API_BODY_TIMEOUT)
  raw.once('close', () => clearTimeout(late)).once('end', () => clearTimeout(late))
}
