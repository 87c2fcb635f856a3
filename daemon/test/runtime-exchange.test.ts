import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { MeshError } from '@hedgerow/protocols/errors'
import type { ServiceInstance } from '../src/runtime/index.ts'
import { fails } from './support/fails.ts'
import { call, healthy, json, TestRuntime, text, until } from './support/runtime.ts'

const MEBIBYTE = 1024 * 1024

async function* pieces(count: number, size: number): AsyncIterable<Uint8Array> {
  for (let i = 0; i < count; i++) yield new Uint8Array(size).fill(i)
}

const idle = (instance: ServiceInstance) => until('nothing is in hand', () => instance.load().inFlight === 0)

setFlagsFromString('--expose-gc')
const collectGarbage: unknown = runInNewContext('gc')

/** Memory that is in use, without what only waits to be collected. */
function memory(): number {
  if (typeof collectGarbage === 'function') collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

describe('an exchange with a backend', () => {
  let runtime: TestRuntime
  let instance: ServiceInstance
  before(async () => {
    runtime = new TestRuntime()
    instance = await healthy(
      runtime.host({
        manifest: {
          // Half a second without an answer is what several tests wait for.
          timeouts: { first_byte_s: 0.5, between_chunks_s: 0.5 },
          operations: [
            { method: 'POST', path: '/echo', main: true, idempotent: true, body_limit_mb: 300, first_byte_s: 10 },
            { method: 'POST', path: '/count', body_limit_mb: 300 },
            { method: 'POST', path: '/half', idempotent: true },
            { method: '*', path: '/*' }
          ],
          health: { interval_s: 60, timeout_s: 2, start_s: 10 }
        }
      })
    )
  })
  after(() => runtime.stop())
  // Whatever went wrong in a test, the backend serves on, and no request is left over.
  afterEach(async () => {
    await idle(instance)
    assert.equal((await call(instance, { path: '/status?code=200' })).status, 200)
    assert.equal(instance.inspect().backend.restarts, 0)
  })

  it('passes method, path, query, status and several headers of one name', async () => {
    const answer = await call(instance, { path: '/headers?a=1&b=%20', method: 'PATCH', body: Buffer.from('x') })
    assert.deepEqual(answer.headers['x-kept'], ['1', '2'])
    const seen = await json(answer)
    assert.equal(seen.method, 'PATCH')
    assert.equal(seen.url, '/headers?a=1&b=%20')
    assert.equal((await call(instance, { path: '/status?code=418' })).status, 418)
    const head = await call(instance, { path: '/headers', method: 'HEAD' })
    assert.equal(await text(head), '')
    assert.ok(Number(head.headers['content-length']) > 0)
  })

  it('keeps to itself what is of one hop, and what only the daemon may say', async () => {
    const answer = await call(instance, {
      path: '/headers',
      method: 'POST',
      headers: {
        host: 'evil.example.org',
        connection: 'keep-alive, x-secret-hop, content-type',
        'x-secret-hop': '1',
        'content-type': 'text/plain',
        'keep-alive': 'timeout=5',
        'transfer-encoding': 'chunked',
        te: 'trailers',
        upgrade: 'websocket',
        expect: '100-continue',
        'proxy-authorization': 'Basic x',
        forwarded: 'for=1.2.3.4',
        via: '1.1 x',
        'x-forwarded-for': '1.2.3.4',
        'x-forwarded-host': 'evil.example.org',
        'x-real-ip': '1.2.3.4',
        'hedgerow-context': 'forged',
        'hedgerow-caller': 'service/fixture',
        traceparent: 'forged',
        accept: ['text/html', 'text/plain'],
        cookie: 'a=1'
      },
      stamp: { 'hedgerow-context': 'genuine', traceparent: '00-1-1-01' },
      body: Buffer.from('hi')
    })
    const { headers } = await json(answer)
    assert.deepEqual(headers, {
      host: new URL(instance.inspect().backend.origin ?? '').host,
      connection: 'keep-alive',
      'content-type': 'text/plain',
      'content-length': '2',
      accept: 'text/html, text/plain',
      'hedgerow-context': 'genuine',
      traceparent: '00-1-1-01'
    })
    for (const name of ['hedgerow-worker', 'connection', 'x-hop', 'keep-alive', 'transfer-encoding']) {
      assert.equal(name in answer.headers, false, name)
    }
  })

  it('tells the backend how long the caller will wait', async () => {
    const { headers } = await json(await call(instance, { path: '/headers', timeout: 20_000 }))
    assert.ok(typeof headers === 'object' && headers != null && 'hedgerow-timeout' in headers)
    assert.ok(Number(headers['hedgerow-timeout']) > 19 && Number(headers['hedgerow-timeout']) <= 20)
  })

  it('has a small answer complete when its head is there', async () => {
    // written in one piece by the backend, so that it arrives in one
    const answer = await call(instance, { path: '/argv' })
    assert.ok(JSON.parse(Buffer.from(answer.complete ?? []).toString()).execPath)
    assert.equal(await text(answer), Buffer.from(answer.complete ?? []).toString())
    assert.equal((await call(instance, { path: '/status?code=204' })).complete?.byteLength, 0)
  })

  it('is over when the answer has come, whether or not anybody reads it', async () => {
    const answer = await call(instance, { path: '/', method: 'POST', body: Buffer.from('small') })
    await idle(instance)
    assert.equal(answer.status, 200)
  })

  it('streams both ways at once', async () => {
    const sent = Promise.withResolvers<void>()
    async function* body(): AsyncIterable<Uint8Array> {
      yield Buffer.from('first')
      await sent.promise
      yield Buffer.from('second')
    }
    const answer = await call(instance, { path: '/echo', method: 'POST', body: body() })
    const parts: string[] = []
    for await (const chunk of answer.body) {
      parts.push(Buffer.from(chunk).toString())
      sent.resolve()
    }
    assert.equal(parts.join('|'), 'first|second')
    assert.equal(answer.complete, undefined)
  })

  it('streams 200 MB through without keeping them', async function () {
    this.timeout(60_000)
    const before = memory()
    let most = 0
    let received = 0
    const answer = await call(instance, { path: '/echo', method: 'POST', body: pieces(3200, 64 * 1024) })
    for await (const chunk of answer.body) {
      if (Math.floor(received / (10 * MEBIBYTE)) !== Math.floor((received + chunk.byteLength) / (10 * MEBIBYTE))) {
        most = Math.max(most, memory() - before)
      }
      received += chunk.byteLength
    }
    assert.equal(received, 200 * MEBIBYTE)
    assert.ok(most < 60 * MEBIBYTE, `${Math.round(most / MEBIBYTE)} MiB`)
  })

  it('sends as fast as the backend takes it', async () => {
    let sent = 0
    async function* body(): AsyncIterable<Uint8Array> {
      for (;;) {
        sent += 64 * 1024
        yield new Uint8Array(64 * 1024)
      }
    }
    const caller = new AbortController()
    const unread = call(instance, { path: '/unread', method: 'POST', body: body(), signal: caller.signal })
    // Nobody reads it, so it is the backend that fails to answer; meanwhile only what sockets hold is sent.
    await assert.rejects(unread, fails('BodyTooLarge'))
    assert.ok(sent < 2 * MEBIBYTE)
  })

  it('reads no faster than its reader', async () => {
    const answer = await call(instance, { path: '/flood-body' })
    const before = memory()
    const reader = answer.body[Symbol.asyncIterator]()
    await reader.next()
    // The backend has had the time for some hundred MB.
    await until('other requests were served', () => instance.load().inFlight === 1)
    for (let i = 0; i < 50; i++) await call(instance, { path: '/status?code=200' })
    assert.ok(memory() - before < 20 * MEBIBYTE)
    await reader.return?.()
    await until('the backend knows', () => runtime.trace().includes('flood: closed'))
  })

  it('that nobody reads any more ends when the caller leaves', async () => {
    const caller = new AbortController()
    const answer = await call(instance, { path: '/flood-body', signal: caller.signal })
    caller.abort()
    await assert.rejects(text(answer), fails('ClientGone'))
    assert.equal(instance.inspect().totals.failed, 0)
  })

  it("aborts the backend's request when the caller leaves before the answer", async () => {
    const caller = new AbortController()
    const never = call(instance, { path: '/never', method: 'POST', signal: caller.signal })
    await until('it is in hand', () => instance.load().inFlight === 1)
    setTimeout(() => caller.abort(), 50)
    await assert.rejects(never, fails('ClientGone'))
    await until('the backend knows', () => runtime.trace().includes('never: closed'))
  })

  it('refuses a caller that has left already', async () => {
    await assert.rejects(call(instance, { path: '/echo', signal: AbortSignal.abort() }), fails('ClientGone'))
  })

  it('fails when the caller breaks off its request', async () => {
    async function* broken(): AsyncIterable<Uint8Array> {
      yield Buffer.from('half')
      throw new Error('connection lost')
    }
    await assert.rejects(call(instance, { path: '/count', method: 'POST', body: broken() }), fails('ClientGone'))
  })

  it('lets go of a request that the backend answers early', async () => {
    let released = false
    async function* endless(): AsyncIterable<Uint8Array> {
      try {
        for (;;) {
          yield new Uint8Array(1024)
          await new Promise(resolve => setTimeout(resolve, 5))
        }
      } finally {
        released = true
      }
    }
    const answer = await call(instance, { path: '/refuse-early', method: 'POST', body: endless() })
    assert.equal(answer.status, 413)
    assert.equal(await text(answer), 'too much')
    await until('the request is let go', () => released)
  })

  it('refuses bodies beyond the limit, told or found out, before or while they are sent', async () => {
    const limit = MEBIBYTE
    const told = call(instance, {
      path: '/unlimited',
      method: 'POST',
      headers: { 'content-length': String(limit + 1) },
      body: pieces(17, 64 * 1024)
    })
    await assert.rejects(
      told,
      (err: unknown) => fails('BodyTooLarge')(err) && err instanceof MeshError && err.details.limit === limit
    )
    await assert.rejects(
      call(instance, { path: '/unlimited', method: 'POST', body: new Uint8Array(limit + 1) }),
      fails('BodyTooLarge')
    )
    await assert.rejects(
      call(instance, { path: '/never', method: 'POST', body: pieces(100, 64 * 1024) }),
      fails('BodyTooLarge')
    )
    const fits = await call(instance, { path: '/echo', method: 'POST', body: pieces(16, 64 * 1024) })
    assert.equal((await text(fits)).length, limit)
  })

  it('refuses a body that is not as long as it says', async () => {
    await assert.rejects(
      call(instance, { path: '/count', method: 'POST', headers: { 'content-length': '10' }, body: pieces(1, 20) }),
      fails('Malformed')
    )
  })

  it('keeps the length of a streamed body where it is told', async () => {
    const answer = await call(instance, {
      path: '/headers',
      method: 'POST',
      headers: { 'content-length': '20' },
      body: pieces(2, 10)
    })
    const { headers } = await json(answer)
    assert.ok(typeof headers === 'object' && headers != null && 'content-length' in headers)
    assert.equal(headers['content-length'], '20')
  })

  it('refuses what would break out of its line', async () => {
    await assert.rejects(call(instance, { path: '/echo', headers: { x: 'a\r\nb: c' } }), fails('Malformed'))
    await assert.rejects(call(instance, { path: '/echo', method: 'CONNECT' }), fails('MethodNotAllowed'))
  })

  it('passes over hints that come before the answer', async () => {
    assert.equal(await text(await call(instance, { path: '/early-hints' })), 'ok')
  })

  describe('of which the backend', () => {
    it('never answers, ends at the limit for the first byte', async () => {
      await assert.rejects(call(instance, { path: '/never' }), fails('FirstByteTimeout', false))
    })

    it('never reads the request, ends at the limit for the first byte', async () => {
      const body = pieces(15, 64 * 1024)
      await assert.rejects(call(instance, { path: '/unread', method: 'POST', body }), fails('FirstByteTimeout', false))
    })

    it('pauses too long, ends at the limit between two pieces', async () => {
      const answer = await call(instance, { path: '/stall' })
      await assert.rejects(text(answer), fails('ChunkTimeout'))
    })

    it('is slow but steady, comes to its end', async () => {
      const answer = await call(instance, { path: '/trickle?n=30' })
      assert.equal((await text(answer)).length, 30)
    })

    it('takes longer than the caller will wait, ends at the deadline', async () => {
      await assert.rejects(call(instance, { path: '/never', timeout: 200 }), fails('Deadline'))
      const answer = await call(instance, { path: '/trickle?n=1000', timeout: 200 })
      await assert.rejects(text(answer), fails('Deadline'))
    })

    it('breaks off within its answer, fails and is never taken for complete', async () => {
      await assert.rejects(text(await call(instance, { path: '/half' })), fails('BackendFailed', false))
      await assert.rejects(text(await call(instance, { path: '/half', method: 'POST' })), fails('BackendFailed', true))
      await assert.rejects(text(await call(instance, { path: '/half-chunked' })), fails('BackendFailed', false))
    })

    it('resets the connection, fails as one that may have been executed', async () => {
      await assert.rejects(call(instance, { path: '/reset' }), fails('BackendFailed', false))
    })

    it('does not speak HTTP, fails', async () => {
      await assert.rejects(call(instance, { path: '/no-http' }), fails('BackendFailed'))
    })

    it('floods the head or hints without end, fails within bounds', async () => {
      const before = memory()
      await assert.rejects(call(instance, { path: '/flood-head' }), fails('BackendFailed'))
      await assert.rejects(call(instance, { path: '/flood-hints' }), fails('BackendFailed'))
      assert.ok(memory() - before < 20 * MEBIBYTE)
    })

    it('fails with 500, counts as failed, and its answer passes unchanged', async () => {
      const { failed } = instance.inspect().totals
      assert.equal((await call(instance, { path: '/status?code=500' })).status, 500)
      await idle(instance)
      assert.equal(instance.inspect().totals.failed, failed + 1)
    })
  })
})
