import type { Dispatcher } from '@hedgerow/protocols/dispatch'
import type { FastifyPluginAsync } from 'fastify'
import type { Registry } from 'prom-client'
import type { Self } from './index.ts'
import { enginesJson } from './placement.ts'

export interface HealthComponents {
  self: Self
  /** nobody has to say who they are (`HEDGEROW_HTTP_OPEN`) */
  open: boolean
}

export interface StatsComponents {
  self: Self
  dispatcher: Dispatcher
  registry: Registry
  /** entries and hit rate of the view, which is what the old system called its cache */
  cacheSize(): number
}

const LOOPBACK = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1'])

/** `GET /health`: everybody hears whether it serves, those who may read the rest too. */
export function healthRoute({ self, open }: HealthComponents): FastifyPluginAsync {
  return async app => {
    app.get(
      '/health',
      { schema: { tags: ['peer'], summary: 'Whether this peer serves requests' } },
      async ({ caller, socket }, reply) => {
        const status = self.status()
        const { peerId: peer_id, workerId: worker_id, role, mesh, closed } = self
        const short = { status, peer_id, worker_id, role, mesh, closed }
        const isHere = caller.kind === 'local' && LOOPBACK.has(socket.remoteAddress ?? '')
        return reply.code(status === 'healthy' ? 200 : 503).send({
          ...short,
          ...(open ? { open } : {}),
          ...(caller.rights.has('read') ? { ...long(), ...enginesJson(self.containers(), isHere) } : {}),
          // Other peers have all rights here, and no business with what a program of this machine wrote.
          ...(caller.rights.has('admin') && (isHere || caller.kind !== 'local')
            ? { ...tunnelOf(self), ...entryOf(self) }
            : {}),
          ...(isHere ? { pid: process.pid, ...forOwner(self) } : {})
        })
      }
    )
  }

  function long(): object {
    return {
      services: self.services(),
      dht_enabled: true,
      direct_paths: self.directPaths(),
      uptime: Math.round(self.uptime() / 1000),
      version: self.version
    }
  }
}

export function statsRoutes({ self, dispatcher, registry, cacheSize }: StatsComponents): FastifyPluginAsync {
  return async app => {
    app.get('/stats', { schema: { tags: ['peer'], summary: 'What this peer has done since it started' } }, async () => {
      const { per_service, ...routing } = dispatcher.stats()
      const asked = routing.cache_hits + routing.cache_misses
      return {
        worker_id: self.workerId,
        peer_id: self.peerId,
        services: self.services(),
        capabilities: self.capabilities,
        routing: { ...routing, cache_size: cacheSize(), cache_hit_rate: asked === 0 ? 0 : routing.cache_hits / asked },
        per_service
      }
    })

    app.get('/metrics', { schema: { tags: ['peer'], summary: 'Prometheus metrics' } }, async (_request, reply) =>
      reply.type(registry.contentType).send(await registry.metrics())
    )
  }
}

function tunnelOf(self: Self): { tunnel?: object } {
  const { state, url, problem } = self.tunnel() ?? {}
  if (state == null) return {}
  return {
    tunnel: {
      state,
      ...(url == null ? {} : { url }),
      ...(problem == null ? {} : { problem: problem.message, problem_code: problem.code })
    }
  }
}

/** Where it means to be an entry point, and whether others reach it there. */
function entryOf(self: Self): { entry_point?: object } {
  const claims = self.entry()
  return claims.length === 0 ? {} : { entry_point: { verified: claims.some(({ verified }) => verified), claims } }
}

/** What this peer's owner should know of its membership, and others needn't. */
function forOwner(self: Self): { credential?: object } {
  const credential = self.credential()
  return credential == null ? {} : { credential }
}
