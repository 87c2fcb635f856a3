import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { explain, getJson, postJson, type TestMesh, testMesh, until } from '../src/harness.ts'

interface Service {
  name: string
  aliases: string[]
  wanted: number
  found: number
  healthy: number
  workers: string[]
}

describe('the HTTP API of a mesh', function () {
  this.timeout(60_000)
  let mesh: TestMesh

  before(async () => {
    mesh = await testMesh()
    for (const { url } of mesh.workers) {
      await until(
        'every peer knows every worker',
        async () => (await getJson<{ count: number }>(`${url}/api/admin/workers`)).count === 3
      )
    }
  })

  after(() => mesh?.stop())

  const everyone = (): string[] => [mesh.relay.url, ...mesh.workers.map(({ url }) => url)]

  it('answers a service at every peer, by name and by alias, with the headers that say how', async () => {
    for (const url of everyone()) {
      for (const path of ['/service/lab', '/service/laboratory', '/service/lab/echo', '/service/lab?a=1']) {
        const response = await postJson(url + path, { hello: 'world' })
        assert.equal(response.status, 200)
        assert.deepEqual(await response.json(), { hello: 'world' })
        assert.equal(response.headers.get('hedgerow-worker'), response.headers.get('x-peer'))
        assert.match(response.headers.get('hedgerow-request-id') ?? '', /^[0-9a-f]{32}$/)
        assert.equal(response.headers.get('hedgerow-attempts'), '1')
        assert.match(response.headers.get('hedgerow-path') ?? '', /^(local|direct|relayed)$/)
        assert.match(response.headers.get('hedgerow-transport') ?? '', /^(tcp|ws|http)$/)
        assert.match(
          response.headers.get('server-timing') ?? '',
          /queue;dur=[\d.]+, backend;dur=[\d.]+, network;dur=[\d.]+/
        )
        assert.match(response.headers.get('traceparent') ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/)
      }
    }
  })

  it('spreads requests over the workers', async () => {
    const counts = new Map<string, number>()
    for (const answer of await Promise.all(
      Array.from({ length: 90 }, () => postJson(`${mesh.relay.url}/service/lab`, {}))
    )) {
      const { headers } = answer
      const worker = headers.get('hedgerow-worker') ?? ''
      counts.set(worker, (counts.get(worker) ?? 0) + 1)
    }
    assert.equal(counts.size, 3)
    assert.ok(Math.min(...counts.values()) >= 5, JSON.stringify([...counts]))
  })

  it('sends a request to the worker that it names, and nowhere else', async () => {
    for (const { peerId } of mesh.workers) {
      const response = await postJson(`${mesh.relay.url}/service/lab`, {}, { 'hedgerow-worker': peerId })
      assert.equal(response.headers.get('hedgerow-worker'), peerId)
    }
    const nobody = await postJson(`${mesh.relay.url}/service/lab`, {}, { 'hedgerow-worker': mesh.relay.peerId })
    assert.equal(nobody.status, 503)
    assert.equal((await nobody.json()).code, 'NoWorker')
  })

  it('explains where a request went and why', async () => {
    const response = await postJson(`${mesh.relay.url}/service/lab`, {})
    const explanation = await explain(mesh.relay.url, response)
    assert.equal(explanation.service, 'lab')
    assert.equal(explanation.chosen, response.headers.get('hedgerow-worker'))
    assert.equal(explanation.candidates.length, 3)
    assert.deepEqual(
      explanation.attempts.map(({ outcome }) => outcome),
      ['answered']
    )
    const unknown = await fetch(`${mesh.relay.url}/explain/00000000000000000000000000000000`)
    assert.equal(unknown.status, 404)
    assert.equal((await unknown.json()).code, 'UnknownRequest')
  })

  it('tells the same of services, workers and relays at every peer', async () => {
    for (const url of everyone()) {
      const { services } = await getJson<{ services: Service[] }>(`${url}/api/services`)
      const lab = services.find(({ name }) => name === 'lab')
      assert.equal(lab?.found, 3)
      assert.equal(lab?.healthy, 3)
      assert.deepEqual(lab?.aliases, ['laboratory'])
      assert.deepEqual([...(lab?.workers ?? [])].sort(), mesh.workers.map(({ peerId }) => peerId).sort())
      for (const path of ['/api/admin/workers', '/api/coordinator/workers'])
        assert.equal((await getJson<{ count: number }>(url + path)).count, 3)
      for (const path of ['/api/admin/relays', '/api/admin/coordinators']) {
        const { relays } = await until('the relay is known', async () => {
          const answer = await getJson<{ relays: Array<{ peer_id: string }>; count: number }>(url + path)
          return answer.count === 1 && answer
        })
        assert.equal(relays[0]?.peer_id, mesh.relay.peerId)
      }
      assert.ok(Array.isArray((await getJson<{ gaps: string[] }>(`${url}/api/admin/gaps`)).gaps))
    }
  })

  it('finds the providers in the DHT', async () => {
    await until(
      'all three provide',
      async () => (await getJson<{ count: number }>(`${mesh.relay.url}/api/dht/providers/lab`)).count === 3,
      30_000
    )
    assert.equal((await getJson<{ mode: string }>(`${mesh.relay.url}/api/dht/stats`)).mode, 'server')
    assert.ok((await getJson<{ count: number }>(`${mesh.relay.url}/api/dht/topology`)).count >= 3)
    const { peers } = await getJson<{ peers: string[] }>(`${mesh.relay.url}/api/dht/bootstrap`)
    assert.ok(peers.every(addr => addr.includes(mesh.relay.peerId)))
  })

  it('wants as many workers as there are of a service that runs wherever it can', async () => {
    const { services } = await getJson<{ services: Array<{ name: string; wanted: number; found: number }> }>(
      `${mesh.relay.url}/api/services`
    )
    const llm = services.find(({ name }) => name === 'llm-inference')
    assert.deepEqual([llm?.wanted, llm?.found], [0, 0])
  })

  it('is healthy, counts what it did and describes itself', async () => {
    for (const url of everyone()) {
      const health = await getJson<Record<string, unknown>>(`${url}/health`)
      assert.equal(health.status, 'healthy')
      assert.equal(typeof health.pid, 'number')
      assert.equal(health.dht_enabled, true)
      const stats = await getJson<{
        routing: Record<string, number>
        per_service: Record<string, { requests: number }>
      }>(`${url}/stats`)
      for (const field of [
        'local_requests',
        'forwarded_requests',
        'cache_hits',
        'cache_misses',
        'dht_lookups',
        'failed_requests',
        'retried_requests',
        'cache_size',
        'cache_hit_rate'
      ]) {
        assert.equal(typeof stats.routing[field], 'number', field)
      }
      assert.ok((stats.per_service.lab?.requests ?? 0) > 0)
      const metrics = await (await fetch(`${url}/metrics`)).text()
      assert.match(metrics, /hedgerow_requests_total\{service="lab",status="2xx",path="\w+"\} \d+/)
      const api = await getJson<{ paths: Record<string, Record<string, Record<string, unknown>>> }>(
        `${url}/openapi.json`
      )
      assert.ok(api.paths['/health'] != null)
      for (const path of ['/service/{service}', '/service/{service}/{path}', '/v1/chat/completions']) {
        const { post } = api.paths[path] ?? {}
        assert.ok(post?.requestBody != null && post.summary != null, path)
      }
      const docs = await fetch(`${url}/docs`)
      assert.equal(docs.status, 200)
      assert.match(await docs.text(), /<title>Hedgerow/)
      const sign = await fetch(`${url}/docs/static/theme/favicon.svg`)
      assert.equal(sign.headers.get('content-type'), 'image/svg+xml')
      assert.match(await sign.text(), /^<svg .*<title>Hedgerow/)
      assert.match(await (await fetch(`${url}/docs/static/swagger-initializer.js`)).text(), /data:image\/svg/)
    }
  })

  it('writes its JSON in snake_case', async () => {
    const url = mesh.workers[0]?.url ?? ''
    for (const path of [
      '/health',
      '/stats',
      '/api/services',
      '/api/admin/workers',
      '/api/admin/relays',
      '/api/admin/placement',
      `/api/peers/${mesh.relay.peerId}`,
      '/api/dht/stats',
      '/api/dht/topology'
    ]) {
      const text = JSON.stringify(await getJson(url + path))
      assert.deepEqual(
        [...text.matchAll(/"(\w*[a-z][A-Z]\w*)":/g)].map(([, name]) => name),
        [],
        path
      )
    }
    const { instances } = await getJson<{ instances: Array<{ backend: { since: string } }> }>(
      `${url}/api/admin/placement`
    )
    assert.ok(Date.parse(instances[0]?.backend.since ?? '') <= Date.now())
  })

  it('streams the signed statements, beginning with what is known', async () => {
    const leave = new AbortController()
    const response = await fetch(`${mesh.relay.url}/events`, { signal: leave.signal })
    assert.equal(response.headers.get('content-type'), 'text/event-stream')
    let seen = ''
    assert.ok(response.body != null)
    for await (const chunk of response.body) {
      seen += new TextDecoder().decode(chunk)
      if ((seen.match(/event: advert/g) ?? []).length >= 3 && seen.includes('event: load')) break
    }
    leave.abort()
  })

  it('says what is wrong, in one form', async () => {
    const { url } = mesh.relay
    const cases: Array<[string, RequestInit, number, string]> = [
      ['/service/nothing-of-the-kind', { method: 'POST' }, 404, 'UnknownService'],
      ['/service/%ff', { method: 'POST' }, 400, 'Malformed'],
      ['/service/lab/nowhere', { method: 'POST' }, 404, 'UnknownOperation'],
      ['/service/lab/..%2fhidden', { method: 'GET' }, 400, 'Malformed'],
      ['/service/lab/a%2Fb', { method: 'GET' }, 400, 'Malformed'],
      ['/service/lab/echo', { method: 'DELETE' }, 405, 'MethodNotAllowed'],
      ['/service/lab/hidden', { method: 'GET' }, 404, 'UnknownOperation'],
      ['/service/lab', { method: 'POST', headers: { 'hedgerow-timeout': 'soon' } }, 400, 'Malformed'],
      ['/service/lab', { method: 'POST', headers: { 'hedgerow-worker': 'worker-1' } }, 400, 'Malformed'],
      ['/service/lab', { method: 'POST', body: 'x'.repeat(1024 * 1024 + 1) }, 413, 'BodyTooLarge'],
      ['/service/lab', { method: 'POST', body: 'x'.repeat(10 * 1024 * 1024) }, 413, 'BodyTooLarge'],
      ['/service/lab/slow?ms=5000', { method: 'POST', headers: { 'hedgerow-timeout': '0.5' } }, 504, 'Deadline'],
      ['/service/llm-inference', { method: 'POST' }, 503, 'NoWorker'],
      [
        '/v1/chat/completions',
        { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"model":' },
        400,
        'Malformed'
      ],
      ['/nowhere', {}, 404, 'UnknownRoute']
    ]
    for (const [path, init, status, code] of cases) {
      const startedAt = performance.now()
      const response = await fetch(url + path, init)
      assert.equal(response.status, status, path)
      assert.equal(response.headers.get('content-type'), 'application/problem+json', path)
      const problem = await response.json()
      assert.equal(problem.code, code, path)
      assert.equal(problem.status, response.status)
      for (const field of ['type', 'title', 'detail']) assert.equal(typeof problem[field], 'string', `${path} ${field}`)
      if (status === 503) assert.ok(Number(response.headers.get('retry-after')) >= 1)
      assert.ok(performance.now() - startedAt < 3000, `${path} was answered in time`)
    }
    assert.equal((await postJson(`${url}/service/lab`, {})).status, 200)
  })

  it('says of an error whom it asked, and how, as of an answer', async () => {
    const late = await fetch(`${mesh.relay.url}/service/lab/slow?ms=5000`, {
      headers: { 'hedgerow-timeout': '0.5', origin: 'https://app.example.org' }
    })
    assert.equal(late.status, 504)
    const workers = mesh.workers.map(({ peerId }) => peerId)
    assert.ok(workers.includes(late.headers.get('hedgerow-worker') ?? ''))
    assert.equal(late.headers.get('hedgerow-attempts'), '1')
    assert.equal(late.headers.get('hedgerow-path'), 'direct')
    assert.match(late.headers.get('hedgerow-transport') ?? '', /^(tcp|ws)$/)
    assert.match(late.headers.get('server-timing') ?? '', /^total;dur=[\d.]+$/)
    assert.match(late.headers.get('traceparent') ?? '', /^00-[0-9a-f]{32}-/)
    assert.match(late.headers.get('access-control-expose-headers') ?? '', /Hedgerow-Error/)
  })

  it('says that all are busy, with when to come back', async () => {
    const slow = Array.from({ length: 3 * 128 + 100 }, () => postJson(`${mesh.relay.url}/service/lab/slow?ms=4000`, {}))
    const statuses = await Promise.all(slow.map(async response => (await response).status))
    assert.deepEqual([...new Set(statuses)].sort(), [200, 429])
    assert.equal((await postJson(`${mesh.relay.url}/service/lab`, {})).status, 200)
  })

  it('survives backends that misbehave', async () => {
    const { url } = mesh.relay
    const cases: Array<[string, number, string]> = [
      ['never', 504, 'FirstByteTimeout'],
      ['reset', 502, 'BackendFailed'],
      ['garbage', 502, 'BackendFailed'],
      ['flood-headers', 502, 'BackendFailed'],
      ['half', 502, 'BackendFailed'],
      ['error', 500, '']
    ]
    for (const [how, status, code] of cases) {
      const response = await fetch(`${url}/service/lab/bad/${how}`, {
        method: 'POST',
        signal: AbortSignal.timeout(20_000)
      }).catch(() => undefined)
      // half an answer whose head is out already can only be reset
      if (how === 'half' && response == null) continue
      if (how === 'half' && response?.status === 200) {
        await assert.rejects(response.text())
        continue
      }
      assert.equal(response?.status, status, how)
      const body = await response?.json()
      if (code === '') assert.deepEqual(body, { own: 'error' })
      else assert.equal(body.code, code, how)
    }
    await until('the mesh answers again', async () => (await postJson(`${url}/service/lab`, {})).status === 200)
  })

  it('takes a backend that crashes back when it is up again', async () => {
    const [{ peerId } = { peerId: '' }] = mesh.workers
    const crash = await fetch(`${mesh.relay.url}/service/lab/bad/exit`, {
      method: 'POST',
      headers: { 'hedgerow-worker': peerId }
    })
    assert.equal(crash.status, 502)
    for (let i = 0; i < 20; i++) assert.equal((await postJson(`${mesh.relay.url}/service/lab`, {})).status, 200)
    await until(
      'it serves again',
      async () => (await postJson(`${mesh.relay.url}/service/lab`, {}, { 'hedgerow-worker': peerId })).status === 200
    )
  })

  it('lets a backend call the mesh with the context of its request, and not without', async () => {
    const nested = await postJson(`${mesh.relay.url}/service/lab/nested`, { path: 'lab/echo' })
    assert.deepEqual(await nested.json(), { status: 200, body: '{"path":"lab/echo"}' })
    const bare = await (
      await postJson(`${mesh.relay.url}/service/lab/nested`, { path: 'lab/echo', context: false })
    ).json()
    assert.equal(bare.status, 403)
  })

  it('tells a backend who calls, and keeps what a client forges from it', async () => {
    const response = await fetch(`${mesh.relay.url}/service/lab/headers`, {
      headers: {
        'hedgerow-caller': 'service/lab',
        'hedgerow-context': 'x',
        'x-forwarded-for': '1.2.3.4',
        'x-mine': 'yes'
      }
    })
    const { headers, environment } = await response.json()
    assert.match(headers['hedgerow-caller'], /^peer\//)
    assert.notEqual(headers['hedgerow-context'], 'x')
    assert.equal(headers['x-forwarded-for'], undefined)
    assert.equal(headers['x-mine'], 'yes')
    assert.ok(!environment.some((name: string) => name.startsWith('HEDGEROW_DATA') || name.startsWith('npm_')))
  })

  it('answers a page of any site at the relay, and of this machine at a worker', async () => {
    const ask = async (url: string, origin: string): Promise<string | null> =>
      (await fetch(`${url}/health`, { headers: { origin } })).headers.get('access-control-allow-origin')
    assert.equal(await ask(mesh.relay.url, 'https://app.example.org'), 'https://app.example.org')
    assert.equal(await ask(mesh.workers[0]?.url ?? '', 'https://app.example.org'), null)
    assert.equal(await ask(mesh.workers[0]?.url ?? '', 'http://localhost:5173'), 'http://localhost:5173')
  })

  it('is not upset by what is not HTTP', async () => {
    for (const junk of [
      '\0\0\0\0',
      'GET / HTTP/9.9\r\n\r\n',
      `GET /${'x'.repeat(100_000)} HTTP/1.1\r\n\r\n`,
      'POST /service/lab HTTP/1.1\r\ncontent-length: -1\r\n\r\n'
    ]) {
      await new Promise<void>(resolve => {
        const socket = connect(Number(new URL(mesh.relay.url).port), '127.0.0.1', () => socket.write(junk))
        socket
          .on('close', () => resolve())
          .on('error', () => resolve())
          .resume()
        setTimeout(() => socket.destroy(), 500)
      })
    }
    assert.equal((await postJson(`${mesh.relay.url}/service/lab`, {})).status, 200)
  })
})
