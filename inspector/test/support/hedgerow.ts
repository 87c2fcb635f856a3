import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const BIN = fileURLToPath(new URL('../../bin/hedgerow.js', import.meta.url))

export interface Running {
  child: ChildProcess
  /** stdout until now */
  out(): Buffer
  err(): string
  /** resolves when stdout holds the text */
  shows(text: string): Promise<void>
  ended: Promise<Ended>
}

export interface Ended {
  code: number | null
  out: Buffer
  err: string
}

export interface HedgerowInit {
  input?: Uint8Array
  env?: Record<string, string>
}

/** Starts the real command as a process of its own, with nothing of this one's Hedgerow settings. */
export function start(args: string[], { input, env = {} }: HedgerowInit = {}): Running {
  const child = spawn(process.execPath, [BIN, ...args], {
    stdio: 'pipe',
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env }
  })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', chunk => out.push(chunk)).on('error', () => {})
  child.stderr.on('data', chunk => err.push(chunk))
  child.stdin.on('error', () => {}).end(input)
  const ended = once(child, 'close').then(([code]) => ({
    code,
    out: Buffer.concat(out),
    err: Buffer.concat(err).toString()
  }))
  const shows = async (text: string): Promise<void> => {
    while (!Buffer.concat(out).includes(text)) {
      if (child.exitCode != null) throw new Error(`it ended without ${text}: ${Buffer.concat(err)}`)
      await Promise.race([once(child.stdout, 'data'), ended])
    }
  }
  return { child, out: () => Buffer.concat(out), err: () => Buffer.concat(err).toString(), shows, ended }
}

export const hedgerow = (args: string[], init?: HedgerowInit): Promise<Ended> => start(args, init).ended

/** The request id in the line that `call` prints. */
export function requestIdIn(err: string): string {
  const [, id] = /request ([0-9a-f]{32})/.exec(err) ?? []
  if (id == null) throw new Error(`no request id in: ${err}`)
  return id
}
