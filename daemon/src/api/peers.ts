import type { Dispatcher } from '@hedgerow/protocols/dispatch'
import { MeshError } from '@hedgerow/protocols/errors'
import { InvocationError, type Invoker } from '@hedgerow/protocols/invocation'
import type { View } from '@hedgerow/protocols/view'
import type { FastifyPluginAsync } from 'fastify'
import { askPeer, learnAddrs } from '../discovery/index.ts'
import type { Node } from '../node/index.ts'
import { advertJson } from './advert-json.ts'
import { bounded } from './bounded.ts'
import { MAX_ASKS } from './constants.ts'
import type { Self } from './index.ts'
import { peerRows } from './peer-row.ts'

export interface PeersComponents {
  self: Self
  view: View
  dispatcher: Pick<Dispatcher, 'experience'>
  invoker: Invoker
}

/** `GET /api/peers/{peer}`: all that this peer knows of one other, or of itself. */
export function peersRoutes({ self, view, dispatcher, invoker }: PeersComponents): FastifyPluginAsync {
  const row = peerRows({ self, dispatcher, invoker })
  return async app => {
    app.get<{ Params: { peer: string } }>(
      '/api/peers/:peer',
      { schema: { tags: ['mesh'], summary: 'All that this peer knows of one other' } },
      async request => {
        const entry = known(view, request.params.peer)
        return { peer: row(entry), advert: advertJson(entry.advert) }
      }
    )
  }
}

/** Milliseconds for an answer, a new connection included. */
const ASK_TIMEOUT = 5000
/** What another peer may be asked through this one. */
const QUESTIONS = ['health', 'stats'] as const

/** `GET /api/peers/{peer}/ping`, `health`, `stats`: what another peer answers to this one, over the mesh. */
export function askRoutes({ self, view, invoker, node }: PeersComponents & { node: Node }): FastifyPluginAsync {
  return async app => {
    const inBounds = bounded(MAX_ASKS, 'questions to peers')
    const ask = async (peerId: string, path: string): Promise<{ status: number; body: Buffer }> => {
      known(view, peerId)
      if (peerId === self.peerId) {
        const { statusCode, rawPayload } = await app.inject(path)
        return { status: statusCode, body: rawPayload }
      }
      return inBounds(async () => {
        const signal = AbortSignal.timeout(ASK_TIMEOUT)
        try {
          if (invoker.route(peerId) == null) await learnAddrs(node, view, peerId)
          return await askPeer(invoker, peerId, path, { signal })
        } catch (err) {
          throw unreachable(peerId, err, signal.aborted)
        }
      })
    }

    const tags = ['mesh']
    for (const question of QUESTIONS) {
      app.get<{ Params: { peer: string } }>(
        `/api/peers/:peer/${question}`,
        { schema: { tags, summary: `GET /${question} of another peer, asked over the mesh` } },
        async (request, reply) => {
          const { status, body } = await ask(request.params.peer, `/${question}`)
          return reply.code(status).type('application/json').send(body)
        }
      )
    }

    app.get<{ Params: { peer: string } }>(
      '/api/peers/:peer/ping',
      { schema: { tags, summary: 'The time of a request with nothing to do, to another peer and back' } },
      async request => {
        const { peer } = request.params
        // The first one may have to dial; that is not what a round trip is.
        if (peer !== self.peerId && invoker.route(peer) == null) await ask(peer, '/health')
        const startedAt = performance.now()
        const { body } = await ask(peer, '/health')
        const elapsed = performance.now() - startedAt
        const route = peer === self.peerId ? { path: 'local', transport: null } : invoker.route(peer)
        return {
          peer_id: peer,
          name: view.peer(peer)?.advert.name ?? null,
          status: statusIn(body) ?? 'unknown',
          round_trip_ms: Math.round(elapsed * 1000) / 1000,
          path: route?.path ?? null,
          transport: route?.transport ?? null
        }
      }
    )
  }
}

function known(view: View, peerId: string): NonNullable<ReturnType<View['peer']>> {
  const entry = view.peer(peerId)
  if (entry != null) return entry
  throw new MeshError('UnknownPeer', `this peer knows nobody with the id ${peerId.slice(0, 80)}`)
}

function unreachable(peerId: string, err: unknown, timedOut: boolean): unknown {
  const unreached = (reason: string): MeshError =>
    new MeshError('Unreachable', `the peer can't be reached: ${reason}`, { peer_id: peerId }, { cause: err })
  if (timedOut) return unreached(`no answer within ${ASK_TIMEOUT / 1000} s`)
  return err instanceof InvocationError ? unreached(err.message) : err
}

export function statusIn(body: Buffer): string | undefined {
  try {
    const health: unknown = JSON.parse(body.toString())
    return typeof health === 'object' && health != null && 'status' in health && typeof health.status === 'string'
      ? health.status
      : undefined
  } catch {
    return undefined
  }
}
