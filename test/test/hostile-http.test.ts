import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { getJson, postJson, type TestMesh, testMesh } from '../src/harness.ts'

/** Sends bytes as they are and gives back what came, when the other side closes or is silent. */
function send(url: string, bytes: string | Buffer, { reset = false, wait = 1000 } = {}): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let received = ''
  const socket = connect(Number(new URL(url).port), '127.0.0.1', () => {
    socket.write(bytes)
    if (reset) setTimeout(() => socket.resetAndDestroy(), 20)
  })
  socket
    .setTimeout(wait, () => socket.destroy())
    .on('data', data => {
      received += data.toString('latin1')
    })
    .on('error', () => {})
    .on('close', () => resolve(received))
  return promise
}

const lines = (...heads: string[]): string => `${heads.join('\r\n')}\r\n\r\n`
const upgrade = (protocol: string): string =>
  lines(
    'GET / HTTP/1.1',
    'host: x',
    'connection: upgrade',
    `upgrade: ${protocol}`,
    'sec-websocket-version: 13',
    'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=='
  )

describe('a mesh that strangers send anything to', function () {
  this.timeout(60_000)
  let mesh: TestMesh

  before(async () => {
    mesh = await testMesh({ workers: 1, env: { HEDGEROW_LISTEN: '/ip4/127.0.0.1/tcp/0,/ip4/127.0.0.1/tcp/0/ws' } })
  })

  after(() => mesh?.stop())

  afterEach('and every peer is the same process as before', async () => {
    for (const { url, pid } of [mesh.relay, ...mesh.workers])
      assert.equal((await getJson<{ pid: number }>(`${url}/health`)).pid, pid)
    assert.equal((await postJson(`${mesh.relay.url}/service/lab`, {})).status, 200)
  })

  it('lives through WebSockets that break their protocol', async () => {
    const { peers } = await getJson<{ peers: string[] }>(`${mesh.workers[0]?.url}/api/dht/bootstrap`)
    const own = /\/tcp\/(\d+)\/ws/.exec(peers.find(addr => addr.includes('/ws')) ?? '')?.[1]
    assert.ok(own != null, 'the worker listens for WebSockets too')
    for (const url of [mesh.relay.url, `http://127.0.0.1:${own}`]) {
      const opened = await send(url, upgrade('websocket'), { wait: 300 })
      assert.match(opened, /^HTTP\/1.1 101/)
      for (const junk of [
        'junkjunkjunk',
        '\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff',
        '\x81\x81\0\0\0\0\xff',
        '\x88\x05\0\0x'
      ]) {
        await send(url, Buffer.from(upgrade('websocket') + junk, 'latin1'), { wait: 300 })
        await send(url, Buffer.from(upgrade('websocket') + junk, 'latin1'), { reset: true })
      }
    }
  })

  it('answers a request that offers another protocol as if it had not', async () => {
    for (const { url } of [mesh.relay, ...mesh.workers]) {
      const offer = lines(
        'GET /health HTTP/1.1',
        'host: x',
        'connection: upgrade, http2-settings',
        'upgrade: h2c',
        'http2-settings: AAMAAABk'
      )
      assert.match(await send(url, offer, { wait: 300 }), /^HTTP\/1.1 200/)
      assert.match(
        await send(url, upgrade('websocket').replace('GET /', 'GET /health'), { wait: 300 }),
        /^HTTP\/1.1 200/
      )
    }
  })

  it('lives through upgrades whose sender is gone at once', async () => {
    const heads = [upgrade('nothing'), upgrade('websocket'), upgrade('websocket').replace('GET', 'POST')]
    for (const head of heads)
      await Promise.all(
        Array.from({ length: 20 }, () => send(mesh.relay.url, head + 'x'.repeat(100_000), { reset: true }))
      )
  })
})
