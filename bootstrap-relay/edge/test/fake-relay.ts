import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { WebSocketServer } from 'ws'

export interface Seen {
  method: string
  url: string
  headers: IncomingMessage['headers']
  body: string
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** A server with a relay's routes, as far as the edge can tell; a test changes what each of them answers. */
export class FakeRelay {
  readonly name: string
  readonly seen: Seen[] = []
  readonly routes = new Map<string, Handler>()
  entryPoints: unknown[] = []
  #server: Server | undefined
  #sockets: WebSocketServer | undefined
  #port = 0

  constructor(name: string) {
    this.name = name
    this.routes.set('/health', (_request, response) => json(response, 200, { status: 'healthy' }))
    this.routes.set('/entry-points', (_request, response) =>
      this.entryPoints.length > 0
        ? json(response, 200, { entry_points: this.entryPoints, count: this.entryPoints.length })
        : json(response, 503, { entry_points: [], count: 0, error: 'none' })
    )
    this.routes.set('/gzip', (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain', 'content-encoding': 'gzip' })
      response.end(gzipSync('squeezed'))
    })
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Requests for this path. */
  asked(path: string): Seen[] {
    return this.seen.filter(({ url }) => url === path)
  }

  /** Again at the same port, after it was stopped. */
  async start(): Promise<void> {
    const server = createServer((request, response) => void this.#answer(request, response))
    const sockets = new WebSocketServer({
      server,
      path: '/',
      handleProtocols: ([first]) => first ?? false
    })
    this.#sockets = sockets
    sockets.on('connection', (socket, request) => {
      this.seen.push({ method: 'GET', url: request.url ?? '', headers: request.headers, body: '' })
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
      socket.send(this.name)
    })
    server.listen(this.#port, '127.0.0.1')
    await once(server, 'listening')
    this.#port = (server.address() as AddressInfo).port
    this.#server = server
  }

  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server == null) return
    server.close()
    server.closeAllConnections()
    for (const socket of this.#sockets?.clients ?? []) socket.terminate()
    await once(server, 'close')
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request
    const handler = this.routes.get(url.split('?')[0] ?? '')
    let body = ''
    try {
      for await (const chunk of request) body += chunk
    } catch {
      return
    }
    this.seen.push({ method, url, headers, body })
    if (handler != null) handler(request, response)
    else json(response, 200, { relay: this.name, method, url, body })
  }
}

export function json(response: ServerResponse, status: number, body: unknown, type = 'application/json'): void {
  response.writeHead(status, { 'content-type': type })
  response.end(JSON.stringify(body))
}
