import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, METHODS, request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { getJson, postJson, type TestMesh, testMesh } from '../src/harness.ts'
import { head as lines, send } from '../src/raw.ts'

const upgrade = (protocol: string): string =>
  lines(
    'GET / HTTP/1.1',
    'host: localhost',
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
        'host: localhost',
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

  it('says what is wrong with what is hardly HTTP, in the form of all errors', async () => {
    const cases: Array<[string, number]> = [
      ['\0\0\0\r\n\r\n', 400],
      [lines('GET / HTTP/9.9'), 400],
      [lines('GET / HTTP/1.1', 'host: localhost', `x: ${'y'.repeat(20_000)}`), 431],
      [lines('POST /service/lab HTTP/1.1', 'host: localhost', 'content-length: 3', 'transfer-encoding: chunked'), 400]
    ]
    for (const [request, status] of cases) {
      const [head = '', body = ''] = (await send(mesh.relay.url, request)).split('\r\n\r\n')
      assert.ok(head.startsWith(`HTTP/1.1 ${status} `), head)
      assert.match(head, /content-type: application\/problem\+json/)
      assert.equal(JSON.parse(body).code, 'Malformed')
      assert.equal(JSON.parse(body).status, status)
    }
  })

  it('answers by the deadline of a request, however little of its body comes', async () => {
    const heads = [
      ['POST /service/lab HTTP/1.1', 'content-length: 100'],
      ['POST /service/lab HTTP/1.1', 'content-length: 500000'],
      ['POST /service/lab HTTP/1.1', 'transfer-encoding: chunked'],
      ['POST /v1/chat/completions HTTP/1.1', 'content-length: 100']
    ]
    for (const [first = '', length = ''] of heads) {
      const startedAt = performance.now()
      const answer = await send(mesh.relay.url, lines(first, 'host: localhost', length, 'hedgerow-timeout: 0.5'))
      assert.match(answer, /^HTTP\/1.1 504 [\s\S]*"Deadline"/, `${first}, ${length}`)
      assert.ok(performance.now() - startedAt < 3000)
    }
  })

  it('finds the service in a path as proxies write it, and not in one that hides it', async () => {
    const request = (target: string): string =>
      `${lines(`POST ${target} HTTP/1.1`, 'host: localhost', 'connection: close', 'content-length: 2')}hi`
    assert.match(
      await send(mesh.relay.url, request('http://localhost/service/lab/echo?a=/service/')),
      /^HTTP\/1.1 200[\s\S]*hi$/
    )
    assert.match(await send(mesh.relay.url, request('/service/l%61b/echo')), /^HTTP\/1.1 200[\s\S]*hi$/)
    assert.match(await send(mesh.relay.url, request('/%73ervice/lab/echo')), /^HTTP\/1.1 400[\s\S]*"Malformed"/)
  })

  it('says which methods a path takes', async () => {
    const response = await fetch(`${mesh.relay.url}/service/lab/echo`, { method: 'DELETE' })
    assert.equal(response.status, 405)
    assert.equal(response.headers.get('allow'), 'POST')
    const health = await fetch(`${mesh.relay.url}/health`, { method: 'PUT' })
    assert.equal(health.status, 405)
    assert.equal(health.headers.get('allow'), 'GET, HEAD')
    assert.match(await send(mesh.relay.url, lines('BREW /health HTTP/1.1', 'host: localhost')), /no method of HTTP/)
    assert.match((await (await fetch(`${mesh.relay.url}/service/`)).json()).detail, /names no service/)
  })

  it('answers an OPTIONS that a page sends first, and passes on any other', async () => {
    const asked = { origin: 'https://app.example.org', 'access-control-request-method': 'PUT' }
    const options = (path: string, headers = {}): Promise<Response> =>
      fetch(mesh.relay.url + path, { method: 'OPTIONS', headers })
    for (const path of ['/service/lab', '/service/lab/slow', '/api/services', '/v1/chat/completions']) {
      const preflight = await options(path, asked)
      assert.equal(preflight.status, 204, path)
      assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /PUT/)
      assert.equal(preflight.headers.get('hedgerow-worker'), null)
    }
    const passed = await options('/service/lab/slow?ms=1')
    assert.equal(passed.status, 200)
    assert.ok(passed.headers.has('hedgerow-worker'))
    const refused = await options('/service/lab')
    assert.equal(refused.status, 405)
    assert.equal(refused.headers.get('allow'), 'POST')
  })

  it('takes every method to a service', async () => {
    for (const method of METHODS.filter(method => method !== 'CONNECT' && method !== 'OPTIONS')) {
      // Node's own client; others refuse TRACE
      const call = request(`${mesh.relay.url}/service/lab/any`, {
        method,
        headers: { 'content-type': 'text/plain', 'content-length': 2 }
      })
      call.end('hi')
      const [answer] = (await once(call, 'response')) as [IncomingMessage]
      assert.equal(answer.statusCode, 207, method)
      assert.equal(answer.headers['x-method'], method)
      assert.equal(await text(answer), method === 'HEAD' ? '' : 'hi')
    }
  })

  it('has no HEAD of the stream that never ends', async () => {
    assert.equal((await fetch(`${mesh.relay.url}/events`, { method: 'HEAD' })).status, 405)
  })

  it('explains errors of /v1 to the clients of OpenAI too', async () => {
    const response = await postJson(`${mesh.relay.url}/v1/chat/completions`, { model: 'none', messages: [] })
    assert.equal(response.status, 503)
    const { code, detail, error } = await response.json()
    assert.equal(code, 'NoWorker')
    assert.deepEqual(error, { message: detail, type: 'server_error', code, param: null })
    const model = await fetch(`${mesh.relay.url}/v1/models/some/model`)
    assert.equal(model.status, 404)
    assert.equal((await model.json()).error.code, 'model_not_found')
    const malformed = await postJson(`${mesh.relay.url}/v1/chat/completions`, '{')
    assert.equal((await malformed.json()).error.type, 'invalid_request_error')
  })

  it('lets no service say which pages may read its answers', async () => {
    const response = await fetch(
      `${mesh.workers[0]?.url}/service/lab/answer?access-control-allow-origin=*&vary=accept`,
      { headers: { origin: 'http://localhost:5173' } }
    )
    assert.equal(response.headers.get('access-control-allow-origin'), 'http://localhost:5173')
    assert.equal(response.headers.get('vary'), 'accept, Origin')
  })

  it('passes on header values of any bytes', async () => {
    const name = encodeURIComponent(Buffer.from('attachment; filename="caf\u00e9 \u20ac.pdf"').toString('latin1'))
    const response = await fetch(`${mesh.relay.url}/service/lab/answer?content-disposition=${name}`)
    assert.equal(response.status, 200)
    assert.equal(
      Buffer.from(response.headers.get('content-disposition') ?? '', 'latin1').toString(),
      'attachment; filename="caf\u00e9 \u20ac.pdf"'
    )
  })

  it('serves nothing to pages of strangers on the port of a worker, whatever name they call it by', async () => {
    const url = mesh.workers[0]?.url ?? ''
    const post = {
      method: 'POST',
      headers: { origin: 'https://evil.example', 'content-type': 'text/plain' },
      body: 'x'
    }
    const posted = await fetch(`${url}/service/lab`, post)
    assert.equal(posted.status, 403)
    assert.equal((await posted.json()).code, 'Forbidden')
    assert.equal((await fetch(`${mesh.relay.url}/service/lab`, post)).status, 200)
    for (const [host, status] of Object.entries({
      'evil.example:8000': 403,
      '127.0.0.1.evil.example': 403,
      'localhost:8000': 200,
      '[::1]:1': 200
    }))
      assert.match(
        await send(url, lines('GET /health HTTP/1.1', `host: ${host}`, 'connection: close')),
        new RegExp(`^HTTP/1.1 ${status} `)
      )
  })

  it('bounds what it asks of others for whoever asks it', async () => {
    const statuses = await Promise.all(
      Array.from({ length: 60 }, async (_, i) => (await fetch(`${mesh.relay.url}/api/dht/providers/none-${i}`)).status)
    )
    assert.deepEqual([...new Set(statuses)].sort(), [200, 429])
  })

  it('stops in order while somebody listens who reads nothing', async () => {
    const worker = await mesh.startWorker('listened-to')
    const socket = connect(Number(new URL(worker.url).port), '127.0.0.1', () => {
      socket.write(lines('GET /events HTTP/1.1', 'host: 127.0.0.1'))
      socket.pause()
    })
    socket.on('error', () => {})
    const exited = once(worker.child, 'exit')
    await once(socket, 'connect')
    worker.child.kill('SIGTERM')
    assert.deepEqual(await exited, [0, null])
    socket.destroy()
  })
})
