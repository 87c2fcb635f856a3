import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** A daemon as a process of its own, with a mesh of its own. */
export class Worker {
  readonly url: string
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, url: string) {
    this.#child = child
    this.url = url
  }

  /**
   * @param folder has its manifests, and keeps its data
   * @param env further settings
   */
  static async start(folder: string, dockerSocket: string, env: Record<string, string> = {}): Promise<Worker> {
    const port = await freePort()
    const child = spawn(process.execPath, ['--conditions=hedgerow-source', MAIN], {
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        HEDGEROW_DATA_DIR: join(folder, 'data'),
        HEDGEROW_HTTP_PORT: String(port),
        HEDGEROW_SERVICES_DIR: folder,
        // No more of those that ship than shows that the others work.
        HEDGEROW_FORBID_SERVICES: 'vision-ocr,document-processing,rag-embeddings,notes-coa,llm-inference',
        HEDGEROW_DOCKER_SOCKET: dockerSocket,
        HEDGEROW_LISTEN: '/ip4/127.0.0.1/tcp/0',
        HEDGEROW_MDNS: 'false',
        HEDGEROW_PARENT: 'stdin',
        ...env
      },
      stdio: ['pipe', 'ignore', 'ignore']
    })
    const worker = new Worker(child, `http://127.0.0.1:${port}`)
    await eventually('the worker is up', async () => (await fetch(`${worker.url}/health`)).ok)
    return worker
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child.exitCode != null || child.signalCode != null) return
    child.kill(signal)
    await once(child, 'exit')
  }
}

/** Waits for a state that has to be asked for; a question that fails is asked again. */
export async function eventually(what: string, condition: () => Promise<boolean>, limit = 40_000): Promise<void> {
  const end = Date.now() + limit
  while (!(await condition().catch(() => false))) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  if (address == null || typeof address === 'string') throw new Error('no port')
  return address.port
}
