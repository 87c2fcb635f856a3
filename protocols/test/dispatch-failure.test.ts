import assert from 'node:assert/strict'
import { REPLAY_LIMIT, WITHHOLD_LIMIT } from '../src/dispatch/constants.ts'
import { MeshError, type MeshErrorCode } from '../src/errors/index.ts'
import { InvocationError } from '../src/invocation/index.ts'
import { answerOf, codeOf, FakeMesh, meshAnswer, textOf } from './support/fake-mesh.ts'
import { contract, operation } from './support/samples.ts'

const ONCE = contract({ operations: [operation({ idempotent: false, bodyLimit: 100 * 1024 * 1024 })] })
const AGAIN = contract({ operations: [operation({ bodyLimit: 100 * 1024 * 1024 })] })

async function* stream(...pieces: Array<string | Uint8Array>): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield typeof piece === 'string' ? new TextEncoder().encode(piece) : piece
}

/** The worker that gets the next request first does `what` to itself when it has it; the others answer. */
function firstOne(mesh: FakeMesh, what: (peerId: string) => void): { done: boolean } {
  const first = { done: false }
  for (const worker of mesh.workers.values()) {
    const { answer } = worker
    worker.answer = request => {
      if (!first.done) {
        first.done = true
        what(worker.peerId)
        if (worker.state !== 'up') return new Promise(() => {})
      }
      return answer(request)
    }
  }
  return first
}

