import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { type BodyBounds, bodyOf, wholeBodyOf } from '../src/ingress/index.ts'
import { fails } from './support/fails.ts'

describe('the body of a request', () => {
  let server: Server
  let client: Socket

  beforeEach(async () => {
    server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  })

  afterEach(async () => {
    client.destroy()
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })

  async function arrives(headers: string, beginning: string): Promise<IncomingMessage> {
    client.write(`POST / HTTP/1.1\r\nhost: x\r\n${headers}\r\n\r\n${beginning}`)
    const [message] = (await once(server, 'request')) as [IncomingMessage]
    return message
  }

  async function read(message: IncomingMessage, bounds: BodyBounds): Promise<string> {
    const body = await bodyOf(message, bounds)
    if (body == null) return ''
    if (body instanceof Uint8Array) return String(body)
    let text = ''
    for await (const piece of body) text += piece
    return text
  }

  const framings: Array<[string, string, string]> = [
    ['a small one', 'content-length: 10', 'part'],
    ['one of unknown size', 'transfer-encoding: chunked', '4\r\npart\r\n'],
    ['a large one', 'content-length: 1000000', 'part']
  ]
  for (const [what, headers, beginning] of framings) {
    it(`is waited for no longer than its sender may pause: ${what}`, async () => {
      await assert.rejects(read(await arrives(headers, beginning), { patience: 50 }), fails('BodyStalled'))
    })
  }

  it('may pause often, each time for less than that', async () => {
    const message = await arrives('content-length: 10', 'a')
    const drip = setInterval(() => client.write('a'), 20)
    try {
      assert.equal(await read(message, { patience: 2000 }), 'a'.repeat(10))
    } finally {
      clearInterval(drip)
    }
  })

  it('is not waited for when the time of its sender is up', async () => {
    const deadline = performance.now() + 50
    await assert.rejects(read(await arrives('content-length: 10', 'part'), { deadline }), fails('Deadline'))
  })

  it('is not read beyond the limit of a route that reads it whole', async () => {
    await assert.rejects(wholeBodyOf(await arrives('content-length: 1000', ''), 10), fails('BodyTooLarge'))
  })

  it('is not read beyond that either when it does not say its size', async () => {
    await assert.rejects(
      wholeBodyOf(await arrives('transfer-encoding: chunked', '4\r\npart\r\n'), 3),
      fails('BodyTooLarge')
    )
  })

  it('breaks off with its sender', async () => {
    const message = await arrives('content-length: 10', 'part')
    const reading = read(message, {})
    client.destroy()
    await assert.rejects(reading, fails('ClientGone'))
  })
})
