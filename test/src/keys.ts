/** `hedgerow key`, and a relay's programs, as processes of their own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
export const INSPECTOR = join(root, 'inspector/src/main.ts')
export const RELAY = join(root, 'bootstrap-relay/src/main.ts')
export const DAEMON = join(root, 'daemon/src/main.ts')

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs a program to its end; one that should not have started is ended after a while. */
export async function run(program: string, args: string[] = [], env: Record<string, string> = {}): Promise<Ended> {
  const child = spawn(
    process.execPath,
    ['--conditions=hedgerow-source', '--disable-warning=ExperimentalWarning', program, ...args],
    { env: { PATH: process.env.PATH, HOME: tmpdir(), ...env }, stdio: ['ignore', 'pipe', 'pipe'] }
  )
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', chunk => (stdout += chunk))
  child.stderr.on('data', chunk => (stderr += chunk))
  const late = setTimeout(() => child.kill('SIGKILL'), 20_000)
  const [code] = await once(child, 'close')
  clearTimeout(late)
  return { code, stdout, stderr }
}

export interface Key {
  key: string
  id: string
}

/** @param flags as `hedgerow key create` takes them */
export async function createKey(dataDir: string, ...flags: string[]): Promise<Key> {
  const { code, stdout, stderr } = await run(INSPECTOR, [
    ...['key', 'create', 'a test', '--data-dir', dataDir, '--json'],
    ...flags
  ])
  if (code !== 0) throw new Error(`hedgerow key create: ${stderr}`)
  return JSON.parse(stdout)
}

export interface Running {
  /** its log and what it wrote besides */
  said(): string
  stop(): Promise<void>
}

/** Starts a relay by itself. */
export async function startRelay(env: Record<string, string>): Promise<Running> {
  const child = spawn(
    process.execPath,
    ['--conditions=hedgerow-source', '--disable-warning=ExperimentalWarning', RELAY],
    {
      env: {
        PATH: process.env.PATH,
        HOME: tmpdir(),
        HEDGEROW_HTTP_PORT: '0',
        HEDGEROW_MDNS: 'false',
        HEDGEROW_LISTEN: '/ip4/127.0.0.1/tcp/0',
        ...env
      },
      stdio: ['ignore', 'pipe', 'pipe']
    }
  )
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (said += chunk))
  return {
    said: () => said,
    async stop() {
      if (child.exitCode != null || child.signalCode != null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
  }
}
