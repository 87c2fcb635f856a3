import { join } from 'node:path'
import type { DispatchRequest } from '@hedgerow/protocols/dispatch'
import { createDispatcher } from '@hedgerow/protocols/dispatch'
import { MeshError } from '@hedgerow/protocols/errors'
import type { ForwardRequest } from '@hedgerow/protocols/forward'
import { type ForwardedConnection, type ForwardService, serveForwards } from '@hedgerow/protocols/forward/node'
import { type HttpService, type ServeComponents, serveHttp } from '@hedgerow/protocols/invocation/node'
import { covers } from '@hedgerow/protocols/membership'
import { Rates } from '@hedgerow/protocols/rate'
import type { View } from '@hedgerow/protocols/view'
import { peerIdFromString } from '@libp2p/peer-id'
import { CLIENT_RATE } from '../access/constants.ts'
import { openAccess } from '../access/index.ts'
import type { PeerStatus, Self } from '../api/index.ts'
import { AUDIT_FOLDER, AUDIT_SIZE, NO_AUDIT_LOG, openAuditLog, workerEntry } from '../audit/index.ts'
import { createMetrics } from '../metrics/index.ts'
import { announceAnew } from '../node/index.ts'
import { Presence, Sequence } from '../presence/index.ts'
import { Receipts } from '../receipts/index.ts'
import { ContextTable, createServing, type ServingComponents, serveConnections, vouching } from '../serving/index.ts'
import { buildLocalApi, buildNestedApi, buildPeerApi, buildTunnelApi } from './apis.ts'
import { askRenewal } from './ask-renewal.ts'
import { directPaths } from './direct-paths.ts'
import { createEntry } from './entry.ts'
import { RequestsInHand } from './in-hand.ts'
import type { Peer, PeerComponents, PeerConfig } from './index.ts'
import { clientRights, credentialVerifier, isClient, issuerOf, withoutFiles } from './member.ts'
import { createNetwork } from './network.ts'
import { PublicUrl } from './public-url.ts'
import { urlOf } from './url.ts'

/** Milliseconds after which a peer that found nobody serves all the same. */
const JOIN_TIMEOUT = 20_000
/** Milliseconds for goodbye and refusals to reach the others before connections close. */
const LINGER = 300

