import type { Server, ServerResponse } from 'node:http'
import type { Dispatcher } from '@hedgerow/protocols/dispatch'
import type { Invoker } from '@hedgerow/protocols/invocation'
import { createStreamServer, remotePeerOf } from '@hedgerow/protocols/invocation/node'
import type { Ledger } from '@hedgerow/protocols/ledger'
import type { Member } from '@hedgerow/protocols/membership'
import type { Tracing } from '@hedgerow/protocols/tracing'
import type { View } from '@hedgerow/protocols/view'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { type Access, isLocalHost, type ListenerKind } from '../access/index.ts'
import {
  adminRoutes,
  askRoutes,
  createApi,
  dhtRoutes,
  dialBackRoutes,
  enrolRoutes,
  eventRoutes,
  explainRoutes,
  healthRoute,
  membersOnly,
  meshRoutes,
  openaiRoutes,
  peerReceiptRoutes,
  peersRoutes,
  placementRoutes,
  receiptRoutes,
  renewalRoutes,
  revocationRoutes,
  type Self,
  statsRoutes
} from '../api/index.ts'
import { type AuditLog, ingressEntry } from '../audit/index.ts'
import type { DialBack } from '../dial-back/index.ts'
import type { Directory, Gossip } from '../discovery/index.ts'
import { type IngressComponents, type IngressRecord, serviceListener, serviceRoutes } from '../ingress/index.ts'
import type { Issuer, Membership } from '../membership/index.ts'
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
import { BRIDGE_CLASSES, bridging } from './bridge-classes.ts'
import { forwardCarrier } from './forwards.ts'
import type { RequestsInHand } from './in-hand.ts'
import type { Entrance, Peer, PeerConfig, ServiceHost } from './index.ts'
import { takeUpgrades } from './upgrades.ts'
import { webSocketCarrier } from './websocket.ts'

export interface ApiParts {
  access: Access
  config: PeerConfig
  log: Logger
  self: Self
  services: ServiceHost
  node: Node
  view: View
  ledger: Ledger
  gossip: Gossip
  memberOf(peerId: string): Member | undefined
  mayAsk(peerId: string): boolean
  membership: Membership
  /** undefined on a peer that enrols nobody */
  issuer: Issuer | undefined
  directory: Directory
  dispatcher: Dispatcher
  dispatch: Peer['dispatch']
  connect: Peer['connect']
  /** aborted when the peer stops */
  stopping: AbortSignal
  invoker: Invoker
  dialBack: DialBack
  /** an entry point that has been silent for so long that it is none */
  isGone(peerId: string): boolean
  metrics: Metrics
  audit: AuditLog
  /** undefined on a peer that runs no services */
  receipts: Receipts | undefined
  serving: Serving
  contexts: ContextTable
  inHand: RequestsInHand
  /** undefined where nothing is recorded of requests */
  tracing: Tracing | undefined
}

/** What every listener shows of this peer. */
async function addCommonRoutes(app: FastifyInstance, parts: ApiParts): Promise<void> {
  const { self, dispatcher, metrics, view, ledger, membership, invoker, node, directory, config, isGone } = parts
  await app.register(healthRoute({ self: parts.self, open: parts.access.open }))
  await app.register(
    statsRoutes({ self, dispatcher, registry: metrics.registry, cacheSize: () => [...view.peers()].length })
  )
  await app.register(explainRoutes({ dispatcher }))
  await app.register(adminRoutes({ self, view, dispatcher, invoker }))
  await app.register(peersRoutes({ self, view, dispatcher, invoker }))
  await app.register(dhtRoutes({ node, directory, view, mesh: config.mesh }))
  await app.register(eventRoutes({ ledger, trust: membership.trust, isGone }))
}

/** Wherever anybody reaches this peer: whoever is taken out shall be out soon. */
function takesRevocations({ membership, gossip }: ApiParts, addressOf: (request: FastifyRequest) => string) {
  return revocationRoutes({ trust: membership.trust, spread: token => gossip.spread(token), addressOf })
}

/** For programs and people: all of the API, and the ingress into the mesh. */
export async function buildLocalApi(parts: ApiParts): Promise<Entrance> {
  const { config, dispatcher, invoker, node, receipts, view, self } = parts
  const isLocal = config.http == null || isLocalHost(config.http.host)
  const entrance = await buildEntrance(parts, isLocal ? 'local' : 'public')
  const { app } = entrance
  await addCommonRoutes(app, parts)
  await app.register(askRoutes({ self, view, dispatcher, invoker, node }))
  await app.register(meshRoutes({ membership: parts.membership, issuer: parts.issuer, view }))
  await app.register(placementRoutes({ services: parts.services }))
  await app.register(receiptRoutes({ self, receipts, dispatcher, invoker }))
  return entrance
}

