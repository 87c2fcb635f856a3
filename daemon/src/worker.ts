import { join } from 'node:path'
import type { Capabilities } from '@hedgerow/protocols/advert'
import type { Logger } from 'pino'
import { detectCapabilities } from './capabilities/index.ts'
import type { DaemonSettings } from './config/daemon-settings.ts'
import { loadIdentity, openDataDir } from './identity/index.ts'
import { createLog } from './logging/index.ts'
import { formatManifestError, loadManifests } from './manifest/index.ts'
import { createPeer, type Peer, type ServiceHost } from './peer/index.ts'
import { endOnSignal, VERSION } from './process/index.ts'
import { createServiceHost, SHIPPED_SERVICES } from './services/index.ts'
import { defaultListen, resolveMesh } from './startup/index.ts'

/** Runs a worker until a signal ends it. */
export async function runWorker(settings: DaemonSettings): Promise<void> {
  const log = createLog(settings.logLevel, settings.name)
  const endInOrder = endOnSignal(log)
  const worker = await createWorker(settings, log)
  await worker.start()
  endInOrder(worker)
  const { self, node, url } = worker
  log.info({ peer_id: self.peerId, mesh: self.mesh, url }, 'worker is up')
  if (settings.relay.length > 0) return
  const ways = node.getMultiaddrs().map(addr => `HEDGEROW_RELAY=${addr}`)
  log.info({ join: ways }, 'this is a mesh of its own; start others with one of these to join it')
}

/** From settings to a worker: who it is, what could run, what the machine can do, which mesh. */
async function createWorker(settings: DaemonSettings, log: Logger): Promise<Peer> {
  const dataDir = await openDataDir(settings.dataDir)
  const privateKey = await loadIdentity(dataDir)
  const capabilities = await detectCapabilities({ dataDir, override: lent(settings) })
  const services = await createServices(settings, capabilities, dataDir, log)
  const mesh = await resolveMesh(settings.mesh, settings.relay, dataDir, log)
  return createPeer(
    {
      privateKey,
      mesh,
      role: 'worker',
      name: settings.name,
      version: VERSION,
      dataDir,
      capabilities,
      relays: settings.relay,
      listen: settings.listen ?? (await defaultListen(dataDir)),
      announce: settings.announce,
      iceServers: settings.iceServers,
      mdns: settings.mdns,
      http: { host: settings.httpHost, port: settings.httpPort, corsOrigins: settings.corsOrigins }
    },
    { services, log }
  )
}

async function createServices(
  settings: DaemonSettings,
  capabilities: Capabilities,
  dataDir: string,
  log: Logger
): Promise<ServiceHost> {
  const { manifests, errors } = await loadManifests([SHIPPED_SERVICES, ...settings.servicesDir])
  for (const error of errors) log.error(`${formatManifestError(error)}; this service is left out`)
  return createServiceHost({
    manifests,
    capabilities,
    kind: settings.workerType,
    pinned: settings.services,
    forbidden: settings.forbidServices,
    stateDir: join(dataDir, 'services'),
    log
  })
}

/** What the owner lends, where it is less than all. */
function lent({ cores, memory }: DaemonSettings): Partial<Capabilities> {
  const override: Partial<Capabilities> = {}
  if (cores != null) override.cores = cores
  if (memory != null) override.memory = memory
  return override
}
