import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The service as the daemon runs it: a process of its own. */
export interface RunningService {
  url: string
  process: ChildProcess
  stop(): Promise<void>
}

export async function startService(env: Record<string, string> = {}): Promise<RunningService> {
  const child = spawn(process.execPath, ['--conditions=hedgerow-source', 'src/main.ts'], {
    cwd: fileURLToPath(new URL('../../', import.meta.url)),
    env: {
      PATH: process.env.PATH,
      HOST: '127.0.0.1',
      PORT: '0',
      HEDGEROW_PARENT: 'stdin',
      MALLOC_ARENA_MAX: '2',
      ...env
    },
    stdio: ['pipe', 'ignore', 'pipe']
  })
  const stop = async (): Promise<void> => {
    if (child.exitCode != null || child.signalCode != null) return
    const exited = once(child, 'exit')
    child.stdin.end()
    await exited
  }
  for await (const line of createInterface({ input: child.stderr })) {
    const url = /"url":"(http[^"]+)"/.exec(line)?.[1]
    if (url == null) continue
    child.stderr.resume()
    return { url, process: child, stop }
  }
  if (child.exitCode == null) await once(child, 'exit')
  throw new Error(`the service ended with ${child.exitCode} before it listened`)
}
