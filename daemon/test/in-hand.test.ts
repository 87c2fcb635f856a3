import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { MeshError } from '@hedgerow/protocols/errors'
import { RequestsInHand } from '../src/peer/in-hand.ts'
import { until } from './support/runtime.ts'

describe('requests in hand', () => {
  let server: Server
  let inHand: RequestsInHand
  let url: string
  /** what the server hasn't answered yet */
  let waiting: Array<{ path: string; response: ServerResponse; refused?: unknown }>

  beforeEach(async () => {
    waiting = []
    inHand = new RequestsInHand()
    server = createServer((request, response) => {
      let refused: unknown
      try {
        inHand.admit(response)
      } catch (err) {
        refused = err
      }
      waiting.push({ path: request.url ?? '', response, refused })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address == null || typeof address === 'string') throw new Error('no address')
    url = `http://127.0.0.1:${address.port}`
  })
  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })

  async function arrived(number: number): Promise<void> {
    await until(`${number} have arrived`, () => waiting.length === number)
  }
  /** Whether it is through once everything that can happen now has happened. */
  async function isThrough(drained: Promise<void>): Promise<boolean> {
    const later = new Promise<false>(resolve => setImmediate(() => setImmediate(resolve, false)))
    return Promise.race([drained.then(() => true), later])
  }

  it('are none where nobody asks for a service', async () => {
    inHand.countUntilDrained(server)
    void fetch(`${url}/events`).catch(() => {})
    await arrived(1)
    assert.equal(await isThrough(inHand.drain()), true)
  })

  it('are waited for until the last byte is out, and their connections end with them', async () => {
    inHand.countUntilDrained(server)
    const answers = [fetch(`${url}/service/lab`), fetch(`${url}/v1/models`)]
    await arrived(2)
    const [first, second] = waiting
    second?.response.writeHead(200, { 'content-length': 8 }).write('half')
    const drained = inHand.drain()
    first?.response.end('whole')
    const answer = await answers[0]
    assert.equal(answer?.headers.get('connection'), 'close')
    assert.equal(await answer?.text(), 'whole')
    assert.equal(await isThrough(drained), false)
    second?.response.end('half')
    await drained
    assert.equal(await (await answers[1])?.text(), 'halfhalf')
  })

  it('are over when their caller leaves', async () => {
    inHand.countUntilDrained(server)
    const caller = new AbortController()
    const gone = assert.rejects(fetch(`${url}/service/lab`, { signal: caller.signal }))
    await arrived(1)
    const drained = inHand.drain()
    assert.equal(await isThrough(drained), false)
    caller.abort()
    await gone
    await drained
  })

  it('are no new ones while they are waited for, but from backends that they need', async () => {
    inHand.countUntilDrained(server)
    const early = fetch(`${url}/service/lab`)
    await arrived(1)
    const drained = inHand.drain()
    const late = fetch(`${url}/service/lab`)
    await arrived(2)
    const refused = waiting[1]?.refused
    assert.ok(refused instanceof MeshError && refused.code === 'Draining')
    assert.equal(refused.details.retry_safe, true)
    waiting[1]?.response.end()
    assert.equal((await late).headers.get('connection'), 'close')
    const nested = createServer((_request, response) => waiting.push({ path: 'nested', response }))
    inHand.count(nested)
    nested.listen(0, '127.0.0.1')
    await once(nested, 'listening')
    const address = nested.address()
    if (address == null || typeof address === 'string') throw new Error('no address')
    const call = fetch(`http://127.0.0.1:${address.port}/service/other`)
    await arrived(3)
    waiting[0]?.response.end()
    await (await early).text()
    assert.equal(await isThrough(drained), false)
    waiting[2]?.response.end()
    assert.equal((await call).status, 200)
    await drained
    nested.closeAllConnections()
    nested.close()
  })
})
