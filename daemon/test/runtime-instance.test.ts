import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import { MeshError } from '@hedgerow/protocols/errors'
import { fails } from './support/fails.ts'
import { call, healthy, TestRuntime, text, until } from './support/runtime.ts'

describe('a service instance', () => {
  let runtime: TestRuntime
  beforeEach(() => {
    runtime = new TestRuntime()
  })
  afterEach(() => runtime.stop())

  it('runs so many requests at once, lets so many wait, and refuses one more', async () => {
    const instance = await healthy(runtime.host({ manifest: { admission: { concurrency: 2, queue: 1 } } }))
    const caller = new AbortController()
    const never = () => call(instance, { path: '/never', signal: caller.signal })
    const running = [never(), never()]
    const waiting = call(instance, { path: '/status?code=200' })
    await assert.rejects(never(), (err: unknown) => {
      assert.ok(fails('Busy')(err) && err instanceof MeshError)
      return (err.details.retry_after ?? 0) >= 1
    })
    assert.deepEqual(
      { ...instance.load(), latency: 0 },
      { inFlight: 2, queued: 1, concurrency: 2, latency: 0, errorRate: 0 }
    )
    caller.abort()
    for (const one of running) await assert.rejects(one, fails('ClientGone'))
    const answer = await waiting
    assert.equal(answer.status, 200)
    assert.ok(answer.timing.queue > 0 && answer.timing.backend > 0)
  })

  it('drains: finishes what it has in hand, refuses the rest, then stops', async () => {
    const instance = await healthy(runtime.host())
    const slow = await call(instance, { path: '/trickle?n=20' })
    const drained = instance.drain()
    assert.equal(instance.state, 'draining')
    assert.equal(instance.ready, false)
    await assert.rejects(call(instance, { path: '/echo' }), fails('Draining'))
    assert.equal((await text(slow)).length, 20)
    await drained
    await instance.stop()
    assert.equal(instance.state, 'stopped')
    await assert.rejects(call(instance, { path: '/echo' }), fails('NotServed'))
  })

  it('stopped while busy, ends what is in hand', async () => {
    const instance = await healthy(runtime.host())
    const never = call(instance, { path: '/never' })
    const answer = await call(instance, { path: '/flood-body' })
    const ended = [assert.rejects(never, fails('BackendFailed')), assert.rejects(text(answer), fails('BackendFailed'))]
    await instance.stop()
    await Promise.all(ended)
    assert.equal(instance.load().inFlight, 0)
  })

  it('tells what the backend holds, and is ready when it knows', async () => {
    const instance = runtime.host({ manifest: { resources: { path: '/resources', interval_s: 0.05 } } })
    await until('it is ready', () => instance.ready)
    assert.deepEqual(instance.resources, ['model/a', 'model/b'])
    const set = (to: unknown) => call(instance, { path: `/set-resources?to=${encodeURIComponent(JSON.stringify(to))}` })
    let changes = 0
    instance.addListener(() => changes++)
    await set(['collection/x', 'collection/x', 'bad one', 7, 'y'.repeat(300), 'tab\t'])
    await until('it is known', () => instance.resources.length === 1)
    assert.deepEqual(instance.resources, ['collection/x'])
    await set(Array.from({ length: 600 }, (_, i) => `collection/${i}`))
    await until('it is known', () => instance.resources.length === 512)
    assert.equal(changes, 2)
    await set({ not: 'a list' })
    await until('it is told', () => runtime.lines.some(({ msg }) => msg === 'resources unknown'))
    assert.equal(instance.resources.length, 512)
    await instance.stop()
    assert.deepEqual(instance.resources, [])
  })

  it('is not ready while it does not know what its backend holds', async () => {
    const instance = runtime.host({
      mode: 'no-resources',
      manifest: { resources: { path: '/resources', interval_s: 0.05 } }
    })
    await healthy(instance)
    await until('it is told', () => runtime.lines.some(({ msg }) => msg === 'resources unknown'))
    assert.equal(instance.ready, false)
  })
})

describe('a backend at a URL', () => {
  let runtime: TestRuntime
  let server: Server
  let url: string
  let health = 200
  before(async () => {
    runtime = new TestRuntime()
    server = createServer((request, response) => {
      if (request.url === '/base/health') response.writeHead(health).end()
      else response.end(`${request.url} for ${request.headers.host}`)
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    if (address == null || typeof address === 'string') throw new Error('no address')
    url = `http://127.0.0.1:${address.port}`
  })
  after(async () => {
    await runtime.stop()
    server.closeAllConnections()
    server.close()
  })
  const quick = { interval_s: 0.05, timeout_s: 0.5, start_s: 0.3 }

  it('is served under its prefix, watched, and taken out and back as its health goes', async () => {
    const instance = await healthy(runtime.host({ manifest: { backend: { url: `${url}/base/` }, health: quick } }))
    assert.equal(await text(await call(instance, { path: '/x?y=1' })), `/base/x?y=1 for ${new URL(url).host}`)
    health = 503
    await until('it is taken out', () => instance.state === 'unhealthy')
    health = 200
    await healthy(instance)
    health = 404
    await until('it is taken out', () => instance.state === 'unhealthy')
    health = 200
    await healthy(instance)
    assert.equal(instance.inspect().backend.restarts, 0)
  })

  it('that is not there yet is served as soon as it is', async () => {
    const late = createServer((_request, response) => response.end('here'))
    await new Promise<void>(resolve => late.listen(0, '127.0.0.1', resolve))
    const address = late.address()
    const port = address != null && typeof address === 'object' ? address.port : 0
    await new Promise(resolve => late.close(resolve))
    const instance = runtime.host({ manifest: { backend: { url: `http://127.0.0.1:${port}` }, health: quick } })
    await until('it is given up for now', () => instance.state === 'unhealthy')
    await assert.rejects(call(instance, { path: '/x' }), fails('NotServed'))
    await new Promise<void>(resolve => late.listen(port, '127.0.0.1', resolve))
    await healthy(instance)
    assert.equal(await text(await call(instance, { path: '/x' })), 'here')
    late.closeAllConnections()
    late.close()
  })

  it('that goes away fails as not executed, and is taken out before the next look is due', async () => {
    const brief = createServer((_request, response) => response.end('here'))
    await new Promise<void>(resolve => brief.listen(0, '127.0.0.1', resolve))
    const address = brief.address()
    const port = address != null && typeof address === 'object' ? address.port : 0
    const instance = await healthy(
      runtime.host({
        manifest: { backend: { url: `http://127.0.0.1:${port}` }, health: { ...quick, interval_s: 3600 } }
      })
    )
    await text(await call(instance, { path: '/x' }))
    brief.closeAllConnections()
    await new Promise(resolve => brief.close(resolve))
    await assert.rejects(call(instance, { path: '/x' }), fails('BackendFailed', true))
    await until('it is taken out', () => instance.state === 'unhealthy')
  })
})
