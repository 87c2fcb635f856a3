import { covers } from '@hedgerow/protocols/membership'
import { openAccess } from '../access/index.ts'
import type { Self } from '../api/index.ts'
import { createMetrics } from '../metrics/index.ts'
import { announceAnew } from '../node/index.ts'
import { Presence, Sequence } from '../presence/index.ts'
import { askRenewal } from './ask-renewal.ts'
import { createAsks } from './asks.ts'
import { directPaths } from './direct-paths.ts'
import { createEntry } from './entry.ts'
import { RequestsInHand } from './in-hand.ts'
import type { Peer, PeerComponents, PeerConfig } from './index.ts'
import { createListeners } from './listeners.ts'
import { credentialVerifier, issuerOf, withoutFiles } from './member.ts'
import { createNetwork } from './network.ts'
import { Phase } from './phase.ts'
import { PublicUrl } from './public-url.ts'
import { createServes } from './serves.ts'
import { urlOf } from './url.ts'

/** Milliseconds for goodbye and refusals to reach the others before connections close. */
const LINGER = 300

/** Puts a peer together, from the network up; starting, draining and stopping it stand at the end. */
export async function createPeer(config: PeerConfig, components: PeerComponents): Promise<Peer> {
  const { services, tunnel, traces, log } = components
  const { mesh, privateKey, role, http } = config
  const isWorker = role === 'worker'
  // A client only asks: nobody needs to know of it, and nothing is left of it when it ends.
  const announces = role !== 'client'
  const membership = components.membership ?? withoutFiles(config, log)
  const { trust } = membership
  const publicUrl = new PublicUrl(config.url)
  const publicAddrs = (): readonly string[] => (http?.webSocketPort == null ? [] : publicUrl.addrs())
  const network = await createNetwork({ ...config, trust, publicAddrs }, log)
  const { node, gate, iceServers, view, ledger, gossip, directory, following, invoker } = network
  const peerId = node.peerId.toString()
  for (const contract of services.contracts()) view.learnContract(contract)

  const phase = new Phase(config, network, services)
  const serves = await createServes(network, config, { services, traces, log, trust, phase })
  const asks = createAsks(network, serves, isWorker)
  const self: Self = {
    peerId,
    workerId: config.name,
    role,
    mesh,
    closed: membership.closed,
    version: config.version,
    capabilities: config.capabilities,
    uptime: () => performance.now() - phase.startedAt,
    status: () => phase.status,
    services: () => services.offers().map(({ contract }) => contract.name),
    assigned: () => services.assigned(),
    directPaths: () => directPaths(node, iceServers),
    containers: () => services.report().containers,
    tunnel: () => tunnel?.status(),
    entry: () => entry.prover.report(),
    credential: () => membership.credential()
  }

  const presence = new Presence(
    { gossip, directory, ledger, sequence: await Sequence.open(config.dataDir), log },
    {
      mesh,
      privateKey,
      peerId,
      loads: () => services.loads(),
      reporters: service => view.candidates(service).length,
      describe: () => ({
        role,
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
    role,
    publicAddrs,
    hasPublicWay: tunnel != null || config.url != null,
    isTunnelled: http?.tunnelPort != null,
    entrances: config.entrances ?? [],
    announce: config.announce.filter(addr => config.entrances?.includes(addr) !== true),
    onChange: () => presence.changed(),
    log
  })

  const metrics = createMetrics({
    ...network,
    self,
    entry,
    membership,
    dispatcher: asks.dispatcher,
    services,
    audit: serves.audit,
    traces,
    ...(tunnel == null ? {} : { tunnel })
  })
  const inHand = new RequestsInHand()
  const stopping = new AbortController()
  const issuer = await issuerOf(membership, config, log)
  const access = await openAccess({
    ...http,
    ...(http == null ? {} : { dataDir: config.dataDir }),
    ...(config.url == null ? {} : { names: [config.url] }),
    ...(trust.authority == null ? {} : { verifyCredential: credentialVerifier(trust) }),
    log
  })
  const listeners = await createListeners(
    {
      ...network,
      ...serves,
      ...asks,
      access,
      config,
      log,
      self,
      services,
      memberOf: peer => gate.member(peer),
      membership,
      issuer,
      stopping: stopping.signal,
      dialBack: entry.dialBack,
      isGone: peer => entry.points.isGone(peer),
      metrics,
      inHand,
      tracing: traces?.tracing
    },
    network,
    serves
  )
  const { entrances } = listeners
  const [{ app: local }] = entrances

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

  const start = async (): Promise<void> => {
    await listeners.listen()
    if (announces && !membership.closed)
      log.warn(
        { mesh },
        'this mesh is open: whoever reaches it is in it, may offer services and see what is sent; for trying out, never for confidential papers'
      )
    if (access.open)
      log.warn(
        'the HTTP API is open to whoever reaches it (HEDGEROW_HTTP_OPEN): for trying out, never for confidential papers'
      )
    await listeners.serve()
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
    phase.run()
    membership.start({ askRenewal: (issuer, chain) => askRenewal({ node, view, invoker }, issuer, chain) })
    if (!isWorker) return
    const contextFor = (service: string): string => serves.contexts.openFor(service)
    await services.start({ peerId, meshUrl: listeners.meshUrl, view, contextFor })
  }

  const drain = async (): Promise<void> => {
    if (phase.draining) return
    phase.drain()
    const answered = inHand.drain()
    listeners.closeIdle()
    if (announces) await presence.goodbye().catch(err => log.warn({ err }, 'could not say goodbye'))
    await Promise.all([services.drain(), answered])
    await new Promise(resolve => setTimeout(resolve, LINGER))
  }

  const stop = async (): Promise<void> => {
    phase.drain()
    unwatchServices()
    unwatchTunnel?.()
    entry.stop()
    presence.stop()
    await tunnel?.stop()
    await membership.stop()
    await issuer?.stop()
    stopping.abort()
    await listeners.close()
    access.stop()
    await services.stop()
    await listeners.stop()
    asks.dispatcher.stop()
    await network.stop()
    await Promise.all([serves.audit.stop(), traces?.stop()])
  }

  return {
    ...asks,
    self,
    node,
    gate,
    trust,
    membership,
    view,
    ledger,
    directory,
    invoker,
    presence,
    entryPoints: entry.points,
    iceServers: () => iceServers.current(),
    api: local,
    entrances,
    renew,
    start,
    drain,
    stop,
    get url() {
      return urlOf(local)
    }
  }
}
