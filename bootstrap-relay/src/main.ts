import { closeInheritedFiles, exitWith, leaveNoCoreDumps, VERSION } from '@hedgerow/daemon/process'
import { readRelaySettings } from './settings.ts'

try {
  const settings = readRelaySettings(process.argv, VERSION)
  leaveNoCoreDumps()
  closeInheritedFiles()
  // Loaded when the settings are known to be good: `--help` and a wrong value are answered without all of libp2p.
  const { runRelay } = await import('./run.ts')
  await runRelay(settings)
} catch (err) {
  exitWith(err)
}
