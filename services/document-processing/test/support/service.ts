import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** The service in a process of its own. */
export class ServiceProcess {
  readonly #child: ChildProcess
  readonly url: string

  private constructor(child: ChildProcess, url: string) {
    this.#child = child
    this.url = url
  }

  static async start(env: Record<string, string> = {}, main = MAIN): Promise<ServiceProcess> {
    const child = spawn(process.execPath, ['--conditions=hedgerow-source', main], {
      stdio: ['pipe', 'inherit', 'pipe'],
      env: { PATH: process.env.PATH, PORT: '0', HEDGEROW_PARENT: 'stdin', LOG_LEVEL: 'info', ...env }
    })
    const log: string[] = []
    for await (const line of createInterface({ input: child.stderr })) {
      log.push(line)
      const url = /"url":"([^"]+)","msg":"listening"/.exec(line)?.[1]
      if (url == null) continue
      if (process.env.SHOW_LOG == null) child.stderr.resume()
      else child.stderr.pipe(process.stderr)
      return new ServiceProcess(child, url)
    }
    throw new Error(`the service ended before it listened:\n${log.join('\n')}`)
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  get running(): boolean {
    return this.#child.exitCode == null && this.#child.signalCode == null
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  async stop(): Promise<void> {
    if (!this.running) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await exited
  }
}

export const CONTEXT = 'context-of-the-test'

export interface OcrRequest {
  number: number
  png: Buffer
  response: ServerResponse
}

/**
 * Stands in for the daemon at `HEDGEROW_MESH_URL`: refuses calls without the request's context, and lets a test say
 * what `vision-ocr` answers. It reads no letters; the tests that need OCR itself run the real service behind it.
 */
export class StandInMesh {
  /** how each call to vision-ocr is answered */
  ocr: (call: OcrRequest) => Promise<void> | void = ({ response }) => answer(response, 200, { text: '' })
  /** calls that have come, and how many of them ran at once at most */
  calls = 0
  atOnce = 0
  /** contexts and paths that the real daemon would have refused */
  readonly refused: string[] = []
  readonly #server: Server
  #running = 0

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy())
    })
  }

  static async start(): Promise<StandInMesh> {
    const mesh = new StandInMesh()
    mesh.#server.listen(0, '127.0.0.1')
    await once(mesh.#server, 'listening')
    return mesh
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo
    return `http://127.0.0.1:${port}`
  }

  reset(): void {
    this.calls = 0
    this.atOnce = 0
  }

  get running(): number {
    return this.#running
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url, headers } = request
    const what = `${method} ${url} ${headers['content-type']} ${headers['hedgerow-context']}`
    if (what !== `POST /service/vision-ocr/recognize image/png ${CONTEXT}`) {
      this.refused.push(what)
      return answer(response, 403, { code: 'Forbidden', detail: 'no context, or no such call' })
    }
    const number = ++this.calls
    this.atOnce = Math.max(this.atOnce, ++this.#running)
    response.once('close', () => this.#running--)
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    await this.ocr({ number, png: Buffer.concat(parts), response })
  }
}

export function answer(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {}
): void {
  const type = status < 400 ? 'application/json' : 'application/problem+json'
  response.writeHead(status, { 'content-type': type, ...headers })
  response.end(JSON.stringify(body))
}

export async function until(holds: () => boolean | Promise<boolean>, what: string, within = 15_000): Promise<void> {
  const deadline = Date.now() + within
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`still not so after ${within} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
