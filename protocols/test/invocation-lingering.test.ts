import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { type Lingering, type LingeringInit, lingerAfterAnswers } from '../src/invocation/node/index.ts'

const PIECE = Buffer.alloc(64 * 1024, 'y')
/** Bytes: more than what waits in sockets on loopback. */
const LARGE = 16 * 1024 * 1024

describe('an answer that is given before the request has arrived', function () {
  this.timeout(20_000)
  let server: Server
  let lingering: Lingering
  let client: Socket

  async function serve(listener: RequestListener, init?: LingeringInit): Promise<void> {
    server = createServer(listener)
    lingering = lingerAfterAnswers(server, init)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    client = connect((server.address() as AddressInfo).port, '127.0.0.1')
    await once(client, 'connect')
  }

  afterEach(async () => {
    client.destroy()
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })

  const head = (size: number, more = ''): string =>
    `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${size}\r\n${more}\r\n`

  const refuse = (response: ServerResponse): void => {
    response.writeHead(413, { 'content-length': 2 }).end('no')
  }

  async function write(data: string | Buffer): Promise<void> {
    if (!client.write(data)) await once(client, 'drain')
  }

  async function received(): Promise<string> {
    let text = ''
    for await (const chunk of client) {
      text += chunk
      if (/\r\n\r\nno$/.test(text)) break
    }
    return text
  }

  /** In order or by a reset, which is what a client gets that goes on sending. */
  function closed(): Promise<void> {
    return new Promise(resolve => {
      client
        .resume()
        .on('error', () => {})
        .once('close', () => resolve())
    })
  }

  const refusals: Record<string, RequestListener> = {
    'without a look at it': (_request, response) => refuse(response),
    'in the middle of it': (request, response) => request.once('data', () => refuse(response)),
    'by a reader that has left it': async (request, response) => {
      for await (const _ of request.iterator({ destroyOnReturn: false })) break
      refuse(response)
    },
    'while its reader waits': async (request, response) => {
      const body = request.iterator({ destroyOnReturn: false })
      await body.next()
      setTimeout(() => refuse(response), 50)
      request.pause()
    }
  }
  for (const [how, listener] of Object.entries(refusals)) {
    for (const connection of ['keep-alive', 'close']) {
      it(`reaches a client that sends all before it reads, on a connection to ${connection}: given ${how}`, async () => {
        await serve(listener)
        client.pause()
        await write(head(LARGE, `connection: ${connection}\r\n`))
        for (let sent = 0; sent < LARGE; sent += PIECE.length) await write(PIECE)
        assert.match(await received(), /^HTTP\/1.1 413 [\s\S]*\r\nno$/)
      })
    }
  }

  it('leaves the connection for the next request', async () => {
    await serve((request, response) => response.end(`${request.url}`))
    await write(head(LARGE))
    for (let sent = 0; sent < LARGE; sent += PIECE.length) await write(PIECE)
    await write('GET /next HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
    let text = ''
    for await (const chunk of client) text += chunk
    assert.match(text, /\/HTTP\/1.1 200[\s\S]*\/next/)
  })

  it('is not waited with for a client that sends no more', async () => {
    await serve((_request, response) => refuse(response), { pause: 100 })
    await write(head(LARGE))
    await closed()
  })

  it('is not waited with for a client that never comes to its end', async () => {
    await serve((_request, response) => refuse(response), { longest: 200 })
    await write(head(1e9))
    const drip = setInterval(() => client.write('y'), 20)
    await closed().finally(() => clearInterval(drip))
  })

  it('is not waited with when the server stops', async () => {
    await serve((_request, response) => refuse(response))
    await write(head(LARGE))
    await once(client, 'data')
    lingering.stop()
    await closed()
  })
})
