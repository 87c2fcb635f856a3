import { readDaemonSettings } from './config/daemon-settings.ts'
import { closeInheritedFiles, exitWith, leaveNoCoreDumps, VERSION } from './process/index.ts'

try {
  const settings = readDaemonSettings(process.argv, VERSION)
  leaveNoCoreDumps()
  closeInheritedFiles()
  // Loaded when the settings are known to be good: `--help` and a wrong value are answered without all of libp2p.
  const { runWorker } = await import('./worker.ts')
  await runWorker(settings)
} catch (err) {
  exitWith(err)
}
