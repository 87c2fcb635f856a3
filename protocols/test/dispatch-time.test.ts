import assert from 'node:assert/strict'
import { MeshError } from '../src/errors/index.ts'
import { answerOf, codeOf, FakeMesh, textOf } from './support/fake-mesh.ts'
import { advert, contract, operation } from './support/samples.ts'

const SECOND = 1000
const ONCE = contract({ operations: [operation({ idempotent: false })] })

describe('dispatch and time', () => {
  it("ends a request when the caller's time is up", async () => {
    const mesh = new FakeMesh()
    for (const worker of mesh.workers.values()) worker.latency = 10 * SECOND
    const called = await mesh.call({ timeout: 700 })
    assert.equal(codeOf(called), 'Deadline')
    assert.equal(called.ms, 700)
    assert.equal(
      [...mesh.workers.values()].reduce((sum, { cancelled }) => sum + cancelled, 0),
      1
    )
  })

  it("ends an answer that is being read when the caller's time is up", async () => {
    const mesh = new FakeMesh({ workers: ['a'], contract: ONCE })
    mesh.worker('a').answer = () => ({ body: ['one', 10 * SECOND, 'two'] })
    const answer = answerOf(await mesh.call({ timeout: 700 }))
    const body = answer.body[Symbol.asyncIterator]()
    await body.next()
    const next = assert.rejects(body.next(), { code: 'Deadline' })
    await mesh.clock.advance(700)
    await next
    assert.equal(mesh.worker('a').cancelled, 1)
  })

  it('passes on what is left of the time, at each attempt', async () => {
    const mesh = new FakeMesh({ workers: ['a', 'b'] })
    for (const worker of mesh.workers.values()) {
      worker.latency = 100
      worker.answer = () => {
        if (mesh.worker('a').received.length + mesh.worker('b').received.length > 1) return { body: ['ok'] }
        worker.kill()
        return {}
      }
    }
    answerOf(await mesh.call({ timeout: SECOND }))
    const times = ['a', 'b'].flatMap(id => mesh.worker(id).received.map(({ headers }) => headers['hedgerow-timeout']))
    assert.deepEqual(times.toSorted(), ['0.900', '1.000'])
  })

  it('gives an operation its time to the first byte, then does not try elsewhere', async () => {
    const mesh = new FakeMesh({ contract: contract({ operations: [operation({ firstByteTimeout: 3 * SECOND })] }) })
    for (const worker of mesh.workers.values()) worker.latency = 60 * SECOND
    const called = await mesh.call()
    assert.equal(codeOf(called), 'FirstByteTimeout')
    assert.equal(called.ms, 3 * SECOND)
  })

  it('gives an answer its time between two pieces', async () => {
    const mesh = new FakeMesh({
      workers: ['a'],
      contract: contract({ operations: [operation({ idempotent: false, chunkTimeout: 2 * SECOND })] })
    })
    mesh.worker('a').answer = () => ({ body: ['one', 1900, 'two', 1900, 'three', 60 * SECOND] })
    const answer = answerOf(await mesh.call())
    const reading = assert.rejects(textOf(answer.body), { code: 'ChunkTimeout' })
    await mesh.clock.advance(10 * SECOND)
    await reading
  })

  it('does not count the time that a slow reader takes', async () => {
    const mesh = new FakeMesh({
      workers: ['a'],
      contract: contract({ operations: [operation({ idempotent: false, chunkTimeout: SECOND })] })
    })
    mesh.worker('a').answer = () => ({ body: ['one', 'two', 'three'] })
    const answer = answerOf(await mesh.call())
    let text = ''
    for await (const chunk of answer.body) {
      text += new TextDecoder().decode(chunk)
      await mesh.clock.advance(30 * SECOND)
    }
    assert.equal(text, 'onetwothree')
  })

  it('does not count the time that a slow uploader takes', async () => {
    const mesh = new FakeMesh({
      workers: ['a'],
      contract: contract({ operations: [operation({ firstByteTimeout: SECOND })] })
    })
    const body = async function* (): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 3; i++) {
        await mesh.clock.sleep(30 * SECOND)
        yield new TextEncoder().encode('x')
      }
    }
    const called = await mesh.call({ body: body() })
    assert.equal(answerOf(called).status, 200)
    // Nor is it taken for the worker's latency.
    assert.equal(mesh.dispatcher.experience('a')?.per_service.ner?.latency_ms, 10)
  })

  describe('heartbeat', () => {
    it('has a stopped worker found out, and its request answered by another, within five seconds', async () => {
      const mesh = new FakeMesh()
      for (let i = 0; i < 9; i++) answerOf(await mesh.call())
      const stopped = mesh.worker('b')
      stopped.state = 'stopped'
      const calls = Array.from({ length: 9 }, () => mesh.dispatch())
      await mesh.clock.advance(5 * SECOND)
      const answers = await Promise.all(calls)
      assert.ok(answers.every(({ worker }) => worker !== 'b'))
      assert.ok(answers.some(({ attempts }) => attempts === 2))
      const experience = mesh.dispatcher.experience('b')
      assert.ok((experience?.ejected_for_ms ?? 0) > 0)
      assert.equal(experience?.in_flight, 0)
    })

    it('sends what may be repeated to another as soon as its worker is in doubt, and nothing more to that one', async () => {
      const mesh = new FakeMesh()
      for (let i = 0; i < 9; i++) answerOf(await mesh.call())
      const stopped = mesh.worker('b')
      stopped.state = 'stopped'
      const calls = Array.from({ length: 9 }, () => mesh.call())
      await mesh.clock.advance(2 * SECOND)
      const answers = (await Promise.all(calls)).map(answerOf)
      assert.ok(answers.some(({ attempts }) => attempts === 2))
      assert.equal(mesh.dispatcher.experience('b')?.ejections, 0, 'it may yet answer')
      const { length } = stopped.received
      for (let i = 0; i < 9; i++) assert.equal(answerOf(await mesh.call()).attempts, 1)
      assert.equal(stopped.received.length, length)
    })

    it('sends what must not be repeated to nobody else for a doubt', async () => {
      const mesh = new FakeMesh({ contract: contract({ operations: [operation({ idempotent: false })] }) })
      for (const worker of mesh.workers.values()) worker.state = 'stopped'
      const call = mesh.call()
      await mesh.clock.advance(3 * SECOND)
      assert.equal([...mesh.workers.values()].flatMap(({ received }) => received).length, 1)
      await mesh.clock.advance(3 * SECOND)
      assert.equal(codeOf(await call), 'WorkerWedged')
    })

    it('keeps a stopped worker out of routing for as long as it is stopped, and has it back soon after', async () => {
      const mesh = new FakeMesh({ workers: ['a', 'b'] })
      const stopped = mesh.worker('b')
      stopped.state = 'stopped'
      const calls: Array<Promise<unknown>> = []
      const tick = async (): Promise<void> => {
        mesh.reportAll()
        calls.push(mesh.dispatch())
        await mesh.clock.advance(500)
      }
      for (let i = 0; i < 20; i++) await tick()
      const before = stopped.received.length
      const pings = stopped.pings.length
      for (let i = 0; i < 200; i++) await tick()
      assert.equal(stopped.received.length, before, 'it gets no request')
      assert.ok(stopped.pings.length - pings <= 101, 'and a ping a second')
      stopped.state = 'up'
      for (let i = 0; i < 8 && stopped.received.length === before; i++) await tick()
      assert.ok(stopped.received.length > before)
      await mesh.clock.advance(10 * SECOND)
      assert.ok((await Promise.allSettled(calls)).every(({ status }) => status === 'fulfilled'))
    })

    it('fails nothing when one worker stops soon after another has come back', async () => {
      for (const pause of [500, 2000, 5000]) {
        const mesh = new FakeMesh({ workers: ['a', 'b'], contract: contract({ concurrency: 1000 }) })
        for (const worker of mesh.workers.values()) worker.concurrency = 1000
        const calls: Array<Promise<unknown>> = []
        const load = async (milliseconds: number): Promise<void> => {
          for (let i = 0; i < milliseconds; i += 100) {
            if (i % 1000 === 0) mesh.reportAll()
            calls.push(mesh.dispatch())
            await mesh.clock.advance(100)
          }
        }
        const [a, b] = [mesh.worker('a'), mesh.worker('b')]
        await load(3000)
        a.state = 'stopped'
        await load(10_000)
        a.state = 'up'
        await load(pause)
        b.state = 'stopped'
        await load(8000)
        b.state = 'up'
        await mesh.clock.advance(10 * SECOND)
        const lost = (await Promise.allSettled(calls)).filter(({ status }) => status === 'rejected')
        assert.deepEqual(lost, [], `${pause} ms later`)
      }
    })

    it('sends a request on to the worker that has come back, while its trial is still under way', async () => {
      const mesh = new FakeMesh({ workers: ['a', 'b'] })
      const [a, b] = [mesh.worker('a'), mesh.worker('b')]
      a.state = 'stopped'
      const calls = [mesh.dispatch(), mesh.dispatch(), mesh.dispatch()]
      await mesh.clock.advance(6 * SECOND)
      a.state = 'up'
      b.state = 'stopped'
      // Long enough for the trial to be undecided when the others need a worker.
      a.concurrency = 1000
      a.latency = 8 * SECOND
      for (let i = 0; i < 20; i++) {
        calls.push(mesh.dispatch())
        await mesh.clock.advance(500)
      }
      await mesh.clock.advance(60 * SECOND)
      assert.deepEqual(
        (await Promise.allSettled(calls)).filter(({ status }) => status === 'rejected'),
        []
      )
    })

    it('refuses at once what only a wedged worker could answer, and asks that one whether it is back', async () => {
      const mesh = new FakeMesh({ workers: ['a'] })
      answerOf(await mesh.call())
      const only = mesh.worker('a')
      only.state = 'stopped'
      const first = mesh.dispatch().then(
        () => 'answered',
        error => error.code
      )
      await mesh.clock.advance(5 * SECOND)
      assert.equal(await first, 'WorkerWedged')
      for (let i = 0; i < 5; i++) {
        const refused = await mesh.call()
        assert.equal(codeOf(refused), 'NoWorker')
        assert.ok(refused.ms < 100)
        await mesh.clock.advance(SECOND)
      }
      const pings = only.pings.length
      only.state = 'up'
      await mesh.clock.advance(3 * SECOND)
      assert.ok(only.pings.length > pings, 'nobody had to ask')
      assert.equal(answerOf(await mesh.call()).status, 200)
      assert.equal(mesh.dispatcher.experience('a')?.ejected_for_ms, 0)
      const settled = only.pings.length
      await mesh.clock.advance(60 * SECOND)
      assert.ok(only.pings.length - settled < 3, 'it is not asked for ever')
    })

    it('has a restarted worker back as soon as it says that it is there', async () => {
      const mesh = new FakeMesh({ workers: ['a', 'b'] })
      mesh.worker('b').kill()
      for (let i = 0; i < 4; i++) answerOf(await mesh.call())
      assert.ok((mesh.dispatcher.experience('b')?.ejected_for_ms ?? 0) > 4000)
      mesh.worker('b').state = 'up'
      mesh.join('b')
      const began = mesh.clock.now()
      while (mesh.worker('b').received.length === 0 && mesh.clock.now() - began < 3000) {
        answerOf(await mesh.call())
        await mesh.clock.advance(100)
      }
      assert.ok(mesh.worker('b').received.length > 0)
    })

    it('leaves a slow worker alone that answers its pings', async () => {
      const mesh = new FakeMesh({ contract: contract({ operations: [operation({ firstByteTimeout: 300 * SECOND })] }) })
      for (const worker of mesh.workers.values()) worker.latency = 90 * SECOND
      const called = await mesh.call()
      assert.equal(answerOf(called).attempts, 1)
      assert.equal(called.ms, 90 * SECOND)
      const { pings } = mesh.worker(answerOf(called).worker)
      assert.ok(pings.length >= 88 && pings.length <= 92, `${pings.length} pings`)
      assert.equal(mesh.dispatcher.experience(answerOf(called).worker)?.ejections, 0)
    })

    it('is one for a peer, whatever it has in hand, and stops when that is nothing', async () => {
      const mesh = new FakeMesh({ workers: ['a'], contract: contract({ concurrency: 100 }) })
      const worker = mesh.worker('a')
      worker.concurrency = 100
      worker.latency = 5 * SECOND
      const calls = Array.from({ length: 50 }, () => mesh.dispatch())
      await mesh.clock.advance(4500)
      // One to measure the way, then one a second from the second on.
      assert.equal(worker.pings.length, 1 + 4)
      await mesh.clock.advance(1000)
      await Promise.all(calls)
      const { length } = worker.pings
      await mesh.clock.advance(30 * SECOND)
      assert.equal(worker.pings.length, length)
    })

    it('does not ping for requests that are answered soon', async () => {
      const mesh = new FakeMesh({ workers: ['a'] })
      mesh.worker('a').latency = 100
      for (let i = 0; i < 150; i++) answerOf(await mesh.call())
      assert.equal(mesh.worker('a').pings.length, 2, 'only to measure the way, every ten seconds')
    })

    it('gives a worker four seconds, though pings under way make others fail at once', async () => {
      const mesh = new FakeMesh({ workers: ['a'] })
      const worker = mesh.worker('a')
      worker.latency = 20 * SECOND
      worker.roundTrip = 1900
      assert.equal(answerOf(await mesh.call()).attempts, 1)
      assert.equal(mesh.dispatcher.experience('a')?.ejections, 0)
      worker.state = 'stopped'
      const called = await mesh.call()
      assert.equal(codeOf(called), 'WorkerWedged')
      assert.ok(called.ms >= 4000 && called.ms <= 5000, `${called.ms} ms`)
    })

    it('takes bytes that arrive for an answer: a link full of them delays pings', async () => {
      const mesh = new FakeMesh({ workers: ['a'], contract: ONCE })
      const worker = mesh.worker('a')
      worker.roundTrip = 10 * SECOND
      worker.answer = () => ({ body: Array.from({ length: 20 }, () => [900, 'x']).flat() })
      const answer = answerOf(await mesh.call())
      const text = textOf(answer.body)
      await mesh.clock.advance(20 * SECOND)
      assert.equal((await text).length, 20)
    })

    it('takes an upload that moves for an answer', async () => {
      const mesh = new FakeMesh({
        workers: ['a'],
        contract: contract({ operations: [operation({ bodyLimit: 2 ** 30 })] })
      })
      mesh.worker('a').roundTrip = 10 * SECOND
      const body = async function* (): AsyncGenerator<Uint8Array> {
        for (let i = 0; i < 20; i++) {
          await mesh.clock.sleep(900)
          yield new Uint8Array(64 * 1024)
        }
      }
      assert.equal(answerOf(await mesh.call({ body: body() })).attempts, 1)
    })

    it('is not fooled by a trickle of bytes that goes nowhere', async () => {
      const mesh = new FakeMesh({ workers: ['a', 'b'], contract: ONCE })
      for (const worker of mesh.workers.values()) worker.state = 'stopped'
      const body = async function* (): AsyncGenerator<Uint8Array> {
        for (;;) {
          await mesh.clock.sleep(900)
          yield new Uint8Array(1)
        }
      }
      const called = await mesh.call({ body: body() })
      assert.equal(codeOf(called), 'WorkerWedged')
      assert.ok(called.ms <= 5000)
    })

    it('breaks an answer that is being read when its worker is stopped', async () => {
      const mesh = new FakeMesh({
        workers: ['a'],
        contract: contract({ operations: [operation({ idempotent: false, chunkTimeout: 60 * SECOND })] })
      })
      mesh.worker('a').answer = () => ({ body: ['one', 1, 'two'] })
      const answer = answerOf(await mesh.call())
      const body = answer.body[Symbol.asyncIterator]()
      await body.next()
      mesh.worker('a').state = 'stopped'
      const next = assert.rejects(
        body.next(),
        (err: unknown) => err instanceof MeshError && err.code === 'WorkerWedged' && err.details.retry_safe === false
      )
      await mesh.clock.advance(5 * SECOND)
      await next
    })

    it('finds out a stopped worker also when callers never wait for long', async () => {
      const mesh = new FakeMesh({ workers: ['a', 'b'] })
      mesh.worker('b').state = 'stopped'
      for (let i = 0; i < 80; i++) {
        await mesh.call({ timeout: 200 })
        mesh.reportAll()
        await mesh.clock.advance(100)
      }
      assert.ok((mesh.dispatcher.experience('b')?.ejections ?? 0) > 0)
    })

    it('finds out a stopped worker that would not have been asked, within ten seconds', async () => {
      const mesh = new FakeMesh({ workers: ['fast', 'slow'] })
      mesh.worker('slow').latency = 500
      for (let i = 0; i < 20; i++) answerOf(await mesh.call())
      const stopped = mesh.worker('slow')
      stopped.state = 'stopped'
      const received = stopped.received.length
      const began = mesh.clock.now()
      while (mesh.dispatcher.experience('slow')?.ejected_for_ms === 0) {
        assert.ok(mesh.clock.now() - began < 10 * SECOND)
        answerOf(await mesh.call())
        await mesh.clock.advance(200)
        mesh.reportAll()
      }
      assert.equal(stopped.received.length, received)
    })

    it('does not dial a worker only to see whether it is there', async () => {
      const mesh = new FakeMesh({ workers: ['a', 'b'] })
      mesh.worker('b').kill()
      for (let i = 0; i < 100; i++) {
        answerOf(await mesh.call())
        await mesh.clock.advance(40)
      }
      assert.equal(mesh.worker('b').pings.length, 1, 'the one for the first request, which found it dead')
    })

    it('avoids a worker that missed one ping while there are others', async () => {
      const mesh = new FakeMesh({ workers: ['a', 'b'], contract: contract({ concurrency: 1000 }) })
      for (const worker of mesh.workers.values()) worker.concurrency = 1000
      const stopped = mesh.worker('b')
      stopped.state = 'stopped'
      const calls = [mesh.dispatch(), mesh.dispatch(), mesh.dispatch(), mesh.dispatch()]
      await mesh.clock.advance(3100)
      const before = stopped.received.length
      assert.ok(before > 0)
      for (let i = 0; i < 20; i++) calls.push(mesh.dispatch({ id: `later-${i}` }))
      assert.equal(stopped.received.length, before)
      const rejected = mesh.dispatcher.explain('later-0')?.candidates.find(({ peer_id }) => peer_id === 'b')?.rejected
      assert.equal(rejected, 'missed a ping')
      await mesh.clock.advance(5 * SECOND)
      await Promise.all(calls)
    })
  })

  describe('hedging', () => {
    async function warm(mesh: FakeMesh): Promise<void> {
      for (let i = 0; i < 120; i++) answerOf(await mesh.call())
    }

    it('asks a second worker when the first answers pings, but does not offer the service any more', async () => {
      for (const [idempotent, expected] of [
        [true, 'answered'],
        [false, 'FirstByteTimeout']
      ] as const) {
        const mesh = new FakeMesh({
          workers: ['a', 'b'],
          contract: contract({ operations: [operation({ idempotent })] })
        })
        let hung: string | undefined
        for (const worker of mesh.workers.values()) {
          worker.answer = () => {
            hung ??= worker.peerId
            return hung === worker.peerId ? new Promise(() => {}) : { body: ['ok'] }
          }
        }
        const call = mesh.call({ id: 'hung' })
        await mesh.clock.advance(10 * SECOND)
        assert.equal(mesh.dispatcher.explain('hung')?.attempts.length, 1, 'it may be at work')
        mesh.view.learnAdvert(advert({ peerId: hung, sequence: 1_000_000n, services: [] }))
        const called = await call
        if (idempotent) assert.ok(called.ms <= 12 * SECOND, `${called.ms} ms`)
        assert.equal(mesh.dispatcher.explain('hung')?.outcome, expected)
        assert.equal(mesh.worker(hung ?? '').cancelled, 1)
        assert.equal(mesh.dispatcher.experience(hung ?? '')?.ejections, 0)
      }
    })

    it('asks a second worker when the first takes longer than nearly all did, and takes the first answer', async () => {
      const mesh = new FakeMesh()
      await warm(mesh)
      let slow: string | undefined
      for (const worker of mesh.workers.values()) {
        worker.answer = async () => {
          slow ??= worker.peerId
          if (slow === worker.peerId) await mesh.clock.sleep(5 * SECOND)
          return { body: [worker.peerId] }
        }
      }
      const called = await mesh.call()
      assert.equal(called.ms, 60, 'fifty to be sure, ten to answer')
      const { attempts, requestId, worker } = answerOf(called)
      assert.equal(attempts, 2)
      assert.notEqual(worker, slow)
      assert.equal(mesh.dispatcher.stats().hedged_requests, 1)
      const explained = mesh.dispatcher.explain(requestId)?.attempts.map(({ outcome, reason }) => [outcome, reason])
      assert.deepEqual(explained, [
        ['abandoned', 'picked'],
        ['answered', 'hedge']
      ])
      assert.equal(mesh.worker(slow ?? '').cancelled, 1)
      assert.equal(mesh.dispatcher.experience(slow ?? '')?.consecutive_failures, 0)
    })

    it('waits for the first when the second fails', async () => {
      const mesh = new FakeMesh()
      await warm(mesh)
      let slow: string | undefined
      for (const worker of mesh.workers.values()) {
        worker.answer = async () => {
          slow ??= worker.peerId
          if (slow === worker.peerId) await mesh.clock.sleep(500)
          else worker.kill()
          return { body: [worker.peerId] }
        }
      }
      const called = await mesh.call()
      assert.equal(answerOf(called).worker, slow)
      assert.equal(called.ms, 510)
    })

    it('does neither for what must not be repeated nor before enough is known', async () => {
      for (const [promised, requests] of [
        [ONCE, 120],
        [contract(), 90]
      ] as const) {
        const mesh = new FakeMesh({ contract: promised })
        for (let i = 0; i < requests; i++) await textOf(answerOf(await mesh.call()).body)
        for (const worker of mesh.workers.values()) worker.latency = 300
        assert.equal(answerOf(await mesh.call()).attempts, 1)
      }
    })

    it('bothers nobody who is busy', async () => {
      const mesh = new FakeMesh({ workers: ['a', 'b'] })
      await warm(mesh)
      for (const worker of mesh.workers.values()) worker.latency = 300
      for (const id of ['a', 'b']) mesh.report(id, { inFlight: 4, queued: 3 })
      assert.equal(answerOf(await mesh.call()).attempts, 1)
    })
  })
})
