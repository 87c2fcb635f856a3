import { access } from 'node:fs/promises'
import { join } from 'node:path'
import type { Capabilities } from '@hedgerow/protocols/advert'
import type { Logger } from 'pino'
import { detectCapabilities } from './capabilities/index.ts'
import type { DaemonSettings } from './config/daemon-settings.ts'
import { ConfigError } from './config/index.ts'
import { type ContainerEngine, createEngine } from './containers/index.ts'
import { loadIdentity, openDataDir, peerIdOf } from './identity/index.ts'
import { createLog } from './logging/index.ts'
import { formatManifestError, loadManifests, type Variables } from './manifest/index.ts'
import { createPeer, type Peer, type ServiceHost } from './peer/index.ts'
import { endOnSignal, VERSION } from './process/index.ts'
import {
  CATALOGUE,
  catalogueFiles,
  createServiceHost,
  llmServerUrl,
  namedServices,
  SHIPPED_SERVICES
} from './services/index.ts'
import {
  accessOf,
  answerWhileWaiting,
  defaultListen,
  freePort,
  publicWayOf,
  resolveMembership
} from './startup/index.ts'
import { openTraces, traceSettings } from './tracing/index.ts'

/** Runs a worker until a signal ends it. */
export async function runWorker(settings: DaemonSettings): Promise<void> {
  const log = await createLog(settings.logLevel, settings.name)
  const endInOrder = endOnSignal(log)
  const worker = await createWorker(settings, log)
  await worker.start()
  endInOrder(worker)
  const { self, node, url } = worker
  log.info({ peer_id: self.peerId, mesh: self.mesh, url }, 'worker is up')
  if (settings.relay.length > 0 || worker.membership.closed) return
  const addrs = node.getMultiaddrs().map(String)
  const best = addrs.find(addr => !/^\/ip[46]\/(127\.|::1\/)/.test(addr)) ?? addrs[0]
  log.info(`this is a mesh of its own; others join it with HEDGEROW_RELAY=${best}`)
}

/** From settings to a worker: who it is, what could run, what the machine can do, which mesh. */
async function createWorker(settings: DaemonSettings, log: Logger): Promise<Peer> {
  // What is wrong with it is said before anything is waited for.
  const recorded = traceSettings(process.env)
  const dataDir = await openDataDir(settings.dataDir)
  const access = await accessOf(settings, dataDir)
  const way = await publicWayOf(settings, log)
  const privateKey = await loadIdentity(dataDir)
  const capabilities = await detectCapabilities({ dataDir, override: lent(settings) })
  const createServices = await prepareServices(settings, capabilities, dataDir, log)
  const stopWaiting = await answerWhileWaiting({
    host: settings.httpHost,
    port: settings.httpPort,
    peerId: peerIdOf(privateKey),
    workerId: settings.name,
    role: 'worker',
    version: VERSION
  })
  const { membership, relays } = await resolveMembership(settings, dataDir, privateKey, 'worker', log)
  const services = createServices(membership.trust.rights?.services ?? [])
  const traces = await openTraces(recorded, {
    role: 'worker',
    version: VERSION,
    peerId: peerIdOf(privateKey),
    mesh: membership.mesh,
    perSecond: settings.tracesPerSecond,
    log
  })
  if (way.url != null && way.tunnelPort == null)
    log.warn(
      'HEDGEROW_URL leads nowhere on a worker without HEDGEROW_TUNNEL_PORT, the port for a proxy that brings the internet'
    )
  // Who comes by the tunnel may speak libp2p too.
  const webSocketPort = way.tunnelPort == null ? undefined : await freePort()
  const privateAddrs = webSocketPort == null ? [] : [`/ip4/127.0.0.1/tcp/${webSocketPort}/ws`]
  const worker = await createPeer(
    {
      privateKey,
      mesh: membership.mesh,
      role: 'worker',
      name: settings.name,
      version: VERSION,
      dataDir,
      capabilities,
      relays,
      listen: [...(settings.listen ?? (await defaultListen(dataDir))), ...privateAddrs],
      noAnnounce: privateAddrs,
      announce: settings.announce,
      iceServers: settings.iceServers,
      mdns: settings.mdns,
      upnp: settings.upnp,
      auditDays: settings.auditDays,
      auditMb: settings.auditMb,
      http: {
        ...access,
        host: settings.httpHost,
        port: settings.httpPort,
        corsOrigins: settings.corsOrigins,
        bridgeClasses: settings.bridgeClasses,
        ...(way.tunnelPort == null ? {} : { tunnelPort: way.tunnelPort }),
        ...(webSocketPort == null ? {} : { webSocketPort })
      },
      ...(way.url == null ? {} : { url: way.url })
    },
    { services, membership, traces, log, ...(way.tunnel == null ? {} : { tunnel: way.tunnel }) }
  )
  await stopWaiting()
  return worker
}

/** What is wrong with the settings is said before anything is waited for. @returns makes what this worker may offer */
async function prepareServices(
  settings: DaemonSettings,
  capabilities: Capabilities,
  dataDir: string,
  log: Logger
): Promise<(granted: readonly string[]) => ServiceHost> {
  for (const place of settings.servicesDir) {
    await access(place).catch(err => {
      throw new ConfigError('HEDGEROW_SERVICES_DIR', `${place} can't be read (${err.code}); name a folder of manifests`)
    })
  }
  const containers = createEngine({
    ...(settings.dockerSocket == null ? {} : { socket: settings.dockerSocket }),
    env: process.env,
    log
  })
  await containers.start()
  const catalogue = await catalogueFiles(CATALOGUE, settings.catalogue)
  const places = [SHIPPED_SERVICES, ...catalogue, ...settings.servicesDir]
  const { manifests, errors } = await loadManifests(places, { env: await variables(catalogue, containers) })
  for (const error of errors) log.error(`${formatManifestError(error)}; this service is left out`)
  const contracts = manifests.map(({ contract }) => contract)
  const leftOut = errors.map(({ file }) => file)
  const init = {
    manifests,
    capabilities,
    kind: settings.workerType,
    pinned: namedServices('HEDGEROW_SERVICES', settings.services, contracts, leftOut),
    forbidden: namedServices('HEDGEROW_FORBID_SERVICES', settings.forbidServices, contracts, leftOut),
    stateDir: join(dataDir, 'services'),
    containers,
    log
  }
  return granted => createServiceHost({ ...init, granted })
}

/**
 * What manifests may refer to: the daemon's environment, and where the catalogue's server of models is.
 *
 * @throws {ConfigError} when an entry of the catalogue lacks something: it was asked for by name
 */
async function variables(catalogue: readonly string[], containers: ContainerEngine): Promise<Variables> {
  if (catalogue.length === 0) return process.env
  const { manifests, errors } = await loadManifests(catalogue)
  const [error] = errors
  if (error != null) throw new ConfigError('HEDGEROW_CATALOGUE', formatManifestError(error))
  if (process.env.HEDGEROW_LLM_URL) return process.env
  const reach = await containers.need().then(
    ready => ready.reach.kind,
    () => 'loopback' as const
  )
  const url = llmServerUrl(manifests, reach)
  return url == null ? process.env : { ...process.env, HEDGEROW_LLM_URL: url }
}

/** What the owner lends, where it is less than all. */
function lent({ cores, memory }: DaemonSettings): Partial<Capabilities> {
  const override: Partial<Capabilities> = {}
  if (cores != null) override.cores = cores
  if (memory != null) override.memory = memory
  return override
}
