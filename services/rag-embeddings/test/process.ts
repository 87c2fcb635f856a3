import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** The service in a process of its own, with a state directory that outlives the process. */
export class RagProcess {
  readonly directory = mkdtempSync(join(tmpdir(), 'hedgerow-rag-'))
  readonly #env: Record<string, string>
  #child: ChildProcess | undefined
  #url: string | undefined

  constructor(env: Record<string, string> = {}) {
    this.#env = env
  }

  get url(): string {
    if (this.#url == null) throw new Error('the service has not been started')
    return this.#url
  }

  get running(): boolean {
    return this.#child != null
  }

  /** Returns when it listens, which may be before it is healthy. */
  async start(): Promise<string> {
    const child = spawn(
      process.execPath,
      ['--conditions=hedgerow-source', '--disable-warning=ExperimentalWarning', MAIN],
      {
        stdio: ['pipe', 'inherit', 'pipe'],
        env: {
          PATH: process.env.PATH,
          PORT: '0',
          HEDGEROW_PARENT: 'stdin',
          HEDGEROW_STATE_DIR: this.directory,
          ...this.#env
        }
      }
    )
    this.#child = child
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined
    })
    const log: string[] = []
    for await (const line of createInterface({ input: child.stderr })) {
      log.push(line)
      const url = /"url":"([^"]+)","msg":"listening"/.exec(line)?.[1]
      if (url == null) continue
      if (process.env.RAG_TEST_LOG != null) child.stderr.on('data', chunk => process.stderr.write(chunk))
      else child.stderr.resume()
      this.#url = url
      return url
    }
    throw new Error(`the service ended before it listened:\n${log.join('\n')}`)
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name)
  }

  /** As power loss would: nothing gets to finish. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child == null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }

  async remove(): Promise<void> {
    await this.kill()
    rmSync(this.directory, { recursive: true, force: true })
  }
}

/** Waits until `holds` does; tells what it last saw when that takes longer than a test should. */
export async function until<T>(
  holds: () => Promise<T> | T,
  accepted: (seen: T) => boolean,
  within = 10_000
): Promise<T> {
  const deadline = Date.now() + within
  for (;;) {
    const seen = await holds()
    if (accepted(seen)) return seen
    if (Date.now() > deadline) throw new Error(`still not so after ${within} ms: ${JSON.stringify(seen)}`)
    await delay(25)
  }
}
