import { join } from 'node:path'
import type { Capabilities } from '@hedgerow/protocols/advert'
import type { PrivateKey } from '@libp2p/interface'
import type { Logger } from 'pino'
import { detectCapabilities } from './capabilities/index.ts'
import type { DaemonSettings } from './config/daemon-settings.ts'
import { formatManifestError, loadManifests } from './manifest/index.ts'
import { createPeer, type Peer } from './peer/index.ts'
import { createServiceHost, SHIPPED_SERVICES } from './services/index.ts'
import { defaultListen, resolveMesh, VERSION } from './startup/index.ts'

export interface WorkerInit {
  settings: DaemonSettings
  privateKey: PrivateKey
  dataDir: string
  log: Logger
}

/** From settings to a worker: what could run, what the machine can do, which mesh. */
export async function createWorker({ settings, privateKey, dataDir, log }: WorkerInit): Promise<Peer> {
  const { manifests, errors } = await loadManifests([SHIPPED_SERVICES, ...settings.servicesDir])
  for (const error of errors) log.error(`${formatManifestError(error)}; this service is left out`)
  const override: Partial<Capabilities> = {}
  if (settings.cores != null) override.cores = settings.cores
  if (settings.memory != null) override.memory = settings.memory
  const capabilities = await detectCapabilities({ dataDir, override })
  const mesh = await resolveMesh(settings.mesh, settings.relay, dataDir, log)
  const services = createServiceHost({
    manifests,
    capabilities,
    kind: settings.workerType,
    pinned: settings.services,
    forbidden: settings.forbidServices,
    stateDir: join(dataDir, 'services'),
    log
  })
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
      mdns: settings.mdns,
      http: { host: settings.httpHost, port: settings.httpPort, corsOrigins: settings.corsOrigins }
    },
    { services, log }
  )
}
