import assert from 'node:assert/strict'
import { isMeshErrorCode, MeshError, type MeshErrorCode } from '@hedgerow/protocols/errors'
import { type AdmissionInit, createAdmission, type Permit } from '../src/admission/index.ts'
import { FakeClock } from './support/clock.ts'

const signal = new AbortController().signal

function setUp(init: Partial<AdmissionInit> = {}) {
  const clock = new FakeClock()
  return { clock, admission: createAdmission({ service: 'ner', concurrency: 2, queue: 2, clock, ...init }) }
}

function code(expected: MeshErrorCode): (err: unknown) => boolean {
  return err => err instanceof MeshError && isMeshErrorCode(err.code) && err.code === expected
}

/** A permit that is there at once. */
function now(permit: Permit | Promise<Permit>): Permit {
  assert.ok(!(permit instanceof Promise), 'the request had to wait')
  return permit
}

describe('admission', () => {
  it('admits without waiting a turn while there is room', () => {
    const { admission } = setUp()
    now(admission.acquire({ signal }))
    now(admission.acquire({ signal }))
    assert.deepEqual(admission.load(), { inFlight: 2, queued: 0, concurrency: 2, latency: 0, errorRate: 0 })
  })

  it('serves those that wait in the order in which they came', async () => {
    const { admission } = setUp({ concurrency: 1, queue: 3 })
    const first = now(admission.acquire({ signal }))
    const order: number[] = []
    const waiting = [1, 2, 3].map(async n => {
      const permit = await admission.acquire({ signal })
      order.push(n)
      permit.release('done')
    })
    assert.equal(admission.load().queued, 3)
    first.release('done')
    await Promise.all(waiting)
    assert.deepEqual(order, [1, 2, 3])
    assert.equal(admission.load().inFlight, 0)
  })

  it('refuses one too many with Busy, and takes the next when a place is free', async () => {
    const { admission } = setUp()
    const running = now(admission.acquire({ signal }))
    now(admission.acquire({ signal }))
    const third = admission.acquire({ signal })
    const fourth = admission.acquire({ signal })
    assert.throws(() => admission.acquire({ signal }), code('Busy'))
    assert.equal(admission.totals().refused, 1)
    running.release('done')
    await third
    const fifth = admission.acquire({ signal })
    assert.ok(fourth instanceof Promise && fifth instanceof Promise)
    assert.equal(admission.load().queued, 2)
  })

  it('estimates Retry-After from how long requests take and how many are ahead', async () => {
    const { admission, clock } = setUp({ concurrency: 1, queue: 4 })
    const slow = now(admission.acquire({ signal }))
    clock.advance(6000)
    slow.release('done')
    now(admission.acquire({ signal }))
    for (let i = 0; i < 4; i++) admission.acquire({ signal })
    assert.throws(
      () => admission.acquire({ signal }),
      (err: unknown) => err instanceof MeshError && err.details.retry_after === 30
    )
  })

  it('drops a waiting request whose caller leaves', async () => {
    const { admission } = setUp({ concurrency: 1 })
    const running = now(admission.acquire({ signal }))
    const caller = new AbortController()
    const left = admission.acquire({ signal: caller.signal })
    const stays = admission.acquire({ signal })
    caller.abort()
    await assert.rejects(Promise.resolve(left), code('ClientGone'))
    assert.equal(admission.load().queued, 1)
    running.release('done')
    await stays
    assert.equal(admission.load().inFlight, 1)
  })

  it('drops a waiting request when its time is up', async () => {
    const { admission, clock } = setUp({ concurrency: 1 })
    now(admission.acquire({ signal }))
    const late = admission.acquire({ signal, deadline: clock.now() + 500 })
    clock.advance(499)
    assert.equal(admission.load().queued, 1)
    clock.advance(1)
    await assert.rejects(Promise.resolve(late), code('Deadline'))
    assert.equal(admission.load().queued, 0)
    assert.equal(clock.pending, 0)
  })

  it('refuses at once what is too late or has left already', () => {
    const { admission, clock } = setUp()
    clock.advance(1000)
    assert.throws(() => admission.acquire({ signal, deadline: 1000 }), code('Deadline'))
    assert.throws(() => admission.acquire({ signal: AbortSignal.abort() }), code('ClientGone'))
    assert.equal(admission.load().inFlight, 0)
  })

  it('leaves no timer and no listener behind when a request gets its turn', async () => {
    const { admission, clock } = setUp({ concurrency: 1 })
    const running = now(admission.acquire({ signal }))
    const caller = new AbortController()
    const waiting = admission.acquire({ signal: caller.signal, deadline: 10_000 })
    running.release('done')
    const permit = await waiting
    caller.abort()
    assert.equal(clock.pending, 0)
    assert.equal(admission.load().inFlight, 1)
    permit.release('cancelled')
  })

  it('drains: refuses new requests, finishes those that run and wait', async () => {
    const { admission } = setUp({ concurrency: 1 })
    const running = now(admission.acquire({ signal }))
    const waiting = admission.acquire({ signal })
    let drained = false
    const done = admission.drain().then(() => {
      drained = true
    })
    assert.throws(() => admission.acquire({ signal }), code('Draining'))
    running.release('done')
    const last = await waiting
    assert.equal(drained, false)
    last.release('done')
    await done
    await admission.drain()
  })

  it('is drained at once when nothing runs', async () => {
    await setUp().admission.drain()
  })

  it('refuses those that wait when it is abandoned', async () => {
    const { admission } = setUp({ concurrency: 1 })
    const running = now(admission.acquire({ signal }))
    const waiting = admission.acquire({ signal })
    admission.abandon()
    await assert.rejects(Promise.resolve(waiting), code('Draining'))
    running.release('cancelled')
    await admission.drain()
  })

  it('counts a permit that is released twice once', () => {
    const { admission } = setUp()
    const permit = now(admission.acquire({ signal }))
    permit.release('done')
    permit.release('failed')
    assert.deepEqual(admission.totals(), { admitted: 1, done: 1, failed: 0, cancelled: 0, refused: 0 })
    assert.equal(admission.load().inFlight, 0)
  })

  it('measures latency to the first byte, not to the end of a long answer', () => {
    const { admission, clock } = setUp()
    const permit = now(admission.acquire({ signal }))
    clock.advance(40)
    permit.firstByte()
    clock.advance(60_000)
    permit.firstByte()
    permit.release('done')
    assert.equal(admission.load().latency, 40)
  })

  it('raises the error rate with failures, lowers it with answers and lets it fade when idle', () => {
    const { admission, clock } = setUp()
    const finish = (outcome: 'done' | 'failed' | 'cancelled'): number => {
      now(admission.acquire({ signal })).release(outcome)
      return admission.load().errorRate
    }
    const one = finish('failed')
    const two = finish('failed')
    assert.ok(two > one && one > 0)
    assert.equal(finish('cancelled'), two)
    assert.ok(finish('done') < two)
    const before = admission.load().errorRate
    clock.advance(30_000)
    assert.ok(Math.abs(admission.load().errorRate - before / 2) < 1e-9)
  })

  it('says once that its numbers changed', () => {
    const { admission } = setUp()
    assert.equal(admission.changed(), false)
    const permit = now(admission.acquire({ signal }))
    assert.equal(admission.changed(), true)
    assert.equal(admission.changed(), false)
    permit.release('done')
    assert.equal(admission.changed(), true)
  })
})
