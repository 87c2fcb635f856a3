/** The program as a process: started in a group of its own, and gone with this peer however it ends. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { signalGroup } from '../runtime/group.ts'
import type { Reaper } from '../runtime/index.ts'
import { readLines } from '../runtime/lines.ts'

export interface Program {
  /** resolves with how it ended, as in `exited with code 1` */
  readonly ended: Promise<string>
  /** @param grace milliseconds from SIGTERM to SIGKILL */
  stop(grace: number): Promise<void>
}

export interface LaunchInit {
  program: string
  args: readonly string[]
  env: NodeJS.ProcessEnv
  onLine(line: string): void
}

/** Milliseconds for what it still writes when it has ended. */
const LAST_WORDS = 200
/** Milliseconds from SIGKILL until a process that doesn't end even then is given up. */
const KILL_PATIENCE = 2000

/** @throws {Error} as `spawn` does, when the program can't be run */
export async function launch({ program, args, env, onLine }: LaunchInit, reaper: Reaper): Promise<Program> {
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(program, args, {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    windowsHide: true
  })
  await once(child, 'spawn')
  const { pid } = child
  if (pid == null) throw new Error('the process has no id')
  reaper.add(pid)
  readLines(child.stdout, onLine)
  readLines(child.stderr, onLine)
  const closed = once(child, 'close')
  const ended = once(child, 'exit').then(async () => {
    // What it may have started goes with it.
    signalGroup(pid, 'SIGKILL')
    reaper.drop(pid)
    await within(LAST_WORDS, closed)
    child.stdout.destroy()
    child.stderr.destroy()
    const { exitCode, signalCode } = child
    return signalCode == null ? `exited with code ${exitCode}` : `was killed by ${signalCode}`
  })
  return {
    ended,
    async stop(grace) {
      if (child.exitCode == null && child.signalCode == null) {
        signalGroup(pid, 'SIGTERM')
        if (!(await within(grace, ended))) signalGroup(pid, 'SIGKILL')
      }
      await within(KILL_PATIENCE, ended)
    }
  }
}

/** Whether something happens within so many milliseconds. */
async function within(milliseconds: number, event: Promise<unknown>): Promise<boolean> {
  const over = new AbortController()
  try {
    return await Promise.race([
      event.then(() => true),
      sleep(milliseconds, false, { signal: over.signal }).catch(() => false)
    ])
  } finally {
    over.abort()
  }
}
