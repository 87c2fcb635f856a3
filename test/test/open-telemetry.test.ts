/**
 * Traces across real processes, as a collector gets them: one for each request, from where it enters to the backend, with
 * nothing in it of what was sent.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type CollectedSpan, type Collector, startCollector } from '../src/collector.ts'
import { postJson, type TestMesh, testMesh, until } from '../src/harness.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
const KEY = 'api-key-of-the-collector'

describe('traces', function () {
  this.timeout(120_000)
  let collector: Collector
  let mesh: TestMesh

  before(async () => {
    collector = await startCollector()
    mesh = await testMesh({
      workers: 2,
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_EXPORTER_OTLP_HEADERS: `x-key=${KEY}`,
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
        HEDGEROW_TRACES_PER_SECOND: '1000'
      },
      envOf: { 'worker-1': { OTEL_SERVICE_NAME: 'the-first' } }
    })
  })
  after(async () => {
    await mesh?.stop()
    await collector?.close()
  })

  const ask = (path: string, headers: Record<string, string> = {}, body: unknown = {}): Promise<Response> =>
    postJson(`${mesh.relay.url}/service/${path}`, body, headers)

  it('go from where a request enters to the backend', async () => {
    const response = await fetch(`${mesh.relay.url}/service/laboratory/headers`)
    const { headers } = (await response.json()) as { headers: Record<string, string> }
    const worker = mesh.workers.find(({ peerId }) => peerId === response.headers.get('hedgerow-worker'))
    assert.ok(worker != null)
    const [entry, attempt, serving, exchange, ...others] = chain(
      await collector.trace(response.headers.get('traceparent'), 4)
    )
    assert.ok(entry != null && attempt != null && serving != null && exchange != null)
    assert.deepEqual(others, [])
    assert.deepEqual(
      [entry, attempt, serving, exchange].map(({ kind, name }) => [kind, name]),
      [
        ['server', 'GET /service/lab/headers'],
        ['client', 'GET /headers'],
        ['server', 'GET /headers'],
        ['client', 'GET /headers']
      ]
    )
    const id = response.headers.get('hedgerow-request-id') ?? ''
    const { 'hedgerow.first_byte_ms': firstByte, ...sent } = attempt.attributes
    assert.equal(typeof firstByte, 'number')
    assert.deepEqual(entry.attributes, {
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'http.route': '/service/lab/headers',
      'url.scheme': 'http',
      'hedgerow.request.id': id,
      'hedgerow.service': 'lab',
      'hedgerow.peer.id': worker.peerId,
      'hedgerow.path': 'direct',
      'hedgerow.attempts': 1,
      'hedgerow.outcome': 'answered'
    })
    assert.deepEqual(sent, {
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'server.address': worker.peerId,
      'hedgerow.request.id': id,
      'hedgerow.service': 'lab',
      'hedgerow.peer.id': worker.peerId,
      'hedgerow.path': 'direct',
      'hedgerow.transport': response.headers.get('hedgerow-transport'),
      'hedgerow.attempt.reason': attempt.attributes['hedgerow.attempt.reason'],
      'hedgerow.outcome': 'answered'
    })
    const { 'hedgerow.queue_ms': queue, ...served } = serving.attributes
    assert.equal(typeof queue, 'number')
    assert.deepEqual(served, {
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'http.route': '/headers',
      'hedgerow.request.id': id,
      'hedgerow.service': 'lab',
      'hedgerow.peer.id': mesh.relay.peerId,
      'hedgerow.depth': 0,
      'hedgerow.outcome': 'answered'
    })
    assert.equal(exchange.attributes['server.address'], '127.0.0.1')
    assert.equal(exchange.attributes['http.response.status_code'], 200)
    assert.equal(entry.resource['service.name'], 'hedgerow-relay')
    assert.equal(entry.resource['service.instance.id'], mesh.relay.peerId)
    assert.equal(entry.resource['deployment.environment.name'], 'test')
    assert.equal(serving.resource['service.name'], worker.name === 'worker-1' ? 'the-first' : 'hedgerow-daemon')
    assert.equal(serving.resource['service.instance.id'], worker.peerId)
    assert.equal(response.headers.get('traceparent'), `00-${entry.traceId}-${entry.spanId}-01`)
    assert.equal(headers.traceparent, `00-${exchange.traceId}-${exchange.spanId}-01`)
    assert.ok(entry.start <= attempt.start && attempt.start <= attempt.end && attempt.end <= entry.end)
    const line = await until('the line is written', async () => {
      const log = await readFile(join(mesh.dataDir, 'relay/log'), 'utf8')
      return log.split('\n').find(one => one.includes(`"${id}"`))
    })
    assert.equal(JSON.parse(line).trace, entry.traceId)
  })

  it('continue that of the caller, and hand its state on', async () => {
    const response = await fetch(`${mesh.relay.url}/service/lab/headers`, {
      headers: { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: 'vendor=opaque' }
    })
    const { headers } = (await response.json()) as { headers: Record<string, string> }
    const [entry] = chain(await collector.trace(response.headers.get('traceparent'), 4), SPAN)
    assert.equal(entry?.traceId, TRACE)
    assert.equal(headers.tracestate, 'vendor=opaque')
  })

  it('are not recorded where the caller says that its is not, and the backend hears that', async () => {
    const trace = 'a'.repeat(32)
    const response = await fetch(`${mesh.relay.url}/service/lab/headers`, {
      headers: { traceparent: `00-${trace}-${SPAN}-00` }
    })
    const { headers } = (await response.json()) as { headers: Record<string, string> }
    assert.match(headers.traceparent ?? '', new RegExp(`^00-${trace}-[0-9a-f]{16}-00$`))
    // Both peers have sent what came later.
    await collector.trace((await ask('lab/echo')).headers.get('traceparent'), 4)
    await collector.trace((await ask('lab/echo')).headers.get('traceparent'), 4)
    assert.deepEqual(
      collector.spans.filter(({ traceId }) => traceId === trace),
      []
    )
  })

  it('have the attempts of a request beside one another', async () => {
    const response = await ask('lab/bad-idempotent/reset')
    assert.equal(response.status, 502)
    await response.body?.cancel()
    const spans = await collector.trace(response.headers.get('traceparent'), 7)
    const entry = spans.find(({ parentId }) => parentId === '')
    const attempts = spans.filter(({ parentId }) => parentId === entry?.spanId)
    assert.deepEqual(
      attempts.map(({ name, failed, attributes }) => [name, failed, attributes['error.type']]),
      [
        ['POST /bad-idempotent/{how}', true, 'BackendFailed'],
        ['POST /bad-idempotent/{how}', true, 'BackendFailed']
      ]
    )
    assert.deepEqual(
      attempts.map(({ attributes }) => attributes['hedgerow.peer.id']).sort(),
      mesh.workers.map(({ peerId }) => peerId).sort()
    )
    assert.deepEqual(
      attempts.map(({ attributes }) => attributes['http.request.resend_count']),
      [undefined, 1]
    )
    assert.equal(attempts[1]?.attributes['hedgerow.attempt.reason'], 'retry')
    for (const attempt of attempts) {
      const serving = spans.find(({ parentId }) => parentId === attempt.spanId)
      assert.equal(serving?.kind, 'server')
      assert.equal(serving.resource['service.instance.id'], attempt.attributes['hedgerow.peer.id'])
    }
    assert.deepEqual(
      [entry?.failed, entry?.attributes['error.type'], entry?.attributes['hedgerow.attempts']],
      [true, 'BackendFailed', 2]
    )
  })

  it('go on through calls that a backend makes meanwhile', async () => {
    const response = await ask('lab/nested', {}, { path: 'lab/echo' })
    assert.equal(response.status, 200)
    await response.body?.cancel()
    const spans = chain(await collector.trace(response.headers.get('traceparent'), 8))
    assert.deepEqual(
      spans.map(({ kind, name }) => `${kind} ${name}`),
      [
        'server POST /service/lab/nested',
        'client POST /nested',
        'server POST /nested',
        'client POST /nested',
        'server POST /service/lab/echo',
        'client POST /echo',
        'server POST /echo',
        'client POST /echo'
      ]
    )
    assert.equal(spans[6]?.attributes['hedgerow.depth'], 1)
  })

  it('of what is refused say so, and not what was asked for', async () => {
    const response = await ask('nothing-of-the-kind/adviser-notes')
    assert.equal(response.status, 404)
    const [entry] = await collector.trace(response.headers.get('traceparent') ?? (await lastRefused()), 1)
    assert.equal(entry?.name, 'POST')
    assert.equal(entry.failed, false)
    assert.deepEqual(
      [entry.attributes['http.response.status_code'], entry.attributes['hedgerow.outcome']],
      [404, 'UnknownService']
    )
  })

  /** The answer to what no worker was asked names no trace. */
  const lastRefused = (): Promise<string> =>
    until('the refusal is told of', async () => {
      const refused = collector.spans.find(({ attributes }) => attributes['hedgerow.outcome'] === 'UnknownService')
      return refused && `00-${refused.traceId}-`
    })

  it('hold nothing of what was sent, called or answered', async () => {
    const secrets = ['in-the-body', 'in-the-query', 'in-a-header', 'in-the-path', 'in-the-state', 'nothing-of-the-kind']
    const [body, query, header, path, state] = secrets
    const response = await fetch(`${mesh.relay.url}/service/lab/bad/${path}?q=${query}`, {
      method: 'POST',
      headers: {
        'x-client': `${header}`,
        authorization: `Bearer ${header}`,
        traceparent: `00-${'b'.repeat(32)}-${SPAN}-01`,
        tracestate: `a=${state}`
      },
      body: `${body}`,
      signal: AbortSignal.timeout(10_000)
    })
    await response.body?.cancel()
    const spans = await collector.trace(`00-${'b'.repeat(32)}-`, 4)
    assert.deepEqual([...new Set(spans.map(({ name }) => name))].sort(), [
      'POST /bad/{how}',
      'POST /service/lab/bad/{how}'
    ])
    const sent = Buffer.concat(collector.bytes).toString('latin1')
    for (const secret of [...secrets, KEY, 'adviser-notes', process.env.HOME ?? '/root'])
      assert.ok(!sent.includes(secret), secret)
    assert.ok(collector.headers.every(headers => headers['x-key'] === KEY))
    for (const peer of ['relay', 'worker-1', 'worker-2'])
      assert.ok(!(await readFile(join(mesh.dataDir, peer, 'log'), 'utf8')).includes(KEY), peer)
  })

  it('do not hold requests up when the collector is gone, and are counted as lost', async () => {
    const lost = async (): Promise<number> => {
      const text = await (await fetch(`${mesh.relay.url}/metrics`)).text()
      return Number(/^hedgerow_spans_lost_total\{reason="export"\} (\d+)$/m.exec(text)?.[1])
    }
    assert.equal(await lost(), 0)
    await collector.down()
    for (let i = 0; i < 20; i++) assert.equal((await ask('lab/echo', {}, { i })).status, 200)
    await until('spans are lost', async () => (await lost()) > 0, 60_000)
    const warned = async (): Promise<number> =>
      (await readFile(join(mesh.dataDir, 'relay/log'), 'utf8')).split('takes no traces').length - 1
    await until('the log says so', async () => (await warned()) === 1)
    await collector.up()
    await until('they arrive again', async () => {
      const response = await ask('lab/echo')
      return collector.trace(response.headers.get('traceparent'), 1).catch(() => undefined)
    })
    assert.equal(await warned(), 1)
  })

  it('are sent before a peer ends', async () => {
    const [worker] = mesh.workers
    assert.ok(worker != null)
    const response = await ask('lab/echo', { 'hedgerow-worker': worker.peerId })
    assert.equal(response.status, 200)
    worker.child.kill('SIGTERM')
    await until('it has ended', async () => worker.child.exitCode === 0)
    const spans = await collector.trace(response.headers.get('traceparent'), 4)
    assert.ok(spans.some(({ resource }) => resource['service.instance.id'] === worker.peerId))
  })
})