/** For the world, by a tunnel: the ingress, and no word on the inside of the mesh. */
export async function buildTunnelApi(parts: ApiParts): Promise<Entrance> {
  const entrance = await buildEntrance(parts, 'tunnel')
  await entrance.app.register(healthRoute({ self: parts.self, open: parts.access.open }))
  return entrance
}

async function buildEntrance(parts: ApiParts, kind: ListenerKind): Promise<Entrance> {
  const { access, config, log, dispatch, connect, stopping, inHand, view, self, issuer, membership } = parts
  const { corsOrigins = [], bridgeClasses = BRIDGE_CLASSES } = config.http ?? {}
  const gate = access.gate(kind, { corsOrigins })
  // What enters at a worker on its own machine is its owner's.
  const isOwn = self.role !== 'relay' && kind === 'local'
  const ingress: IngressComponents = {
    dispatch: isOwn ? dispatch : bridging(dispatch, view, bridgeClasses),
    record: recorder(parts),
    admit: (response: ServerResponse) => inHand.admit(response),
    nameOf: service => view.resolve(service),
    addressOf: message => gate.addressOf(message),
    tracing: parts.tracing
  }
  const forwards = forwardCarrier({
    gate,
    connect: isOwn ? connect : bridging(connect, view, bridgeClasses),
    inHand,
    nameOf: service => view.resolve(service),
    dataClassOf: service => view.contract(view.resolve(service) ?? service)?.dataClass,
    record: connectionRecorder(parts),
    signal: stopping,
    log
  })
  const app = await createApi({
    title: `Hedgerow ${self.role}`,
    version: self.version,
    log,
    corsOrigins,
    services: serviceListener(ingress, log),
    gate,
    described: kind !== 'tunnel',
    upgrades: true
  })
  const addressOf = (request: FastifyRequest): string => gate.addressOf(request.raw) ?? ''
  if (issuer != null) await app.register(enrolRoutes({ issuer, membership, addressOf }))
  await app.register(takesRevocations(parts, addressOf))
  await app.register(serviceRoutes(ingress))
  await app.register(openaiRoutes({ ...ingress, view }))
  inHand.countUntilDrained(app.server)
  const { webSocketPort } = config.http ?? {}
  const webSockets = webSocketPort == null ? [] : [webSocketCarrier(webSocketPort, gate, log)]
  takeUpgrades(app.server, [...webSockets, forwards], log)
  return { app, gate }
}

/** Where a request that entered here is noted when it is over. */
function recorder({ audit, dispatcher, metrics, view }: ApiParts): (record: IngressRecord) => void {
  return record => {
    metrics.record(record)
    audit.write(ingressEntry(inFull(record, view, dispatcher)))
  }
}

/** Where a connection that entered here is noted when it is over. */
function connectionRecorder({ audit, dispatcher, metrics, view }: ApiParts): (record: IngressRecord) => void {
  return record => {
    metrics.recordConnection(record)
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
  const { inHand, log, mayAsk, memberOf, receipts, self, serving } = parts
  let server: Server | undefined
  const app = await createApi({
    title: `Hedgerow ${self.role}`,
    version: self.version,
    log,
    services: peerListener(serving, log),
    guard: membersOnly(
      message => memberOf(remotePeerOf(message) ?? ''),
      ({ peerId }) => mayAsk(peerId)
    ),
    serverFactory: handler => {
      const made = createStreamServer(handler)
      server = made
      return made
    }
  })
  await addCommonRoutes(app, parts)
  await app.register(peerRoutes(serving))
  await app.register(takesRevocations(parts, request => remotePeerOf(request.raw) ?? ''))
  if (parts.issuer != null) await app.register(renewalRoutes({ issuer: parts.issuer }))
  await app.register(peerReceiptRoutes({ receipts }))
  await app.register(dialBackRoutes({ dialBack: parts.dialBack }))
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
  await app.register(nestedRoutes({ dispatch, record, contexts, view, self: self.peerId, tracing: parts.tracing }))
  inHand.count(app.server)
  return app
}
