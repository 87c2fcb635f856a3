import assert from 'node:assert/strict'
import { MeshError } from '../src/errors/index.ts'
import { answerOf, codeOf, FakeMesh, meshAnswer, textOf } from './support/fake-mesh.ts'
import { contract, operation } from './support/samples.ts'

describe('dispatch', () => {
  it('takes a request to a worker and its answer back', async () => {
    const mesh = new FakeMesh({ workers: ['a'] })
    mesh.worker('a').answer = ({ body }) => ({
      status: 201,
      headers: { 'content-type': 'text/plain' },
      body: ['you said ', body]
    })
    const answer = answerOf(await mesh.call({ body: new TextEncoder().encode('hello'), path: '/extract?x=1' }))
    assert.equal(answer.status, 201)
    assert.equal(answer.headers['content-type'], 'text/plain')
    assert.equal(answer.worker, 'a')
    assert.equal(answer.attempts, 1)
    assert.deepEqual(answer.route, { path: 'direct', transport: 'tcp' })
    assert.equal(await textOf(answer.body), 'you said hello')
    assert.deepEqual(
      mesh.worker('a').received.map(({ method, path }) => [method, path]),
      [['POST', '/service/ner/extract?x=1']]
    )
  })

  it('hands a small answer to an idempotent operation over whole', async () => {
    const mesh = new FakeMesh()
    const answer = answerOf(await mesh.call())
    assert.equal(new TextDecoder().decode(answer.complete), answer.worker)
    assert.equal(await textOf(answer.body), answer.worker)
  })

  it('tells a reader that the worker died before the last byte', async () => {
    const mesh = new FakeMesh({
      workers: ['a'],
      contract: contract({ operations: [operation({ idempotent: false })] })
    })
    mesh.worker('a').answer = () => ({ body: ['half', 1000, 'more'] })
    const answer = answerOf(await mesh.call())
    const body = answer.body[Symbol.asyncIterator]()
    assert.equal(new TextDecoder().decode((await body.next()).value), 'half')
    const rest = body.next()
    mesh.worker('a').kill()
    await assert.rejects(
      rest,
      (err: unknown) => err instanceof MeshError && err.code === 'WorkerLost' && err.details.retry_safe === false
    )
    assert.deepEqual(await body.next(), { done: true, value: undefined })
    assert.equal(mesh.dispatcher.explain(answer.requestId)?.outcome, 'WorkerLost')
    assert.equal(mesh.dispatcher.stats().failed_requests, 1)
  })

  it('stops the work of a caller who leaves, and holds it against nobody', async () => {
    const mesh = new FakeMesh({ workers: ['a'] })
    mesh.worker('a').latency = 10_000
    const caller = new AbortController()
    const dispatched = mesh.dispatch({ id: 'left', signal: caller.signal })
    await mesh.clock.advance(100)
    caller.abort()
    assert.equal(codeOf(await mesh.outcome(dispatched)), 'ClientGone')
    assert.equal(mesh.worker('a').cancelled, 1)
    const experience = mesh.dispatcher.experience('a')
    assert.equal(experience?.consecutive_failures, 0)
    assert.equal(experience?.in_flight, 0)
    assert.equal(mesh.dispatcher.stats().failed_requests, 0)
    assert.equal(mesh.dispatcher.explain('left')?.attempts[0]?.outcome, 'abandoned')
  })

  it('stops the work of a caller who leaves in the middle of an answer', async () => {
    const mesh = new FakeMesh({ workers: ['a'] })
    mesh.worker('a').answer = () => ({ headers: { 'content-type': 'text/event-stream' }, body: ['one', 1000, 'two'] })
    const caller = new AbortController()
    const answer = answerOf(await mesh.call({ signal: caller.signal }))
    const body = answer.body[Symbol.asyncIterator]()
    await body.next()
    const next = assert.rejects(body.next(), { code: 'ClientGone' })
    caller.abort()
    await next
    assert.equal(mesh.worker('a').cancelled, 1)
    assert.equal(mesh.dispatcher.experience('a')?.in_flight, 0)
  })

  it('stops the work when a reader leaves the body early', async () => {
    const mesh = new FakeMesh({ workers: ['a'] })
    mesh.worker('a').answer = () => ({ headers: { 'content-type': 'text/event-stream' }, body: ['one', 'two', 1000] })
    const answer = answerOf(await mesh.call())
    for await (const chunk of answer.body) {
      assert.ok(chunk.byteLength > 0)
      break
    }
    assert.equal(mesh.worker('a').cancelled, 1)
    assert.equal(mesh.dispatcher.experience('a')?.in_flight, 0)
  })

  it('says when to come back when every worker is full', async () => {
    const mesh = new FakeMesh({ workers: ['a', 'b'] })
    for (const worker of mesh.workers.values()) {
      worker.concurrency = 1
      worker.queue = 0
      worker.latency = 10_000
    }
    const held = [mesh.dispatch(), mesh.dispatch()]
    await mesh.clock.advance(10)
    const refused = await mesh.call()
    assert.equal(codeOf(refused), 'Busy')
    assert.ok(refused.error instanceof MeshError)
    assert.equal(refused.error.details.retry_after, 2)
    assert.equal(refused.error.details.attempts, 2)
    assert.ok(refused.ms < 1000)
    for (const dispatched of held) answerOf(await mesh.outcome(dispatched))
  })

  it('stops while busy: nothing is left ticking, and requests under way go on', async () => {
    const mesh = new FakeMesh({ workers: ['a'] })
    mesh.worker('a').latency = 5000
    const dispatched = mesh.dispatch()
    await mesh.clock.advance(1500)
    mesh.dispatcher.stop()
    const pings = mesh.worker('a').pings.length
    assert.equal(answerOf(await mesh.outcome(dispatched)).status, 200)
    assert.equal(mesh.worker('a').pings.length, pings)
    assert.equal(mesh.clock.pending, 0)
  })

  it('leaves no timer behind when requests are answered', async () => {
    const mesh = new FakeMesh()
    for (let i = 0; i < 10; i++) answerOf(await mesh.call({ timeout: 5000 }))
    await mesh.clock.advance(5000)
    assert.equal(mesh.clock.pending, 0)
  })

  describe('addressing', () => {
    const operations = [
      operation(),
      operation({ method: 'GET', path: '/documents', main: false, bodyLimit: 10 }),
      operation({ path: '/sync/*', main: false, internal: true })
    ]

    it('resolves aliases, and sends to the canonical name', async () => {
      const mesh = new FakeMesh({ workers: ['a'], contract: contract({ name: 'ner-extraction', aliases: ['ner'] }) })
      answerOf(await mesh.call({ service: 'ner' }))
      assert.equal(mesh.worker('a').received[0]?.path, '/service/ner-extraction/')
    })

    const refusals: Array<{ what: string; request: Parameters<FakeMesh['call']>[0]; code: string }> = [
      { what: 'a service that nobody ever heard of', request: { service: 'nobody' }, code: 'UnknownService' },
      { what: 'what is no name at all', request: { service: '../etc' }, code: 'UnknownService' },
      { what: 'a path that the service does not have', request: { path: '/secret' }, code: 'UnknownOperation' },
      { what: 'a path that tries to climb', request: { path: '/../x' }, code: 'Malformed' },
      { what: 'a path with an encoded slash', request: { path: '/a%2Fb?c=d' }, code: 'Malformed' },
      { what: 'a path without its slash', request: { path: 'extract' }, code: 'UnknownOperation' },
      {
        what: 'a method that the path does not have',
        request: { method: 'DELETE', path: '/extract' },
        code: 'MethodNotAllowed'
      },
      { what: 'an internal operation, from outside', request: { path: '/sync/1' }, code: 'UnknownOperation' },
      {
        what: 'an internal operation, from another service',
        request: { path: '/sync/1', caller: 'service/ocr' },
        code: 'UnknownOperation'
      },
      { what: 'a call that is nested too deep', request: { depth: 5 }, code: 'TooDeep' },
      {
        what: 'a body that is too large',
        request: { method: 'GET', path: '/documents', body: new Uint8Array(11) },
        code: 'BodyTooLarge'
      },
      {
        what: 'a body that is said to be too large',
        request: {
          method: 'GET',
          path: '/documents',
          headers: { 'content-length': '11' },
          body: (async function* () {})()
        },
        code: 'BodyTooLarge'
      }
    ]
    for (const { what, request, code } of refusals) {
      it(`refuses ${what} with ${code}, and troubles no worker`, async () => {
        const mesh = new FakeMesh({ workers: ['a'], contract: contract({ operations }) })
        const called = await mesh.call(request)
        assert.equal(codeOf(called), code)
        assert.ok(called.ms < 1100)
        assert.equal(mesh.worker('a').received.length, 0)
      })
    }

    it('names the methods that a path has', async () => {
      const mesh = new FakeMesh({ workers: ['a'], contract: contract({ operations }) })
      await assert.rejects(
        mesh.dispatch({ method: 'DELETE', path: '/extract' }),
        (err: unknown) => err instanceof MeshError && assert.deepEqual(err.details.allow, ['POST']) === undefined
      )
    })

    it('lets instances of the service use its internal operations', async () => {
      const mesh = new FakeMesh({ workers: ['a'], contract: contract({ operations }) })
      answerOf(await mesh.call({ path: '/sync/1', caller: 'service/ner' }))
      assert.equal(mesh.worker('a').received[0]?.headers['hedgerow-caller'], 'service/ner')
    })

    it('asks only the worker that was asked for', async () => {
      const mesh = new FakeMesh()
      for (let i = 0; i < 20; i++) assert.equal(answerOf(await mesh.call({ worker: 'b' })).worker, 'b')
      assert.equal(codeOf(await mesh.call({ worker: 'z' })), 'NoWorker')
    })

    it('asks only workers that hold the resource', async () => {
      const mesh = new FakeMesh()
      mesh.join('b', ['model/llama3'])
      for (let i = 0; i < 20; i++) assert.equal(answerOf(await mesh.call({ resource: 'model/llama3' })).worker, 'b')
      assert.equal(codeOf(await mesh.call({ resource: 'model/other' })), 'NoWorker')
    })

    it('prefers workers that hold the key of a service that keeps data by key', async () => {
      const keyed = contract({ stateKey: 'collection' })
      const mesh = new FakeMesh({ contract: keyed })
      mesh.join('c', ['collection/manual'])
      for (let i = 0; i < 20; i++) assert.equal(answerOf(await mesh.call({ path: '/?collection=manual' })).worker, 'c')
      assert.equal(answerOf(await mesh.call({ path: '/?collection=unheard-of' })).status, 200)
      mesh.worker('c').kill()
      assert.notEqual(answerOf(await mesh.call({ path: '/?collection=manual' })).worker, 'c')
    })

    it('passes over workers whose version lacks the operation', async () => {
      const mesh = new FakeMesh()
      const newer = contract({ version: '2.0.0', operations: [operation(), operation({ path: '/new', main: false })] })
      mesh.join('b', [], newer)
      for (let i = 0; i < 10; i++) assert.equal(answerOf(await mesh.call({ path: '/new' })).worker, 'b')
    })

    it('serves a request right here when this peer is the best', async () => {
      const mesh = new FakeMesh({ workers: ['self'], local: 'self' })
      const answer = answerOf(await mesh.call())
      assert.deepEqual(answer.route, { path: 'local', transport: 'http' })
      await mesh.clock.advance(5000)
      assert.deepEqual(mesh.worker('self').pings, [])
      assert.equal(mesh.dispatcher.stats().local_requests, 1)
      assert.equal(mesh.dispatcher.explain(answer.requestId)?.source, 'local')
    })
  })

  describe('a service that the view has nobody for', () => {
    it('is looked up once for all who wait for it', async () => {
      const mesh = new FakeMesh({ workers: [] })
      mesh.finder = async () => {
        await mesh.clock.sleep(300)
        mesh.join('found')
        return true
      }
      const called = [mesh.dispatch({ id: 'first' }), mesh.dispatch(), mesh.dispatch()]
      for (const dispatched of called) assert.equal(answerOf(await mesh.outcome(dispatched)).worker, 'found')
      assert.equal(mesh.lookups, 1)
      const explanation = mesh.dispatcher.explain('first')
      assert.equal(explanation?.source, 'dht')
      assert.equal(explanation?.timing.lookup_ms, 300)
    })

    it('is unknown, or not offered now, within a second and a bit, however long the lookup takes', async () => {
      const mesh = new FakeMesh({ workers: [] })
      mesh.view.learnContract(contract({ name: 'shipped' }))
      mesh.finder = () => new Promise(() => {})
      const unknown = await mesh.call({ service: 'nobody' })
      assert.equal(codeOf(unknown), 'UnknownService')
      assert.equal(unknown.ms, 1000)
      const known = await mesh.call({ service: 'shipped' })
      assert.equal(codeOf(known), 'NoWorker')
      assert.ok(known.error instanceof MeshError && known.error.details.retry_after === 5)
      assert.equal(known.ms, 1000)
    })

    it('is not looked up again right after it was in vain', async () => {
      const mesh = new FakeMesh({ workers: [] })
      mesh.view.learnContract(contract())
      assert.equal(codeOf(await mesh.call()), 'NoWorker')
      const again = await mesh.call()
      assert.equal(codeOf(again), 'NoWorker')
      assert.equal(again.ms, 0)
      assert.equal(mesh.lookups, 1)
      await mesh.clock.advance(5000)
      await mesh.call()
      assert.equal(mesh.lookups, 2)
    })

    it('is found by those who come while the lookup still runs', async () => {
      const mesh = new FakeMesh({ workers: [] })
      mesh.view.learnContract(contract())
      mesh.finder = async () => {
        await mesh.clock.sleep(1500)
        mesh.join('late')
        return true
      }
      assert.equal(codeOf(await mesh.call()), 'NoWorker')
      assert.equal(answerOf(await mesh.call()).worker, 'late')
      assert.equal(mesh.lookups, 1)
    })

    it('goes on being looked for when the first worker is found', async () => {
      const mesh = new FakeMesh({ workers: [] })
      mesh.view.learnContract(contract())
      let ended = false
      mesh.finder = async (_service, signal) => {
        signal.addEventListener('abort', () => {
          ended = true
        })
        mesh.join('found')
        return true
      }
      answerOf(await mesh.call())
      assert.equal(ended, false)
      await mesh.clock.advance(10_000)
      assert.equal(ended, true)
    })

    it('is not waited for longer than the caller will wait', async () => {
      const mesh = new FakeMesh({ workers: [] })
      mesh.view.learnContract(contract())
      mesh.finder = () => new Promise(() => {})
      assert.equal((await mesh.call({ timeout: 200 })).ms, 200)
    })

    it('is looked up for no more than a few strangers at once', async () => {
      const mesh = new FakeMesh({ workers: [] })
      mesh.finder = () => new Promise(() => {})
      const called = Array.from({ length: 100 }, (_, i) => mesh.dispatch({ service: `invented-${i}` }))
      const results = Promise.allSettled(called)
      await mesh.clock.advance(1000)
      for (const result of await results)
        assert.ok(result.status === 'rejected' && result.reason.code === 'UnknownService')
      assert.equal(mesh.lookups, 16)
    })
  })

  describe('headers', () => {
    it('tells the worker what the mesh knows, whatever the client says of it', async () => {
      const mesh = new FakeMesh({ workers: ['a'] })
      const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
      const answer = answerOf(
        await mesh.call({
          id: 'c0ffee',
          timeout: 2500,
          depth: 2,
          dataClass: 'internal',
          traceparent: `00-${trace}-00f067aa0ba902b7-01`,
          headers: {
            host: 'localhost:8080',
            connection: 'keep-alive, x-private',
            'x-private': 'for this hop',
            'keep-alive': 'timeout=5',
            te: 'trailers',
            'transfer-encoding': 'chunked',
            upgrade: 'h2c',
            'proxy-authorization': 'Basic xyz',
            expect: '100-continue',
            accept: 'application/json',
            cookie: ['a=1', 'b=2'],
            'idempotency-key': 'k1',
            'hedgerow-data-class': 'public',
            'hedgerow-caller': 'service/ner',
            'hedgerow-context': 'stolen',
            'hedgerow-depth': '0',
            'hedgerow-request-id': 'mine',
            traceparent: 'garbage'
          }
        })
      )
      const { traceparent, ...headers } = mesh.worker('a').received[0]?.headers ?? {}
      assert.deepEqual(headers, {
        accept: 'application/json',
        'idempotency-key': 'k1',
        'hedgerow-data-class': 'internal',
        'hedgerow-request-id': 'c0ffee',
        'hedgerow-dispatched': '1',
        'hedgerow-depth': '2',
        'hedgerow-timeout': '2.500'
      })
      assert.match(String(traceparent), new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`))
      assert.notEqual(traceparent, `00-${trace}-00f067aa0ba902b7-01`)
      assert.equal(answer.traceparent, traceparent)
      assert.equal(answer.requestId, 'c0ffee')
    })

    it('keeps from the client what is between this peer and the worker', async () => {
      const mesh = new FakeMesh({ workers: ['a'] })
      mesh.worker('a').answer = () => ({
        headers: {
          connection: 'x-hop',
          'x-hop': '1',
          'transfer-encoding': 'chunked',
          'hedgerow-worker': 'somebody else',
          'set-cookie': ['a=1', 'b=2'],
          'server-timing': 'backend;dur=3',
          etag: '"1"'
        }
      })
      assert.deepEqual(answerOf(await mesh.call()).headers, {
        'server-timing': 'backend;dur=3',
        etag: '"1"'
      })
    })

    it('makes an id and a trace where there are none', async () => {
      const mesh = new FakeMesh({ workers: ['a'] })
      const answer = answerOf(await mesh.call({ traceparent: 'nonsense' }))
      assert.match(answer.requestId, /^[0-9a-f]{32}$/)
      assert.match(answer.traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    })
  })

  describe('explanation', () => {
    it('says who could have answered, why not the others, what was tried and what came of it', async () => {
      const mesh = new FakeMesh({ workers: ['a', 'b', 'c'] })
      mesh.join('c', [], contract({ version: '0.9.0', operations: [operation({ path: '/other', main: false })] }))
      mesh.worker('a').refuse('Busy')
      mesh.worker('b').refuse('Draining')
      const called = await mesh.call({ id: 'why' })
      assert.equal(codeOf(called), 'Busy')
      const explanation = mesh.dispatcher.explain('why')
      assert.ok(explanation)
      assert.equal(explanation.request_id, 'why')
      assert.equal(explanation.service, 'ner')
      assert.equal(explanation.operation, 'POST /extract')
      assert.equal(explanation.outcome, 'Busy')
      assert.equal(explanation.chosen, null)
      assert.match(explanation.at, /^2026-01-01T/)
      const { candidates, attempts } = explanation
      assert.deepEqual(candidates.map(({ peer_id }) => peer_id).toSorted(), ['a', 'b', 'c'])
      assert.equal(candidates.find(({ peer_id }) => peer_id === 'c')?.rejected, 'version 0.9.0 has no such operation')
      for (const id of ['a', 'b']) assert.ok((candidates.find(({ peer_id }) => peer_id === id)?.score ?? 0) > 0)
      assert.deepEqual(attempts.map(({ peer_id }) => peer_id).toSorted(), ['a', 'b'])
      assert.equal(attempts.find(({ peer_id }) => peer_id === 'a')?.outcome, 'Busy')
      assert.equal(attempts.find(({ peer_id }) => peer_id === 'b')?.outcome, 'Draining')
      assert.equal(attempts[1]?.reason, 'retry')
    })

    it('times an answer', async () => {
      const mesh = new FakeMesh({ workers: ['a'] })
      mesh.worker('a').answer = () => ({ body: ['one', 40, 'two'] })
      const { requestId } = answerOf(await mesh.call())
      const explanation = mesh.dispatcher.explain(requestId)
      assert.deepEqual(explanation?.timing, { total_ms: 50, lookup_ms: 0, first_byte_ms: 10 })
      assert.deepEqual(
        explanation?.attempts.map(({ outcome, status, path, transport, ms, reason }) => [
          outcome,
          status,
          path,
          transport,
          ms,
          reason
        ]),
        [['answered', 200, 'direct', 'tcp', 50, 'only']]
      )
      assert.equal(explanation?.outcome, 'answered')
      assert.equal(explanation?.chosen, 'a')
    })

    it('is forgotten after a while, and when a thousand others came', async () => {
      const mesh = new FakeMesh({ workers: ['a'] })
      mesh.worker('a').latency = 0
      await mesh.call({ id: 'first' })
      for (let i = 0; i < 999; i++) await mesh.call({ id: `id-${i}` })
      assert.ok(mesh.dispatcher.explain('first'))
      await mesh.call({ id: 'one too many' })
      assert.equal(mesh.dispatcher.explain('first'), undefined)
      assert.ok(mesh.dispatcher.explain('one too many'))
      await mesh.clock.advance(10 * 60_000)
      assert.equal(mesh.dispatcher.explain('one too many'), undefined)
    })

    it('is of the request, not of the calls nested in it', async () => {
      const mesh = new FakeMesh({ workers: ['a'] })
      await mesh.call({ id: 'same', path: '/?outer' })
      await mesh.call({ id: 'same', depth: 1, worker: 'a' })
      assert.equal(mesh.dispatcher.explain('same')?.source, 'view')
      await mesh.call({ id: 'same', worker: 'a' })
      assert.equal(mesh.dispatcher.explain('same')?.source, 'pinned')
    })
  })

  it('counts what it does', async () => {
    const mesh = new FakeMesh({ workers: ['a', 'b'] })
    mesh.worker('a').answer = () => meshAnswer('Busy')
    for (let i = 0; i < 10; i++) answerOf(await mesh.call())
    await mesh.call({ service: 'nobody' })
    const { per_service, ...totals } = mesh.dispatcher.stats()
    const retried = mesh.worker('a').received.length
    assert.ok(retried > 0)
    assert.deepEqual(totals, {
      local_requests: 0,
      forwarded_requests: 10,
      cache_hits: 10,
      cache_misses: 1,
      dht_lookups: 1,
      failed_requests: 0,
      retried_requests: retried,
      hedged_requests: 0
    })
    assert.deepEqual(per_service, { ner: { requests: 10, failed: 0, retried, in_flight: 0, latency_ms: 10 } })
  })
})
