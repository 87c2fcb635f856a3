import assert from 'node:assert/strict'
import { FakeMesh } from './support/fake-mesh.ts'
import { contract } from './support/samples.ts'

interface Traffic {
  requests: number
  /** milliseconds between two */
  gap: number
  /** called before each */
  before?: (i: number) => void
}

/** Sends requests at a steady rate whether they are answered or not, and waits for all. Idle workers report. */
async function send(mesh: FakeMesh, { requests, gap, before }: Traffic): Promise<{ failed: number }> {
  const calls: Array<Promise<unknown>> = []
  let reported = 0
  for (let i = 0; i < requests; i++) {
    if (mesh.clock.now() - reported >= 1000) {
      reported = mesh.clock.now()
      for (const { peerId, state, running, concurrency } of mesh.workers.values()) {
        const inFlight = Math.min(running, concurrency)
        if (state === 'up') mesh.report(peerId, { inFlight, queued: running - inFlight, concurrency })
      }
    }
    before?.(i)
    calls.push(mesh.dispatch())
    await mesh.clock.advance(gap)
  }
  await mesh.clock.advance(10_000)
  const results = await Promise.allSettled(calls)
  return { failed: results.filter(({ status }) => status === 'rejected').length }
}

function shares(mesh: FakeMesh): Map<string, number> {
  const workers = [...mesh.workers.values()]
  const all = workers.reduce((sum, { received }) => sum + received.length, 0)
  return new Map(workers.map(({ peerId, received }) => [peerId, received.length / all]))
}

const names = (n: number): string[] => Array.from({ length: n }, (_, i) => `w${i}`)

describe('the spread of requests', () => {
  for (const seed of [1, 2, 3]) {
    describe(`with random sequence ${seed}`, () => {
      it('is even over equal workers', async () => {
        const mesh = new FakeMesh({ workers: names(8), seed })
        for (const worker of mesh.workers.values()) worker.latency = 50
        assert.deepEqual(await send(mesh, { requests: 2000, gap: 5 }), { failed: 0 })
        for (const [id, share] of shares(mesh)) assert.ok(share > 0.09 && share < 0.17, `${id}: ${share}`)
      })

      it('gives the fast more than the slow, and the slow not nothing', async () => {
        const mesh = new FakeMesh({ workers: ['fast', 'slow'], seed })
        mesh.worker('fast').latency = 20
        mesh.worker('slow').latency = 200
        assert.deepEqual(await send(mesh, { requests: 2000, gap: 5 }), { failed: 0 })
        const slow = shares(mesh).get('slow') ?? 0
        assert.ok(slow > 0.001 && slow < 0.2, `slow: ${slow}`)
      })

      it('follows concurrency when all are busy', async () => {
        const mesh = new FakeMesh({ workers: ['small', 'large'], seed })
        for (const worker of mesh.workers.values()) worker.latency = 100
        mesh.worker('small').concurrency = 2
        mesh.worker('large').concurrency = 8
        await send(mesh, { requests: 2000, gap: 11 })
        const large = shares(mesh).get('large') ?? 0
        assert.ok(large > 0.65 && large < 0.95, `large: ${large}`)
      })

      it('avoids whoever others keep busy', async () => {
        const mesh = new FakeMesh({ workers: ['a', 'b', 'c'], seed })
        const others = mesh.worker('c')
        others.running = 30
        others.latency = 80
        await send(mesh, { requests: 1000, gap: 20 })
        const share = shares(mesh).get('c') ?? 0
        assert.ok(share < 0.05, `busy with others: ${share}`)
      })

      it('brings a new worker its first request at once, however many there are', async () => {
        const mesh = new FakeMesh({ workers: names(50), seed })
        await send(mesh, { requests: 500, gap: 20 })
        for (const { peerId, received } of mesh.workers.values()) assert.ok(received.length > 0, peerId)
        const began = mesh.clock.now()
        mesh.join('new').latency = 500
        await send(mesh, { requests: 4, gap: 500 })
        assert.ok(mesh.worker('new').received.length > 0)
        assert.ok(mesh.clock.now() - began < 13_000)
      })

      it('goes on sending to a new worker whose first answers are slow', async () => {
        const mesh = new FakeMesh({ workers: ['a', 'b', 'c'], seed })
        await send(mesh, { requests: 200, gap: 20 })
        const fresh = mesh.join('fresh')
        fresh.answer = async () => {
          if (fresh.received.length <= 3) await mesh.clock.sleep(300)
          return { body: [] }
        }
        await send(mesh, { requests: 150, gap: 20 })
        assert.ok(fresh.received.length >= 15, `${fresh.received.length} in three seconds`)
      })

      it('ramps a new worker up rather than flood it', async () => {
        const mesh = new FakeMesh({ workers: ['a', 'b'], seed, contract: contract({ concurrency: 64 }) })
        for (const worker of mesh.workers.values()) {
          worker.concurrency = 64
          worker.latency = 200
        }
        await send(mesh, { requests: 200, gap: 5 })
        const fresh = mesh.join('fresh')
        fresh.concurrency = 64
        fresh.latency = 200
        let most = 0
        const answeredAt = mesh.clock.now() + 200
        await send(mesh, {
          requests: 400,
          gap: 5,
          before: () => {
            if (mesh.clock.now() < answeredAt) most = Math.max(most, fresh.running)
          }
        })
        assert.ok(most >= 1 && most <= 8, `${most} before its first answer`)
        const share = fresh.received.length / 400
        assert.ok(share > 0.2 && share < 0.45, `then its share: ${share}`)
      })

      for (const kind of ['Busy', 'BackendFailed', 'NotServed', '500', 'dead'] as const) {
        it(`spares requests a worker that fails fast: ${kind}`, async () => {
          const mesh = new FakeMesh({ workers: ['good', 'better', 'bad'], seed })
          for (const worker of mesh.workers.values()) worker.latency = 30
          const bad = mesh.worker('bad')
          bad.latency = 1
          if (kind === 'dead') bad.kill()
          else if (kind === '500') bad.answer = () => ({ status: 500 })
          else bad.refuse(kind)
          assert.deepEqual(await send(mesh, { requests: 2000, gap: 20 }), { failed: 0 })
          const share = shares(mesh).get('bad') ?? 0
          assert.ok(share < 0.02, `fails fast: ${share}`)
        })
      }

      it('leaves a worker that slows down, and comes back when it recovers', async () => {
        const mesh = new FakeMesh({ workers: ['a', 'b'], seed })
        await send(mesh, { requests: 200, gap: 20 })
        const worker = mesh.worker('a')
        const counted = async (requests: number): Promise<number> => {
          const before = worker.received.length
          await send(mesh, { requests, gap: 20 })
          return (worker.received.length - before) / requests
        }
        worker.latency = 300
        const slow = await counted(500)
        assert.ok(slow < 0.1, `while slow: ${slow}`)
        worker.latency = 10
        await counted(3000)
        const recovered = await counted(500)
        assert.ok(recovered > 0.2, `recovered: ${recovered}`)
      })
    })
  }

  it('holds for a thousand workers', async () => {
    const mesh = new FakeMesh({ workers: names(1000) })
    assert.deepEqual(await send(mesh, { requests: 1000, gap: 2 }), { failed: 0 })
    const most = Math.max(...shares(mesh).values())
    assert.ok(most < 0.01, `${most}`)
  })
})
