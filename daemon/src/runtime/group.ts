import { GROUP_POLL } from './constants.ts'

const WINDOWS = process.platform === 'win32'

/** Signals a process group: the process that leads it and all that it started. Windows has none: only the process. */
export function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(WINDOWS ? leader : -leader, signal)
  } catch {
    // it has ended
  }
}

/** Waits until nobody is left in a group whose leader has ended; kills who is after `grace` milliseconds. */
export async function endGroup(leader: number, grace: number): Promise<void> {
  if (WINDOWS) return
  for (let waited = 0; waited < grace && isAlive(leader); waited += GROUP_POLL) {
    await new Promise(resolve => setTimeout(resolve, GROUP_POLL))
  }
  signalGroup(leader, 'SIGKILL')
}

function isAlive(leader: number): boolean {
  try {
    process.kill(-leader, 0)
    return true
  } catch {
    return false
  }
}