describe('traces, with no collector named', function () {
  this.timeout(60_000)

  it('are not made: nothing is connected to, and the caller is continued as ever', async () => {
    const collector = await startCollector()
    // Everything but a collector.
    const env = { OTEL_SERVICE_NAME: 'x', OTEL_TRACES_SAMPLER: 'always_on', OTEL_EXPORTER_OTLP_HEADERS: 'a=b' }
    const off = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SDK_DISABLED: 'true' }
    const mesh = await testMesh({ workers: 1, env, envOf: { 'worker-1': off } })
    try {
      const headers = { traceparent: `00-${TRACE}-${SPAN}-01` }
      for (const one of [headers, undefined]) {
        const response = await fetch(`${mesh.relay.url}/service/lab/headers`, { headers: one ?? {} })
        const { headers: got } = (await response.json()) as { headers: Record<string, string> }
        assert.equal(got.traceparent, response.headers.get('traceparent'))
        assert.match(got.traceparent ?? '', one == null ? /-01$/ : new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`))
      }
    } finally {
      await mesh.stop()
      await collector.close()
    }
    assert.equal(collector.connections, 0)
  })
})

/** A trace without siblings, from its first span on. @param parent of the first */
function chain(spans: CollectedSpan[], parent = ''): CollectedSpan[] {
  const ordered: CollectedSpan[] = []
  for (let id = parent; ; ) {
    const next = spans.filter(({ parentId }) => parentId === id)
    assert.ok(next.length <= 1, `${next.length} spans below ${id}`)
    if (next[0] == null) return ordered
    ordered.push(next[0])
    id = next[0].spanId
  }
}