export async function createPeer(config: PeerConfig, components: PeerComponents): Promise<Peer> {
  const { services, tunnel, traces, log } = components
  const tracing = traces?.tracing
  const membership = components.membership ?? withoutFiles(config, log)
  const { trust } = membership
  const publicUrl = new PublicUrl(config.url)
  const network = await createNetwork(
    { ...config, trust, publicAddrs: () => (config.http?.webSocketPort == null ? [] : publicUrl.addrs()) },
    log
  )
  const { node, gate, iceServers, view, ledger, gossip, directory, finder, following, invoker, forwarder } = network
  const peerId = node.peerId.toString()
  for (const contract of services.contracts()) view.learnContract(contract)

  const isWorker = config.role === 'worker'
  // A client only asks: nobody needs to know of it, and nothing is left of it when it ends.
  const announces = config.role !== 'client'
  const startedAt = performance.now()
  let phase: 'starting' | 'running' | 'draining' = 'starting'
  const joined = (): boolean =>
    config.relays.length === 0 || node.getConnections().length > 0 || performance.now() - startedAt > JOIN_TIMEOUT
  const status = (): PeerStatus => {
    if (phase === 'draining') return 'draining'
    return phase === 'running' && joined() && services.settled() ? 'healthy' : 'starting'
  }
  const self: Self = {
    peerId,
    workerId: config.name,
    role: config.role,
    mesh: config.mesh,
    closed: membership.closed,
    version: config.version,
    capabilities: config.capabilities,
    uptime: () => performance.now() - startedAt,
    status,
    services: () => services.offers().map(({ contract }) => contract.name),
    assigned: () => services.assigned(),
    directPaths: () => directPaths(node, iceServers),
    containers: () => services.report().containers,
    tunnel: () => tunnel?.status(),
    entry: () => entry.prover.report(),
    credential: () => membership.credential()
  }

  const { auditDays: days = 0, auditMb = AUDIT_SIZE, dataDir, mesh, privateKey } = config
  const audit =
    days === 0 ? NO_AUDIT_LOG : await openAuditLog({ folder: join(dataDir, AUDIT_FOLDER), days, maxSize: auditMb, log })
  const receipts = isWorker ? new Receipts({ mesh, privateKey, peerId, now: () => performance.now() }) : undefined
  const contexts = new ContextTable()
  const clientRates = new Rates({ ...CLIENT_RATE, now: () => performance.now() })
  const mayAsk = (peer: string): boolean => peer === peerId || !isClient(gate.member(peer)) || clientRates.take(peer)
  const servingComponents: ServingComponents = {
    mayAsk,
    services,
    contexts,
    rights: () => trust.rights,
    callerRights: caller => (caller === peerId ? undefined : clientRights(gate.member(caller))),
    callerClasses: caller => (caller === peerId ? trust.rights : gate.member(caller)?.credential)?.classes ?? [],
    draining: () => phase === 'draining',
    vouches: vouching({ self: peerId, roleOf: peer => view.peer(peer)?.advert.role }),
    mayActFor: (peer, service) => peer === peerId || runs(view, peer, service),
    onError: err => log.error({ err }, 'serving failed'),
    tracing,
    onServed: served => {
      receipts?.add(served)
      const path = served.peer === peerId ? 'local' : (invoker.route(served.peer)?.path ?? null)
      // What callers name that doesn't exist may be anything.
      audit.write(workerEntry({ ...served, service: view.resolve(served.service) ?? '' }, peerId, path))
    },
    onConnection: served => {
      const path = served.peer === peerId ? 'local' : (invoker.route(served.peer)?.path ?? null)
      audit.write(workerEntry({ ...served, service: view.resolve(served.service) ?? '' }, peerId, path))
    }
  }
  const serving = createServing(servingComponents)
  const connections = serveConnections(servingComponents)
  const dispatcher = createDispatcher({
    view,
    finder,
    invoker,
    pinger: { ping: (peer, signal) => node.services.ping.ping(peerIdFromString(peer), { signal }) },
    clock: {
      now: () => performance.now(),
      setTimeout: (callback, ms) => setTimeout(callback, ms),
      clearTimeout: handle => clearTimeout(handle as NodeJS.Timeout)
    },
    random: Math.random,
    ...(isWorker ? { local: { peerId, serve: serving.invoke } } : {})
  })
  const dispatch: Peer['dispatch'] = (request: DispatchRequest) => {
    const service = view.resolve(request.service)
    if (service != null) following.use(service)
    return dispatcher.dispatch(request)
  }

  const openHere = async (request: ForwardRequest, signal: AbortSignal): Promise<ForwardedConnection> => {
    const { socket, ending, ended } = await connections.connect(peerId, request, signal)
    const closed = ended.then(end => {
      if (end !== 'answered') throw new MeshError(end, 'the connection was reset')
    })
    return { duplex: socket, ending, route: { path: 'local', transport: 'tcp' }, closed }
  }
  const connect: Peer['connect'] = request => {
    const service = view.resolve(request.service)
    if (service != null) following.use(service)
    return dispatcher.connect(request, (worker, asked, { signal }) =>
      worker === peerId ? openHere(asked, signal) : forwarder.open(worker, asked, { signal })
    )
  }

  const presence = new Presence(
    { gossip, directory, ledger, sequence: await Sequence.open(config.dataDir), log },
    {
      mesh: config.mesh,
      privateKey: config.privateKey,
      peerId,
      loads: () => services.loads(),
      reporters: service => view.candidates(service).length,
      describe: () => ({
        role: config.role,
        name: config.name,
        version: config.version,
        ...(trust.own === '' ? {} : { credential: trust.own }),
        addrs: node.getMultiaddrs().map(addr => addr.toString()),
        ...(publicUrl.current == null ? {} : { url: publicUrl.current }),
        entries: entry.prover.entries(),
        capabilities: config.capabilities,
        // A credential may name less than it did when this peer started.
        services: services.offers().filter(({ contract }) => covers(trust.rights?.services ?? [], contract.name)),
        eligible: services.eligible().filter(name => covers(trust.rights?.services ?? [], name))
      })
    }
  )

  const entry = createEntry(network, {
    mesh,
    privateKey,
    role: config.role,
    publicAddrs: () => (config.http?.webSocketPort == null ? [] : publicUrl.addrs()),
    hasPublicWay: tunnel != null || config.url != null,
    isTunnelled: config.http?.tunnelPort != null,
    entrances: config.entrances ?? [],
    announce: config.announce.filter(addr => config.entrances?.includes(addr) !== true),
    onChange: () => presence.changed(),
    log
  })

  const metrics = createMetrics({
    self,
    entry,
    node,
    view,
    gate,
    membership,
    gossip,
    refusals: network.refusals,
    dispatcher,
    services,
    audit,
    traces,
    ...(tunnel == null ? {} : { tunnel })
  })
  const inHand = new RequestsInHand()
  const stopping = new AbortController()
  const issuer = await issuerOf(membership, config, log)
  const { http: httpConfig } = config
  const access = await openAccess({
    ...httpConfig,
    ...(httpConfig == null ? {} : { dataDir: config.dataDir }),
    ...(config.url == null ? {} : { names: [config.url] }),
    ...(trust.authority == null ? {} : { verifyCredential: credentialVerifier(trust) }),
    log
  })
  const parts = {
    access,
    config,
    log,
    self,
    services,
    node,
    view,
    ledger,
    gossip,
    memberOf: (peer: string) => gate.member(peer),
    mayAsk,
    membership,
    issuer,
    directory,
    dispatcher,
    dispatch,
    connect,
    stopping: stopping.signal,
    invoker,
    dialBack: entry.dialBack,
    isGone: (peer: string) => entry.points.isGone(peer),
    metrics,
    audit,
    receipts,
    serving,
    contexts,
    inHand,
    tracing
  }
  const entrance = await buildLocalApi(parts)
  const { app: local } = entrance
  const tunnelEntrance = httpConfig?.tunnelPort == null ? undefined : await buildTunnelApi(parts)
  const entrances = tunnelEntrance == null ? [entrance] : [entrance, tunnelEntrance]
  const { app: remote, server: remoteServer } = await buildPeerApi(parts)
  const nested = await buildNestedApi(parts)
  const unwatchServices = services.addListener(() => {
    for (const { contract } of services.offers()) following.pin(contract.name)
    presence.changed()
  })
  const renew = (credential: string): void => {
    trust.own = credential
    gate.renew()
    presence.changed()
  }
  membership.addListener(renew)
  // What the world can't get at is not announced.
  const unwatchTunnel = tunnel?.addListener(() => {
    if (!publicUrl.change(tunnel.status().url ?? config.url, access.hosts)) return
    presence.changed()
    entry.changed()
    announceAnew(node).catch(err => log.error({ err }, 'could not announce the new address'))
  })
  let http: HttpService | undefined
  let forwards: ForwardService | undefined

  const start = async (): Promise<void> => {
    if (config.http == null) await local.ready()
    else await local.listen({ host: config.http.host, port: config.http.port })
    await tunnelEntrance?.app.listen({ host: '127.0.0.1', port: httpConfig?.tunnelPort ?? 0 })
    if (announces && !membership.closed)
      log.warn(
        { mesh: config.mesh },
        'this mesh is open: whoever reaches it is in it, may offer services and see what is sent; for trying out, never for confidential papers'
      )
    if (access.open)
      log.warn(
        'the HTTP API is open to whoever reaches it (HEDGEROW_HTTP_OPEN): for trying out, never for confidential papers'
      )
    if (isWorker) await nested.listen({ host: '127.0.0.1', port: 0 })
    await remote.ready()
    // Peers' requests are for members; the others' streams end here.
    const forMembers: ServeComponents = {
      handle: (protocol, handler, options) => node.handle(protocol, gate.guardHandler(handler), options),
      unhandle: protocol => node.unhandle(protocol)
    }
    http = await serveHttp(forMembers, remoteServer)
    if (isWorker) {
      forwards = await serveForwards(forMembers, {
        mesh: config.mesh,
        open: async (peer, request, signal) => {
          const { socket, ending } = await connections.connect(peer, request, signal)
          return { duplex: socket, ending }
        }
      })
    }
    if (announces) {
      node.addEventListener('self:peer:update', () => presence.changed())
      // The first connection after being alone: what was said before reached nobody.
      node.addEventListener('peer:identify', () => {
        if (node.getPeers().length === 1) presence.repeat()
      })
    }
    await network.start()
    if (announces) presence.start()
    entry.start()
    tunnel?.start()
    phase = 'running'
    membership.start({ askRenewal: (issuer, chain) => askRenewal({ node, view, invoker }, issuer, chain) })
    if (!isWorker) return
    await services.start({
      peerId,
      meshUrl: urlOf(nested),
      view,
      contextFor: service => contexts.openFor(service)
    })
  }

  const drain = async (): Promise<void> => {
    if (phase === 'draining') return
    phase = 'draining'
    const answered = inHand.drain()
    for (const { app } of entrances) app.server.closeIdleConnections()
    if (announces) await presence.goodbye().catch(err => log.warn({ err }, 'could not say goodbye'))
    await Promise.all([services.drain(), answered])
    await new Promise(resolve => setTimeout(resolve, LINGER))
  }

  const stop = async (): Promise<void> => {
    phase = 'draining'
    unwatchServices()
    unwatchTunnel?.()
    entry.stop()
    presence.stop()
    await tunnel?.stop()
    await membership.stop()
    await issuer?.stop()
    stopping.abort()
    await Promise.all(entrances.map(({ app }) => app.close()))
    access.stop()
    await services.stop()
    await nested.close()
    await forwards?.stop()
    await http?.stop()
    await remote.close()
    dispatcher.stop()
    await network.stop()
    await Promise.all([audit.stop(), traces?.stop()])
  }

  return {
    self,
    node,
    gate,
    trust,
    membership,
    view,
    ledger,
    directory,
    dispatcher,
    invoker,
    presence,
    entryPoints: entry.points,
    iceServers: () => iceServers.current(),
    api: local,
    entrances,
    dispatch,
    connect,
    renew,
    start,
    drain,
    stop,
    get url() {
      return urlOf(local)
    }
  }
}

/** It offers a service, or could: an instance catches up with the others before it is offered. */
function runs(view: Pick<View, 'peer'>, peerId: string, service: string): boolean {
  const advert = view.peer(peerId)?.advert
  return (
    advert != null &&
    (advert.services.some(({ contract }) => contract.name === service) || advert.eligible.includes(service))
  )
}
