import { spawn } from 'node:child_process'
import { MAX_OUTPUT } from './constants.ts'

export interface RunOptions {
  /** milliseconds */
  timeout: number
  env: NodeJS.ProcessEnv
}

/**
 * Runs a program for its output; one that fails, floods or takes too long has none. It never waits longer than the
 * time-out, even for a process that can't be killed because it hangs in a driver.
 */
export function run(
  command: string,
  args: readonly string[],
  { timeout, env }: RunOptions
): Promise<string | undefined> {
  return new Promise(resolve => {
    const group = process.platform !== 'win32'
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'ignore'], detached: group, windowsHide: true })
    let output = ''
    const finish = (result: string | undefined): void => {
      clearTimeout(timer)
      child.stdout.destroy()
      child.unref()
      resolve(result)
    }
    const giveUp = (): void => {
      // The whole group: what it started would hang on.
      if (child.pid != null) {
        try {
          process.kill(group ? -child.pid : child.pid, 'SIGKILL')
        } catch {
          // it has just ended
        }
      }
      finish(undefined)
    }
    const timer = setTimeout(giveUp, timeout)
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (output.length > MAX_OUTPUT) giveUp()
    })
    child.on('error', () => finish(undefined))
    child.on('close', code => finish(code === 0 ? output : undefined))
  })
}
