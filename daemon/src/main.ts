import { readDaemonSettings } from './config/daemon-settings.ts'
import { loadIdentity, openDataDir } from './identity/index.ts'
import { createLog } from './logging/index.ts'
import { endOnSignal, exitWith, leaveNoCoreDumps, VERSION } from './startup/index.ts'
import { createWorker } from './worker.ts'

try {
  leaveNoCoreDumps()
  const settings = readDaemonSettings(process.argv, VERSION)
  const log = createLog(settings.logLevel, settings.name)
  const dataDir = await openDataDir(settings.dataDir)
  const privateKey = await loadIdentity(dataDir)
  const worker = await createWorker({ settings, privateKey, dataDir, log })
  endOnSignal(worker, log)
  await worker.start()
  const { self, node, url } = worker
  log.info({ peer_id: self.peerId, mesh: self.mesh, url }, 'worker is up')
  if (settings.relay.length === 0) {
    log.info(
      { join: node.getMultiaddrs().map(addr => `HEDGEROW_RELAY=${addr}`) },
      'this is a mesh of its own; start others with one of these to join it'
    )
  }
} catch (err) {
  exitWith(err)
}
