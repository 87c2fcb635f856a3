import type { Server, ServerResponse } from 'node:http'
import type { Dispatcher } from '@hedgerow/protocols/dispatch'
import type { Invoker } from '@hedgerow/protocols/invocation'
import { createStreamServer } from '@hedgerow/protocols/invocation/node'
import type { Ledger } from '@hedgerow/protocols/ledger'
import type { View } from '@hedgerow/protocols/view'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { type Access, isLocalHost, type ListenerKind } from '../access/index.ts'
import {
  adminRoutes,
  askRoutes,
  createApi,
  dhtRoutes,
  eventRoutes,
  explainRoutes,
  healthRoute,
  openaiRoutes,
  peersRoutes,
  placementRoutes,
  type Self,
  statsRoutes
} from '../api/index.ts'
import type { Directory } from '../discovery/index.ts'
import { type IngressComponents, serviceListener, serviceRoutes } from '../ingress/index.ts'
import type { Metrics } from '../metrics/index.ts'
import type { Node } from '../node/index.ts'
import { type ContextTable, nestedRoutes, peerListener, peerRoutes, type Serving } from '../serving/index.ts'
import type { RequestsInHand } from './in-hand.ts'
import type { Entrance, Peer, PeerConfig, ServiceHost } from './index.ts'

export interface ApiParts {
  access: Access
  config: PeerConfig
  log: Logger
  self: Self
  services: ServiceHost
  node: Node
  view: View
  ledger: Ledger
  directory: Directory
  dispatcher: Dispatcher
  dispatch: Peer['dispatch']
  invoker: Invoker
  metrics: Metrics
  serving: Serving
  contexts: ContextTable
  inHand: RequestsInHand
}

/** What every listener shows of this peer. */
async function addCommonRoutes(app: FastifyInstance, parts: ApiParts): Promise<void> {
  const { self, dispatcher, metrics, view, ledger, invoker, node, directory, config } = parts
  await app.register(healthRoute({ self: parts.self, open: parts.access.open }))
  await app.register(
    statsRoutes({ self, dispatcher, registry: metrics.registry, cacheSize: () => [...view.peers()].length })
  )
  await app.register(explainRoutes({ dispatcher }))
  await app.register(adminRoutes({ self, view, dispatcher, invoker }))
  await app.register(peersRoutes({ self, view, dispatcher, invoker }))
  await app.register(dhtRoutes({ node, directory, view, mesh: config.mesh }))
  await app.register(eventRoutes({ ledger }))
}

/** For programs and people: all of the API, and the ingress into the mesh. */
export async function buildLocalApi(parts: ApiParts): Promise<Entrance> {
  const { config, dispatcher, invoker, node, view, self } = parts
  const isLocal = config.http == null || isLocalHost(config.http.host)
  const entrance = await buildEntrance(parts, isLocal ? 'local' : 'public')
  const { app } = entrance
  await addCommonRoutes(app, parts)
  await app.register(askRoutes({ self, view, dispatcher, invoker, node }))
  await app.register(placementRoutes({ services: parts.services }))
  return entrance
}

/** For the world, by a tunnel: the ingress, and no word on the inside of the mesh. */
export async function buildTunnelApi(parts: ApiParts): Promise<Entrance> {
  const entrance = await buildEntrance(parts, 'tunnel')
  await entrance.app.register(healthRoute({ self: parts.self, open: parts.access.open }))
  return entrance
}

async function buildEntrance(parts: ApiParts, kind: ListenerKind): Promise<Entrance> {
  const { access, config, log, dispatch, inHand, metrics, view, self } = parts
  const { corsOrigins = [] } = config.http ?? {}
  const gate = access.gate(kind, { corsOrigins })
  const ingress: IngressComponents = {
    dispatch,
    record: metrics.record,
    admit: (response: ServerResponse) => inHand.admit(response),
    nameOf: service => view.resolve(service),
    addressOf: message => gate.addressOf(message)
  }
  const app = await createApi({
    title: `Hedgerow ${self.role}`,
    version: self.version,
    log,
    corsOrigins,
    services: serviceListener(ingress, log),
    gate,
    described: kind !== 'tunnel',
    // Relays carry libp2p over the same port.
    upgrades: self.role === 'relay'
  })
  await app.register(serviceRoutes(ingress))
  await app.register(openaiRoutes({ ...ingress, view }))
  inHand.countUntilDrained(app.server)
  return { app, gate }
}

/** For other peers, over libp2p streams: the services that run here. */
export async function buildPeerApi(parts: ApiParts): Promise<{ app: FastifyInstance; server: Server }> {
  const { inHand, log, self, serving } = parts
  let server: Server | undefined
  const app = await createApi({
    title: `Hedgerow ${self.role}`,
    version: self.version,
    log,
    services: peerListener(serving, log),
    serverFactory: handler => {
      const made = createStreamServer(handler)
      server = made
      return made
    }
  })
  await addCommonRoutes(app, parts)
  await app.register(peerRoutes(serving))
  if (server == null) throw new Error('Fastify made no server')
  inHand.count(server)
  return { app, server }
}

/** For backends that this peer started: the mesh, on behalf of the request that they serve. */
export async function buildNestedApi(parts: ApiParts): Promise<FastifyInstance> {
  const { log, self, dispatch, contexts, inHand, view } = parts
  const app = await createApi({ title: 'Hedgerow, for backends', version: self.version, log })
  await app.register(nestedRoutes({ dispatch, contexts, view, self: self.peerId }))
  inHand.count(app.server)
  return app
}
