import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Type } from 'typebox'
import { Value } from 'typebox/value'

const Body = Type.Object({
  model: Type.String(),
  stream: Type.Optional(Type.Boolean()),
  messages: Type.Optional(Type.Array(Type.Object({ role: Type.String(), content: Type.Unknown() })))
})

/**
 * Stands in for a server that speaks OpenAI's API, without any model: it repeats the last message word by word. It
 * fails in every way that such servers do; a request chooses the way by the model that it names.
 */
export class OpenAiStandIn {
  readonly requests: { path: string; body: unknown; headers: IncomingMessage['headers'] }[] = []
  models = ['echo', 'nomic-embed-text']
  apiKey: string | undefined
  /** the list of models is never answered */
  mute = false
  /** answers that the other side didn't wait for */
  abandoned = 0
  /** bytes that the endless answer has got rid of */
  written = 0
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #port = 0
  readonly #host: string

  constructor(host = '127.0.0.1') {
    this.#host = host
  }

  get url(): string {
    return `http://${this.#host}:${this.#port}`
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy())
    })
    server.on('connection', socket => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    server.listen(this.#port, this.#host)
    await once(server, 'listening')
    const address = server.address() as AddressInfo
    this.#port = address.port
    this.#server = server
  }

  /** As when the server is killed; it can be started again at the same port. */
  async stop(): Promise<void> {
    const server = this.#server
    if (server == null) return
    this.#server = undefined
    const closed = once(server, 'close')
    server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.apiKey != null && request.headers.authorization !== `Bearer ${this.apiKey}`) {
      return send(response, 401, { error: { message: 'no such key' } })
    }
    if (request.method === 'GET' && request.url === '/v1/models') {
      if (this.mute) return
      return send(response, 200, {
        object: 'list',
        data: this.models.map(id => ({ id, object: 'model', owned_by: 'x' }))
      })
    }
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Value.Parse(Body, JSON.parse(Buffer.concat(chunks).toString('utf8')))
    this.requests.push({ path: request.url ?? '', body, headers: request.headers })
    response.once('close', () => {
      if (!response.writableFinished) this.abandoned++
    })
    switch (body.model) {
      case 'busy':
        response.setHeader('retry-after', '17')
        return send(response, 429, { error: { message: 'three others are before you' } })
      case 'broken':
        return send(response, 500, { error: { message: 'CUDA out of memory' } })
      case 'too-long':
        return send(response, 400, {
          error: { message: 'the context is 4096 tokens', code: 'context_length_exceeded' }
        })
      case 'never':
        return
      case 'reset':
        response.destroy()
        return
      case 'half':
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
        response.write('{"choices":')
        await delay(20)
        response.destroy()
        return
      case 'half-stream':
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(event({ choices: [{ delta: { content: 'half' } }] }))
        await delay(20)
        response.destroy()
        return
      case 'stalled':
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(event({ choices: [{ delta: { content: 'and then' } }] }))
        return
      case 'thinking':
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.flushHeaders()
        return
      case 'nonsense':
        return send(response, 200, { hello: 'there' })
      case 'endless':
        return this.#endless(response)
      default:
        return this.#repeat(request.url ?? '', body, response)
    }
  }

  async #endless(response: ServerResponse): Promise<void> {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const piece = event({ choices: [{ delta: { content: 'x'.repeat(16_000) } }] })
    response.setMaxListeners(0)
    while (!response.destroyed) {
      if (!response.write(piece)) {
        await Promise.race([once(response, 'drain'), once(response, 'close')])
      }
      this.written += piece.length
    }
  }

  async #repeat(
    path: string,
    { model, stream, messages }: { model: string; stream?: boolean; messages?: { content: unknown }[] },
    response: ServerResponse
  ): Promise<void> {
    const text = String(messages?.at(-1)?.content ?? 'nothing')
    if (path === '/v1/embeddings')
      return send(response, 200, { object: 'list', model, data: [{ index: 0, embedding: [1, 0] }] })
    if (path === '/v1/completions')
      return send(response, 200, { object: 'text_completion', model, choices: [{ text }] })
    if (stream !== true) {
      const message = { role: 'assistant', content: text }
      return send(response, 200, {
        id: 'x',
        object: 'chat.completion',
        model,
        choices: [{ index: 0, message, finish_reason: 'stop' }]
      })
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const word of text.split(' ')) {
      response.write(
        event({ object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content: `${word} ` } }] })
      )
      await delay(5)
    }
    response.end('data: [DONE]\n\n')
  }
}

function event(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
