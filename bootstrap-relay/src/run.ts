import { networkInterfaces } from 'node:os'
import { loadIdentity, openDataDir, peerIdOf } from '@hedgerow/daemon/identity'
import { createLog } from '@hedgerow/daemon/logging'
import { loadManifests } from '@hedgerow/daemon/manifest'
import { endOnSignal, VERSION } from '@hedgerow/daemon/process'
import { SHIPPED_SERVICES } from '@hedgerow/daemon/services'
import { accessOf, answerWhileWaiting, publicWayOf, resolveMembership } from '@hedgerow/daemon/startup'
import { openTraces, traceSettings } from '@hedgerow/daemon/tracing'
import { createRelay } from './relay.ts'
import type { RelaySettings } from './settings.ts'

/** Runs a relay until a signal ends it. */
export async function runRelay(settings: RelaySettings): Promise<void> {
  const log = await createLog(settings.logLevel, settings.name)
  const endInOrder = endOnSignal(log)
  const recorded = traceSettings(process.env)
  const dataDir = await openDataDir(settings.dataDir)
  const access = await accessOf(settings, dataDir)
  const way = await publicWayOf(settings, log)
  const privateKey = await loadIdentity(dataDir)
  const stopWaiting = await answerWhileWaiting({
    host: settings.httpHost,
    port: settings.httpPort,
    peerId: peerIdOf(privateKey),
    workerId: settings.name,
    role: 'relay',
    version: VERSION
  })
  const { membership, relays } = await resolveMembership(settings, dataDir, privateKey, 'relay', log)
  const { mesh } = membership
  const traces = await openTraces(recorded, {
    role: 'relay',
    version: VERSION,
    peerId: peerIdOf(privateKey),
    mesh,
    perSecond: settings.tracesPerSecond,
    log
  })
  const { manifests } = await loadManifests([SHIPPED_SERVICES])
  const contracts = manifests.map(({ contract }) => contract)
  const relay = await createRelay({
    settings,
    access,
    way,
    privateKey,
    membership,
    relays,
    dataDir,
    contracts,
    traces,
    log
  })
  await stopWaiting()
  await relay.start()
  endInOrder(relay)
  const { self, url } = relay.peer
  log.info({ peer_id: self.peerId, url, mesh }, 'relay is up')
  const address = settings.url ?? reachableUrl(url, settings.httpHost)
  if (!membership.closed) log.info(`others join this mesh with HEDGEROW_RELAY=${address}`)
  else if (membership.isIssuer)
    log.info(`let others in with: hedgerow mesh invite --data-dir ${dataDir} --relay ${address} --services '*'`)
  else log.info(`this mesh is closed, and this relay lets nobody in: its credential has not the role issuer`)
}

/** As others on the network write it, where it listens on every address. */
function reachableUrl(url: string, host: string): string {
  if (host !== '0.0.0.0' && host !== '::') return url
  const addresses = Object.values(networkInterfaces()).flatMap(some => some ?? [])
  const outward = addresses.find(({ internal, family }) => !internal && family === 'IPv4')
  return outward == null ? url : `http://${outward.address}:${new URL(url).port}`
}