describe('dispatch, when a worker fails', () => {
  it('has another answer what may be repeated, when the worker dies with the request in hand', async () => {
    const mesh = new FakeMesh()
    firstOne(mesh, peerId => mesh.worker(peerId).kill())
    const answer = answerOf(await mesh.call({ body: stream('the ', 'body') }))
    assert.equal(answer.attempts, 2)
    assert.equal(mesh.worker(answer.worker).received[0]?.body, 'the body')
    assert.deepEqual(
      mesh.dispatcher.explain(answer.requestId)?.attempts.map(({ outcome }) => outcome),
      ['WorkerLost', 'answered']
    )
  })

  it('does not repeat what must not be repeated, and says that it may have been done', async () => {
    const mesh = new FakeMesh({ contract: ONCE })
    firstOne(mesh, peerId => mesh.worker(peerId).kill())
    const called = await mesh.call()
    assert.equal(codeOf(called), 'WorkerLost')
    assert.ok(called.error instanceof MeshError)
    assert.equal(called.error.status, 502)
    assert.equal(called.error.details.retry_safe, false)
    assert.equal(called.error.details.attempts, 1)
  })

  it('says of a failure whom it asked, and how, as of an answer', async () => {
    const mesh = new FakeMesh({ workers: ['a', 'b'], contract: ONCE })
    for (const worker of mesh.workers.values()) worker.refuse('Busy')
    const { error } = await mesh.call()
    assert.ok(error instanceof MeshError)
    const { trail } = error
    assert.ok(trail != null)
    assert.equal(trail.attempts, error.details.attempts)
    assert.equal(trail.worker, mesh.dispatcher.explain(error.details.request_id ?? '')?.attempts.at(-1)?.peer_id)
    assert.deepEqual(trail.route, { path: 'direct', transport: 'tcp' })
    assert.match(trail.traceparent, /^00-[0-9a-f]{32}-/)
    const unasked = await new FakeMesh({ workers: [] }).call()
    assert.ok(unasked.error instanceof MeshError && unasked.error.trail == null)
  })

  it('repeats what the caller vouches for, whatever the operation declares', async () => {
    const mesh = new FakeMesh({ contract: ONCE })
    firstOne(mesh, peerId => mesh.worker(peerId).kill())
    assert.equal(answerOf(await mesh.call({ repeatable: true })).attempts, 2)
  })

  it('sends to another whatever could not be sent at all', async () => {
    const mesh = new FakeMesh({ workers: ['dead', 'alive'], contract: ONCE })
    mesh.worker('dead').kill()
    for (let i = 0; i < 4; i++) assert.equal(answerOf(await mesh.call({ body: stream('x') })).worker, 'alive')
    assert.equal(mesh.worker('dead').received.length, 0)
  })

  it('takes no worker out for a stream that could not be opened while there is a connection', async () => {
    const mesh = new FakeMesh({ workers: ['a', 'b'] })
    mesh.worker('a').throws = new InvocationError('connect', 'a', 'too many requests wait for a stream')
    for (let i = 0; i < 4; i++) assert.equal(answerOf(await mesh.call()).worker, 'b')
    assert.equal(mesh.dispatcher.experience('a')?.ejections, 0)
  })

  it('blames nobody for a request that can not be put into HTTP', async () => {
    const mesh = new FakeMesh()
    for (const worker of mesh.workers.values()) worker.throws = new TypeError('invalid header')
    for (let i = 0; i < 30; i++) assert.equal(codeOf(await mesh.call()), 'Malformed')
    for (const id of ['a', 'b', 'c']) assert.equal(mesh.dispatcher.experience(id)?.consecutive_failures, 0)
    assert.equal(mesh.dispatcher.stats().retried_requests, 0)
  })

  for (const code of ['Busy', 'Draining', 'NotServed', 'Loading', 'Starting'] as const) {
    it(`sends to another what a worker refused with ${code}, for nothing was done`, async () => {
      const mesh = new FakeMesh({ workers: ['refuses', 'serves'], contract: ONCE })
      mesh.worker('refuses').refuse(code)
      for (let i = 0; i < 4; i++) {
        const answer = answerOf(await mesh.call({ body: stream('the body') }))
        assert.equal(answer.worker, 'serves')
        assert.equal(mesh.worker('serves').received.at(-1)?.body, 'the body')
      }
      assert.ok(mesh.worker('refuses').received.length > 0)
    })
  }

  it('retries a failed backend only for what may be repeated', async () => {
    for (const [promised, expected] of [
      [AGAIN, undefined],
      [ONCE, 'BackendFailed']
    ] as const) {
      const mesh = new FakeMesh({ workers: ['a', 'b'], contract: promised })
      let failed = false
      for (const worker of mesh.workers.values()) {
        worker.answer = () => {
          if (failed) return { body: ['ok'] }
          failed = true
          return meshAnswer('BackendFailed')
        }
      }
      const called = await mesh.call()
      assert.equal(codeOf(called), expected)
      if (called.error instanceof MeshError) assert.equal(called.error.details.retry_safe, false)
    }
  })

  it('blames the service, not the worker, for an answer that breaks off while the worker is there', async () => {
    const mesh = new FakeMesh({ workers: ['a', 'b'] })
    const other = contract({ name: 'other' })
    for (const worker of mesh.workers.values()) {
      mesh.join(worker.peerId, [], mesh.contract, other)
      worker.answer = ({ path }) =>
        path.startsWith('/service/other') ? { body: ['ok'] } : { body: ['half'], breaksOff: true }
    }
    for (let i = 0; i < 8; i++) {
      const called = await mesh.call()
      assert.equal(codeOf(called), 'BackendFailed')
    }
    for (const id of ['a', 'b']) {
      const experience = mesh.dispatcher.experience(id)
      assert.equal(experience?.ejections, 0)
      assert.equal(experience?.consecutive_failures, 0)
      assert.ok((experience?.per_service[mesh.contract.name]?.ejected_for_ms ?? 0) > 0)
    }
    const answered = new Set<string>()
    for (let i = 0; i < 8; i++) answered.add(answerOf(await mesh.call({ service: 'other' })).worker)
    assert.deepEqual([...answered].sort(), ['a', 'b'])
  })

  it("passes a service's own errors through as they are", async () => {
    const mesh = new FakeMesh()
    for (const worker of mesh.workers.values()) {
      worker.answer = () => ({
        status: 503,
        headers: { 'content-type': 'application/problem+json' },
        body: ['{"code":"Mine"}']
      })
    }
    const answer = answerOf(await mesh.call())
    assert.equal(answer.status, 503)
    assert.equal(answer.attempts, 1)
    assert.equal(await textOf(answer.body), '{"code":"Mine"}')
  })

  for (const code of ['Forbidden', 'BodyTooLarge', 'Deadline', 'UnknownOperation'] as const) {
    it(`hands on a worker's ${code}: another would say the same`, async () => {
      const mesh = new FakeMesh()
      for (const worker of mesh.workers.values()) worker.refuse(code)
      const called = await mesh.call()
      assert.equal(codeOf(called), code)
      assert.ok(called.error instanceof MeshError && called.error.details.attempts === 1)
      assert.equal(called.error.message, 'a worker says so')
    })
  }

  it('never asks one worker twice while there are others, and gives up after a few', async () => {
    const mesh = new FakeMesh({ workers: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] })
    for (const worker of mesh.workers.values()) worker.answer = () => meshAnswer('BackendFailed')
    const called = await mesh.call({ id: 'all' })
    assert.equal(codeOf(called), 'BackendFailed')
    const tried = mesh.dispatcher.explain('all')?.attempts.map(({ peer_id }) => peer_id) ?? []
    assert.equal(tried.length, 5)
    assert.equal(new Set(tried).size, 5)
  })

  describe('the only worker', () => {
    it('is asked again after a short while', async () => {
      const mesh = new FakeMesh({ workers: ['a'], contract: ONCE })
      mesh.worker('a').latency = 0
      mesh.worker('a').answer = ({ body }) => (mesh.clock.now() - began < 50 ? meshAnswer('Busy') : { body: [body] })
      const began = mesh.clock.now()
      const called = await mesh.call({ body: stream('x') })
      assert.equal(answerOf(called).attempts, 2)
      assert.ok(called.ms >= 50 && called.ms <= 100, `${called.ms} ms`)
    })

    it('is believed within a second', async () => {
      const mesh = new FakeMesh({ workers: ['a'] })
      mesh.worker('a').refuse('Loading', { retry_after: 7 })
      const called = await mesh.call()
      assert.equal(codeOf(called), 'Loading')
      assert.ok(called.error instanceof MeshError && called.error.details.retry_after === 7)
      assert.ok(called.ms < 1000)
      assert.equal(mesh.worker('a').received.length, 3)
    })

    it('is asked again when a connection to it broke', async () => {
      const mesh = new FakeMesh({ workers: ['a'] })
      const worker = mesh.worker('a')
      let lost = false
      worker.answer = () => {
        if (lost) return { body: ['ok'] }
        lost = true
        worker.kill()
        worker.state = 'up'
        return new Promise(() => {})
      }
      assert.equal(answerOf(await mesh.call()).attempts, 2)
    })

    it('is not asked again by a caller whose time is up before', async () => {
      const mesh = new FakeMesh({ workers: ['a'] })
      mesh.worker('a').refuse('Busy')
      const called = await mesh.call({ timeout: 40 })
      assert.equal(codeOf(called), 'Busy')
      assert.ok(called.ms < 40)
    })

    it('is asked even when it was ejected', async () => {
      const mesh = new FakeMesh({ workers: ['a'] })
      mesh.worker('a').kill()
      assert.equal(codeOf(await mesh.call()), 'Unreachable')
      assert.ok((mesh.dispatcher.experience('a')?.ejected_for_ms ?? 0) > 0)
      mesh.worker('a').state = 'up'
      assert.equal(answerOf(await mesh.call()).status, 200)
      assert.equal(mesh.dispatcher.experience('a')?.ejected_for_ms, 0)
    })
  })

  describe('truth about several refusals', () => {
    const table: Array<{ codes: MeshErrorCode[]; told: MeshErrorCode; status: number }> = [
      { codes: ['Busy', 'Busy'], told: 'Busy', status: 429 },
      { codes: ['Busy', 'Loading'], told: 'Busy', status: 429 },
      { codes: ['Loading', 'NotServed'], told: 'Loading', status: 503 },
      { codes: ['Starting', 'Starting'], told: 'Loading', status: 503 },
      { codes: ['Draining', 'NotServed'], told: 'NoWorker', status: 503 },
      { codes: ['BackendFailed', 'Busy'], told: 'Busy', status: 429 },
      { codes: ['BackendFailed', 'Draining'], told: 'BackendFailed', status: 502 }
    ]
    for (const { codes, told, status } of table) {
      it(`of ${codes.join(' and ')} is ${told}`, async () => {
        const mesh = new FakeMesh({ workers: ['a', 'b'] })
        for (const [i, worker] of [...mesh.workers.values()].entries()) worker.refuse(codes[i] ?? 'Busy')
        const called = await mesh.call()
        assert.equal(codeOf(called), told)
        assert.ok(called.error instanceof MeshError)
        assert.equal(called.error.status, status)
        assert.equal(called.error.details.retry_safe, true)
        if (status !== 502) assert.ok((called.error.details.retry_after ?? 0) >= 1)
      })
    }
  })

  describe('request bodies', () => {
    const piece = new Uint8Array(256 * 1024).fill(120)

    it('are sent again up to a megabyte', async () => {
      const mesh = new FakeMesh({ workers: ['a', 'b'], contract: AGAIN })
      firstOne(mesh, peerId => mesh.worker(peerId).kill())
      const answer = answerOf(await mesh.call({ body: stream(piece, piece, piece, piece) }))
      assert.equal(answer.attempts, 2)
      assert.equal(mesh.worker(answer.worker).received[0]?.body.length, REPLAY_LIMIT)
    })

    it('are not beyond that, but the caller may', async () => {
      const mesh = new FakeMesh({ workers: ['a', 'b'], contract: AGAIN })
      firstOne(mesh, peerId => mesh.worker(peerId).kill())
      const called = await mesh.call({ body: stream(piece, piece, piece, piece, 'x') })
      assert.equal(codeOf(called), 'WorkerLost')
      assert.ok(called.error instanceof MeshError && called.error.details.retry_safe === true)
    })

    it('are cut at the limit of the operation', async () => {
      const small = contract({ operations: [operation({ bodyLimit: 10 })] })
      const mesh = new FakeMesh({ contract: small })
      let state = 'open'
      const body = async function* (): AsyncGenerator<Uint8Array> {
        try {
          yield* stream('12345', '67890', 'x')
          state = 'read on'
        } finally {
          state = 'closed'
        }
      }
      const called = await mesh.call({ body: body() })
      assert.equal(codeOf(called), 'BodyTooLarge')
      for (const { received } of mesh.workers.values()) assert.equal(received.length, 0)
      await mesh.clock.advance(1000)
      assert.equal(state, 'open', 'it is for the caller to close it')
      assert.equal(mesh.dispatcher.stats().failed_requests, 0)
    })

    it('that break off are the caller leaving, not a shorter body', async () => {
      const mesh = new FakeMesh({ workers: ['a', 'b'] })
      const body = async function* (): AsyncGenerator<Uint8Array> {
        yield* stream('half')
        throw new Error('socket hang up')
      }
      assert.equal(codeOf(await mesh.call({ body: body() })), 'ClientGone')
      assert.equal(mesh.worker('a').received.length + mesh.worker('b').received.length, 0)
    })
  })

  describe('answers to what may be repeated', () => {
    const large = 'y'.repeat(WITHHOLD_LIMIT)

    it('are withheld while small: another worker makes up for one that breaks off', async () => {
      const mesh = new FakeMesh()
      firstOne(mesh, peerId => {
        mesh.worker(peerId).answer = () => ({ body: [] })
      })
      let broken = false
      for (const worker of mesh.workers.values()) {
        worker.answer = () => {
          if (broken) return { body: ['whole'] }
          broken = true
          mesh.clock.setTimeout(() => worker.kill(), 5)
          return { body: ['half', 10, 'half'] }
        }
      }
      const answer = answerOf(await mesh.call())
      assert.equal(answer.attempts, 2)
      assert.equal(await textOf(answer.body), 'whole')
    })

    it('flow once they are larger, and break visibly', async () => {
      const mesh = new FakeMesh({ workers: ['a', 'b'] })
      for (const worker of mesh.workers.values()) worker.answer = () => ({ body: [large, 'z', 1000, 'end'] })
      const answer = answerOf(await mesh.call())
      assert.equal(answer.complete, undefined)
      const body = answer.body[Symbol.asyncIterator]()
      assert.equal((await body.next()).value?.byteLength, WITHHOLD_LIMIT)
      await body.next()
      const next = assert.rejects(
        body.next(),
        (err: unknown) => err instanceof MeshError && err.code === 'WorkerLost' && err.details.retry_safe === true
      )
      mesh.worker(answer.worker).kill()
      await next
    })

    it('arrive whole, whichever size they have', async () => {
      for (const pieces of [[], ['small'], [large], [large, 'z'], [large, large, large]]) {
        const mesh = new FakeMesh()
        for (const worker of mesh.workers.values()) worker.answer = () => ({ body: pieces })
        const answer = answerOf(await mesh.call())
        assert.equal(answer.complete != null, pieces.join('').length <= WITHHOLD_LIMIT)
        assert.equal(await textOf(answer.body), pieces.join(''))
        assert.equal(mesh.dispatcher.experience(answer.worker)?.in_flight, 0)
      }
    })

    it('flow at once when they are streams of events', async () => {
      const mesh = new FakeMesh({ workers: ['a'] })
      mesh.worker('a').answer = () => ({
        headers: { 'content-type': 'text/event-stream; charset=utf-8' },
        body: ['data: 1\n\n', 60_000]
      })
      const called = await mesh.call()
      assert.equal(called.ms, 10)
      assert.equal((await answerOf(called).body[Symbol.asyncIterator]().next()).done, false)
    })

    it('flow at once when they are known to be large', async () => {
      const mesh = new FakeMesh({ workers: ['a'] })
      mesh.worker('a').answer = () => ({ headers: { 'content-length': '1000000' }, body: ['a', 60_000] })
      assert.equal((await mesh.call()).ms, 10)
    })
  })

  it('spends no more on retries than recent requests have earned', async () => {
    const mesh = new FakeMesh({ workers: ['a', 'b', 'c', 'd', 'e'] })
    for (const worker of mesh.workers.values()) {
      worker.latency = 0
      worker.answer = () => meshAnswer('BackendFailed')
    }
    for (let i = 0; i < 500; i++) await mesh.call()
    const { retried_requests } = mesh.dispatcher.stats()
    // A reserve of a hundred, and a fifth of the five hundred.
    assert.ok(retried_requests > 150 && retried_requests <= 200, `${retried_requests} retries`)
  })

  it('loses no request when a worker is killed under load', async () => {
    const mesh = new FakeMesh()
    const called: Array<Promise<unknown>> = []
    for (let i = 0; i < 500; i++) {
      if (i === 200) mesh.worker('b').kill()
      called.push(mesh.dispatch({ body: stream(`request ${i}`) }))
      await mesh.clock.advance(20)
      if (i % 50 === 0) mesh.reportAll()
    }
    await mesh.clock.advance(1000)
    const results = await Promise.allSettled(called)
    assert.deepEqual(
      results.filter(({ status }) => status === 'rejected'),
      []
    )
    assert.equal(mesh.dispatcher.stats().failed_requests, 0)
    assert.ok(mesh.dispatcher.stats().retried_requests < 15)
  })
})
