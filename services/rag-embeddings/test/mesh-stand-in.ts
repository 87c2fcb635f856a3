import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { request as httpRequest } from 'undici'
import { parse } from 'yaml'

/**
 * Stands in for the daemons of several workers, each with one instance of the service: hands out contexts, lists the
 * instances that are healthy, carries requests between them by `Hedgerow-Worker` (only operations that the manifest
 * declares, the internal ones only from instance to instance), and can cut the workers off from each other.
 */
export class StandInMesh {
  readonly #workers = new Map<string, { url: string; resources: string[] | undefined }>()
  readonly #operations = readOperations()
  readonly #contexts = new Set<string>()
  readonly #stop = new AbortController()
  readonly #server: Server
  #groups: string[][] | undefined

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((err: unknown) => {
        if (response.headersSent) response.destroy()
        else problem(response, 502, String(err))
      })
    })
  }

  static async start(): Promise<StandInMesh> {
    const mesh = new StandInMesh()
    await new Promise<void>(resolve => mesh.#server.listen(0, '127.0.0.1', resolve))
    void mesh.#keepLooking()
    return mesh
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  /** `HEDGEROW_MESH_URL` of that worker; a test uses it as that worker's ingress. */
  url(peer: string): string {
    const { port } = this.#server.address() as AddressInfo
    return `http://127.0.0.1:${port}/at/${peer}`
  }

  /** `HEDGEROW_SERVICE_CONTEXT` of that worker's instance. */
  serviceContext(peer: string): string {
    return `service:${peer}`
  }

  /** Where that worker's instance listens now. */
  register(peer: string, url: string): void {
    this.#workers.set(peer, { url, resources: undefined })
  }

  /** From now on only workers of one group reach each other. */
  partition(...groups: string[][]): void {
    this.#groups = groups
  }

  heal(): void {
    this.#groups = undefined
  }

  /** What the mesh advertises of a worker; undefined while its instance isn't healthy. */
  resources(peer: string): string[] | undefined {
    return this.#workers.get(peer)?.resources
  }

  #connected(a: string, b: string): boolean {
    return a === b || this.#groups == null || this.#groups.some(group => group.includes(a) && group.includes(b))
  }

  async #keepLooking(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await Promise.all([...this.#workers.values()].map(look))
      await delay(50, undefined, { signal: this.#stop.signal, ref: false }).catch(() => undefined)
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, from = '', what, service = '', path = ''] =
      /^\/at\/([^/]+)\/(service|instances)\/([^/?]+)(.*)$/.exec(request.url ?? '') ?? []
    const context = request.headers['hedgerow-context']
    if (service !== 'rag-embeddings') return problem(response, 404, 'no such service')
    if (what === 'instances') {
      if (context !== this.serviceContext(from)) return problem(response, 403, 'a context is needed')
      const instances = [...this.#workers]
        .filter(([peer]) => this.#connected(from, peer))
        .flatMap(([peer_id, { resources }]) => (resources == null ? [] : [{ peer_id, resources }]))
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ self: from, instances }))
      return
    }
    const byService = context === this.serviceContext(from)
    if (context != null && !byService && !this.#contexts.has(String(context)))
      return problem(response, 403, 'bad context')
    const operation = this.#operations.find(
      ({ method, pattern }) => method === request.method && pattern.test(path.split('?')[0] ?? '')
    )
    if (operation == null) return problem(response, 404, 'the manifest declares no such operation')
    if (operation.internal && !byService) return problem(response, 403, 'internal')
    await this.#carry(request, response, from, String(request.headers['hedgerow-worker'] ?? from), path)
  }

  async #carry(
    request: IncomingMessage,
    response: ServerResponse,
    from: string,
    to: string,
    path: string
  ): Promise<void> {
    const worker = this.#workers.get(to)
    if (worker == null) return problem(response, 503, 'no such worker')
    if (!this.#connected(from, to)) {
      // nothing comes back from the other side of a partition; in the end the mesh gives up
      await delay(300, undefined, { ref: false })
      return problem(response, 504, 'no answer')
    }
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const context = randomUUID()
    this.#contexts.add(context)
    const { host: _host, connection: _connection, 'transfer-encoding': _encoding, ...headers } = request.headers
    try {
      const answer = await httpRequest(`${worker.url}${path}`, {
        method: request.method === 'POST' ? 'POST' : request.method === 'DELETE' ? 'DELETE' : 'GET',
        headers: { ...headers, 'hedgerow-context': context, 'hedgerow-request-id': context },
        body: request.method === 'POST' ? request : null,
        signal: gone.signal
      })
      response.writeHead(answer.statusCode, {
        'content-type': String(answer.headers['content-type'] ?? 'application/json'),
        'hedgerow-worker': to
      })
      await pipeline(answer.body, response)
    } finally {
      this.#contexts.delete(context)
    }
  }
}

async function look(worker: { url: string; resources: string[] | undefined }): Promise<void> {
  try {
    const signal = AbortSignal.timeout(500)
    const health = await fetch(`${worker.url}/health`, { signal })
    const answer: unknown = await (await fetch(`${worker.url}/resources`, { signal })).json()
    worker.resources = health.ok ? Value.Parse(Resources, answer).resources : undefined
  } catch {
    worker.resources = undefined
  }
}

const Resources = Type.Object({ resources: Type.Array(Type.String()) })
const Manifest = Type.Object({
  operations: Type.Array(
    Type.Object({ method: Type.String(), path: Type.String(), internal: Type.Optional(Type.Boolean()) })
  )
})

function readOperations(): { method: string; pattern: RegExp; internal: boolean }[] {
  const manifest: Static<typeof Manifest> = Value.Parse(
    Manifest,
    parse(readFileSync(new URL('../hedgerow.service.yaml', import.meta.url), 'utf8'))
  )
  return manifest.operations.map(({ method, path, internal = false }) => ({
    method,
    internal,
    pattern: new RegExp(`^${path.replace(/\{[^}]+\}/g, '[^/]+').replace(/\/\*$/, '/.+')}$`)
  }))
}

function problem(response: ServerResponse, status: number, detail: string): void {
  response.writeHead(status, { 'content-type': 'application/problem+json' })
  response.end(JSON.stringify({ type: 'about:blank', status, code: 'StandIn', detail }))
}
