import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** A port that nothing listens on now. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address == null || typeof address === 'string') throw new Error('no free port')
  return address.port
}

/** Programs of this folder, started and ended together. */
export class Processes {
  readonly #children: ChildProcess[] = []

  /** @returns where it listens */
  async node(file: string, env: Record<string, string> = {}): Promise<string> {
    const port = await freePort()
    const program = fileURLToPath(new URL(file, import.meta.url))
    this.#children.push(
      spawn(process.execPath, [program], {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, ...env, PORT: String(port) }
      })
    )
    return answers(`http://127.0.0.1:${port}`)
  }

  async program(command: string, args: string[], url: string): Promise<string> {
    this.#children.push(spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] }))
    return answers(url)
  }

  async stop(): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode != null || child.signalCode != null) continue
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
  }
}

async function answers(url: string): Promise<string> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      await fetch(url, { method: 'POST', body: '{}', signal: AbortSignal.timeout(1000) })
      return url
    } catch {
      await sleep(50)
    }
  }
  throw new Error(`nothing answers at ${url}`)
}

/** Installs what is missing from Debian's packages. @returns whether it is there now */
export function ensureProgram(program: string, debianPackage: string): boolean {
  const there = (): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
  if (there()) return true
  spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore' })
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', debianPackage], {
    stdio: 'ignore',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  })
  return there()
}
