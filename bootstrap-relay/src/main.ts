import { loadIdentity, openDataDir } from '@hedgerow/daemon/identity'
import { createLog } from '@hedgerow/daemon/logging'
import { loadManifests } from '@hedgerow/daemon/manifest'
import { SHIPPED_SERVICES } from '@hedgerow/daemon/services'
import { endOnSignal, exitWith, leaveNoCoreDumps, resolveMesh, VERSION } from '@hedgerow/daemon/startup'
import { createRelay } from './relay.ts'
import { readRelaySettings } from './settings.ts'

try {
  leaveNoCoreDumps()
  const settings = readRelaySettings(process.argv, VERSION)
  const log = createLog(settings.logLevel, settings.name)
  const dataDir = await openDataDir(settings.dataDir)
  const privateKey = await loadIdentity(dataDir)
  const mesh = await resolveMesh(settings.mesh, settings.relay, dataDir, log)
  const { manifests } = await loadManifests([SHIPPED_SERVICES])
  const relay = await createRelay({
    settings,
    privateKey,
    mesh,
    dataDir,
    contracts: manifests.map(({ contract }) => contract),
    log
  })
  endOnSignal(relay, log)
  await relay.start()
  log.info({ peer_id: relay.peer.self.peerId, url: relay.peer.url, mesh }, 'relay is up')
} catch (err) {
  exitWith(err)
}
