import type { Server, ServerResponse } from 'node:http'
import type { Dispatcher } from '@hedgerow/protocols/dispatch'
import type { Invoker } from '@hedgerow/protocols/invocation'
import { createStreamServer } from '@hedgerow/protocols/invocation/node'
import type { Ledger } from '@hedgerow/protocols/ledger'
import type { View } from '@hedgerow/protocols/view'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import {
  adminRoutes,
  askRoutes,
  createApi,
  dhtRoutes,
  eventRoutes,
  explainRoutes,
  healthRoutes,
  isLoopback,
  openaiRoutes,
  peerReceiptRoutes,
  peersRoutes,
  placementRoutes,
  receiptRoutes,
  type Self
} from '../api/index.ts'
import { type AuditLog, ingressEntry } from '../audit/index.ts'
import type { Directory } from '../discovery/index.ts'
import { type IngressRecord, serviceListener, serviceRoutes } from '../ingress/index.ts'
import type { Metrics } from '../metrics/index.ts'
import type { Node } from '../node/index.ts'
import type { Receipts } from '../receipts/index.ts'
import {
  backendsOnly,
  type ContextTable,
  nestedRoutes,
  peerListener,
  peerRoutes,
  type Serving
} from '../serving/index.ts'
import type { RequestsInHand } from './in-hand.ts'
import type { Peer, PeerConfig, ServiceHost } from './index.ts'

export interface ApiParts {
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
  audit: AuditLog
  /** undefined on a peer that runs no services */
  receipts: Receipts | undefined
  serving: Serving
  contexts: ContextTable
  inHand: RequestsInHand
}

/** What every listener shows of this peer. */
async function addCommonRoutes(
  app: FastifyInstance,
  { self, dispatcher, metrics, view, ledger, invoker, node, directory, config }: ApiParts
): Promise<void> {
  await app.register(
    healthRoutes({ self, dispatcher, registry: metrics.registry, cacheSize: () => [...view.peers()].length })
  )
  await app.register(explainRoutes({ dispatcher }))
  await app.register(adminRoutes({ self, view, dispatcher, invoker }))
  await app.register(peersRoutes({ self, view, dispatcher, invoker }))
  await app.register(dhtRoutes({ node, directory, view, mesh: config.mesh }))
  await app.register(eventRoutes({ ledger }))
}

/** For programs and people on this machine (a relay: for everyone): the ingress into the mesh. */
export async function buildLocalApi(parts: ApiParts): Promise<FastifyInstance> {
  const { config, log, dispatch, dispatcher, inHand, invoker, node, receipts, view, self } = parts
  const { host = '127.0.0.1', corsOrigins = [] } = config.http ?? {}
  const ingress = { dispatch, record: recorder(parts), admit: (response: ServerResponse) => inHand.admit(response) }
  const app = await createApi({
    title: `Hedgerow ${self.role}`,
    version: self.version,
    log,
    corsOrigins,
    services: serviceListener(ingress, log),
    // A relay is called by whatever name its tunnel has.
    loopbackOnly: self.role !== 'relay' && isLoopback(`http://${host.includes(':') ? `[${host}]` : host}`)
  })
  await addCommonRoutes(app, parts)
  await app.register(askRoutes({ self, view, dispatcher, invoker, node }))
  await app.register(placementRoutes({ services: parts.services }))
  await app.register(receiptRoutes({ self, receipts, dispatcher, invoker }))
  await app.register(serviceRoutes(ingress))
  await app.register(openaiRoutes({ ...ingress, view }))
  inHand.countUntilDrained(app.server)
  return app
}

/** Where a request that entered here is noted when it is over. */
function recorder({ audit, dispatcher, metrics, view }: ApiParts): (record: IngressRecord) => void {
  return record => {
    metrics.record(record)
    audit.write(ingressEntry(inFull(record, view, dispatcher)))
  }
}

/**
 * With the service's own name, or none: what callers ask for that doesn't exist may be anything. Of a request that
 * failed, the decision tells what it asked for, if there was one.
 */
function inFull(record: IngressRecord, view: View, dispatcher: Dispatcher): IngressRecord {
  const service = view.resolve(record.service) ?? ''
  const operation = record.operation ?? dispatcher.explain(record.id)?.operation
  return { ...record, service, ...(operation == null ? {} : { operation }) }
}

/** For other peers, over libp2p streams: the services that run here. */
export async function buildPeerApi(parts: ApiParts): Promise<{ app: FastifyInstance; server: Server }> {
  const { inHand, log, receipts, self, serving } = parts
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
  await app.register(peerReceiptRoutes({ receipts }))
  if (server == null) throw new Error('Fastify made no server')
  inHand.count(server)
  return { app, server }
}

/** For backends that this peer started: the mesh, on behalf of the request that they serve. */
export async function buildNestedApi(parts: ApiParts): Promise<FastifyInstance> {
  const { audit, log, self, dispatch, dispatcher, contexts, inHand, view } = parts
  const app = await createApi({
    title: 'Hedgerow, for backends',
    version: self.version,
    log,
    guard: backendsOnly(contexts)
  })
  const record = (entered: IngressRecord): void => audit.write(ingressEntry(inFull(entered, view, dispatcher)))
  await app.register(nestedRoutes({ dispatch, record, contexts, view, self: self.peerId }))
  inHand.count(app.server)
  return app
}
