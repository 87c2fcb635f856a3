/** The decisions that dispatch is made of, each by itself: pure, or with time handed in. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { RetryBudget } from '../src/dispatch/budget.ts'
import { DecayingSum } from '../src/dispatch/decaying-sum.ts'
import { able, advisable, type Needs, type Rejection } from '../src/dispatch/eligible.ts'
import { Experience, type Prospect } from '../src/dispatch/experience.ts'
import { type Cause, Health } from '../src/dispatch/health.ts'
import { PeakEwma } from '../src/dispatch/latency.ts'
import { LatencyWindow } from '../src/dispatch/latency-window.ts'
import { failure } from '../src/dispatch/outcome.ts'
import { better, drawTwo } from '../src/dispatch/pick.ts'
import { preferredResource } from '../src/dispatch/plan.ts'
import { retryCost } from '../src/dispatch/retry.ts'
import { expectedLatency, type ScoreInput, scoreOf } from '../src/dispatch/score.ts'
import { continueTrace } from '../src/dispatch/trace.ts'
import { queueTime } from '../src/dispatch/verdict.ts'
import { createView } from '../src/view/index.ts'
import { seeded } from './support/fake-clock.ts'
import { advert, contract, load } from './support/samples.ts'

describe('expected latency', () => {
  const idle: ScoreInput = { latency: 100, roundTrip: 0, busy: 0, concurrency: 1, ramp: 1, penalty: 0 }
  const table: Array<[string, Partial<ScoreInput>, number]> = [
    ['of an idle worker is what it takes', {}, 100],
    ['grows with what is under way and waits', { busy: 3 }, 400],
    ['grows less where more can run at once', { busy: 3, concurrency: 4 }, 175],
    ['takes the round trip as it is', { roundTrip: 60, busy: 3 }, 40 * 4 + 60],
    ['lets load count for a worker that seems to take no time itself', { roundTrip: 200, busy: 3 }, 10 * 4 + 90],
    ['grows with a new worker that is ramped up', { ramp: 3 }, 300],
    ['grows with a penalty, however fast the worker', { latency: 1, penalty: 4 }, 1 + 4 * 10],
    ['grows with a penalty as with so many answers', { penalty: 4 }, 500]
  ]
  for (const [what, input, expected] of table) {
    it(what, () => assert.equal(expectedLatency({ ...idle, ...input }), expected))
  }

  it('never falls when anything gets worse', () => {
    const positive = fc.double({ min: 0.1, max: 10_000, noNaN: true })
    fc.assert(
      fc.property(
        fc.record({
          latency: positive,
          roundTrip: positive,
          busy: fc.nat(100),
          ramp: fc.integer({ min: 1, max: 9 }),
          penalty: positive
        }),
        fc.constantFrom('latency', 'busy', 'ramp', 'penalty'),
        (input, worse) => {
          const before = expectedLatency({ ...input, concurrency: 4 })
          const after = expectedLatency({ ...input, concurrency: 4, [worse]: input[worse] + 1 })
          assert.ok(after >= before)
        }
      )
    )
  })
})

describe('peak-sensitive average', () => {
  it('knows nothing at first', () => assert.equal(new PeakEwma().value(0, 0), undefined))

  it('does not hold against a worker that its first answers were slow', () => {
    const ewma = new PeakEwma()
    for (let i = 0; i < 3; i++) {
      ewma.observe(900, 0, i, 50)
      assert.equal(ewma.value(0, i), 50)
    }
    ewma.observe(900, 0, 3, 50)
    assert.equal(ewma.value(0, 3), 900)
    const fast = new PeakEwma()
    fast.observe(10, 0, 1, 50)
    assert.equal(fast.value(0, 1), 10)
  })

  it('jumps up at once, and falls back to the mean', () => {
    const ewma = new PeakEwma()
    for (let i = 0; i < 50; i++) ewma.observe(10, i, i, 10)
    ewma.observe(510, 50, 50, 10)
    assert.equal(ewma.value(50, 50), 510)
    const later = ewma.value(10_050, 50) ?? 0
    assert.ok(later > 110 && later < 300, `${later}`)
    const settled = ewma.value(90_000, 50) ?? 0
    assert.ok(Math.abs(settled - 110) < 1, `${settled}: a fifth of the way`)
  })

  it('stays between the least and the greatest it saw', () => {
    const samples = fc.array(fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 0, max: 5000 })), {
      minLength: 1
    })
    fc.assert(
      fc.property(samples, all => {
        const ewma = new PeakEwma()
        let now = 0
        for (const [sample, gap] of all) {
          now += gap
          ewma.observe(sample, now, 0, 1000)
        }
        const value = ewma.value(now, 0) ?? Number.NaN
        const seen = all.map(([sample]) => sample)
        assert.ok(value >= Math.min(...seen) - 1e-6 && value <= Math.max(...seen) + 1e-6)
      })
    )
  })

  it('is forgotten after ten minutes, or when others gave hundreds of answers', () => {
    const ewma = new PeakEwma()
    ewma.observe(100, 0, 0, 100)
    assert.notEqual(ewma.value(599_999, 0), undefined)
    assert.equal(ewma.value(600_000, 0), undefined)
    assert.notEqual(ewma.value(1999, 200), undefined)
    assert.notEqual(ewma.value(2000, 199), undefined)
    assert.equal(ewma.value(2000, 200), undefined)
  })
})

describe('latency window', () => {
  it('knows median and a high quantile of the last few hundred', () => {
    const window = new LatencyWindow()
    for (let i = 0; i < 1000; i++) window.add(10_000)
    for (let i = 0; i < 256; i++) window.add(i)
    assert.equal(window.count, 1256)
    assert.ok(window.median >= 100 && window.median <= 128, `${window.median}`)
    assert.ok(window.high >= 230, `${window.high}`)
  })

  it('knows something from the first sample on', () => {
    const window = new LatencyWindow()
    window.add(7)
    assert.equal(window.median, 7)
  })
})

describe('power of two choices', () => {
  it('draws two different ones, each as often as any', () => {
    const random = seeded(7)
    const drawn = new Map<string, number>()
    for (let i = 0; i < 10_000; i++) {
      const [a, b] = drawTwo(['a', 'b', 'c', 'd', 'e'], random)
      assert.notEqual(a, b)
      for (const one of [a, b]) drawn.set(`${one}`, (drawn.get(`${one}`) ?? 0) + 1)
    }
    for (const [one, times] of drawn) assert.ok(times > 3700 && times < 4300, `${one}: ${times}`)
  })

  it('draws both of two, and in either order', () => {
    const random = seeded(7)
    const orders = new Set(Array.from({ length: 50 }, () => drawTwo(['a', 'b'], random).join()))
    assert.deepEqual([...orders].toSorted(), ['a,b', 'b,a'])
  })

  it('draws what there is when that is less', () => {
    assert.deepEqual(
      drawTwo(['a'], () => 0),
      ['a']
    )
    assert.deepEqual(
      drawTwo([], () => 0),
      []
    )
  })

  it('prefers the smaller score, of equals the one that was drawn first', () => {
    assert.equal(better({ score: 1, id: 'a' }, { score: 2, id: 'b' }).id, 'a')
    assert.equal(better({ score: 2, id: 'a' }, { score: 1, id: 'b' }).id, 'b')
    assert.equal(better({ score: 1, id: 'a' }, { score: 1, id: 'b' }).id, 'a')
  })
})

describe('health', () => {
  it('takes out what fails five times in a row, not what succeeds in between', () => {
    const health = new Health(false)
    for (let i = 0; i < 4; i++) assert.equal(health.fail(i), false)
    health.succeed()
    for (let i = 0; i < 4; i++) assert.equal(health.fail(i), false)
    assert.equal(health.standing(4), 'in')
    assert.equal(health.fail(5), true)
    assert.equal(health.standing(5), 'out')
    assert.equal(health.remaining(5), 5000)
  })

  it('lets one request decide whether it is back', () => {
    const health = new Health(false)
    health.eject('failing', 0)
    assert.equal(health.standing(4999), 'out')
    assert.equal(health.standing(5000), 'trial')
    health.beginTrial()
    assert.equal(health.standing(5000), 'tried')
    health.endTrial()
    assert.equal(health.standing(5000), 'trial', 'the caller left: nothing was learnt')
    health.beginTrial()
    health.succeed()
    assert.equal(health.standing(5000), 'in')
  })

  it('stays out twice as long each time, up to a minute', () => {
    const health = new Health(false)
    let now = 0
    const lengths: number[] = []
    for (let i = 0; i < 6; i++) {
      health.eject('unreachable', now)
      lengths.push(health.remaining(now))
      now += health.remaining(now)
    }
    assert.deepEqual(lengths, [5000, 10_000, 20_000, 40_000, 60_000, 60_000])
    health.beginTrial()
    health.succeed()
    now += 5 * 60_000 + 1
    health.eject('unreachable', now)
    assert.equal(health.remaining(now), 5000, 'long ago is forgotten')
  })

  it('needs a ping answered before it risks a request, where that can be asked', () => {
    const health = new Health(true)
    health.eject('wedged', 0)
    assert.equal(health.standing(5000), 'unproven')
    assert.ok(health.remaining(5000) > 0, 'still out')
    health.prove()
    assert.equal(health.standing(5000), 'trial')
    health.beginTrial()
    assert.equal(health.fail(5001), true)
    assert.equal(health.standing(5001), 'out')
    assert.equal(health.standing(15_001), 'unproven')
  })

  it('is on trial as soon as it answers a ping, when silence was the cause', () => {
    const health = new Health(true)
    for (const cause of ['wedged', 'unreachable'] as const) {
      health.eject(cause, 0)
      assert.equal(health.standing(100), 'out')
      health.prove()
      assert.equal(health.standing(100), 'trial')
      assert.equal(health.remaining(100), 0)
      health.beginTrial()
      health.eject(cause, 200)
      assert.equal(health.standing(200), 'out', 'silent again, it has to answer again')
      health.prove()
      health.beginTrial()
      health.succeed()
      assert.equal(health.standing(300), 'in')
    }
  })

  it('is not back for answering pings, when it failed', () => {
    const health = new Health(true)
    health.eject('failing', 0)
    health.prove()
    assert.equal(health.standing(100), 'out')
    assert.equal(health.standing(5000), 'trial')
  })

  it('is asked at once when it says by itself that it is there', () => {
    const health = new Health(true)
    health.eject('unreachable', 100)
    assert.equal(health.standing(200, 100), 'out')
    assert.equal(health.standing(200, 150), 'unproven')
  })

  it('learns nothing from requests that were under way when it was taken out', () => {
    const health = new Health(false)
    health.eject('wedged', 0)
    for (let i = 0; i < 20; i++) health.fail(1)
    health.succeed()
    assert.equal(health.standing(1), 'out')
    assert.equal(health.remaining(1), 4999)
    assert.equal(health.standing(5000), 'trial')
  })

  it('is tried again after a request that was risked while it was out failed', () => {
    const health = new Health(false)
    health.eject('failing', 0)
    health.beginTrial()
    health.fail(1)
    assert.equal(health.standing(5000), 'trial')
  })
})

describe('retry budget', () => {
  it('has a reserve, and is replenished as time passes', () => {
    const budget = new RetryBudget()
    let spent = 0
    while (budget.spend(1, 0)) spent++
    assert.equal(spent, 100)
    assert.equal(budget.spend(1, 1000), true)
    assert.equal(budget.spend(1, 1001), true)
  })

  it('grows by a fifth of the requests', () => {
    const budget = new RetryBudget()
    for (let i = 0; i < 1000; i++) budget.earn(0)
    let spent = 0
    while (budget.spend(1, 0)) spent++
    assert.equal(spent, 300)
  })

  it('lets refusals, where nothing was done, cost little', () => {
    const budget = new RetryBudget()
    let spent = 0
    while (budget.spend(0.2, 0)) spent++
    assert.ok(Math.abs(spent - 500) <= 1)
  })

  const table: Array<[Parameters<typeof retryCost>[0], number | undefined]> = [
    [{ failure: failure('Busy', ''), repeatable: false, replayable: true, attempts: 1 }, 0.2],
    [{ failure: failure('Unreachable', ''), repeatable: false, replayable: true, attempts: 1 }, 0.2],
    [{ failure: failure('WorkerLost', ''), repeatable: true, replayable: true, attempts: 1 }, 1],
    [{ failure: failure('WorkerLost', ''), repeatable: false, replayable: true, attempts: 1 }, undefined],
    [{ failure: failure('WorkerLost', ''), repeatable: true, replayable: false, attempts: 1 }, undefined],
    [{ failure: failure('Busy', ''), repeatable: true, replayable: true, attempts: 5 }, undefined],
    [{ failure: failure('FirstByteTimeout', ''), repeatable: true, replayable: true, attempts: 1 }, undefined],
    [{ failure: failure('Forbidden', ''), repeatable: true, replayable: true, attempts: 1 }, undefined]
  ]
  for (const [input, cost] of table) {
    const { failure, repeatable, replayable, attempts } = input
    const about = `${failure.code}, ${repeatable ? '' : 'not '}repeatable, ${replayable ? '' : 'not '}replayable, attempt ${attempts}`
    it(`${about}: ${cost == null ? 'no retry' : `costs ${cost}`}`, () => assert.equal(retryCost(input), cost))
  }
})

describe('decaying sum', () => {
  it('loses 63 % in a time constant, and no more by being asked', () => {
    const sum = new DecayingSum(1000)
    sum.add(100, 0)
    for (let now = 0; now <= 1000; now += 10) sum.value(now)
    assert.ok(Math.abs(sum.value(1000) - 36.8) < 0.1)
    sum.add(100, 1000)
    assert.ok(Math.abs(sum.value(1000) - 136.8) < 0.1)
  })
})

describe('trace context', () => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
  const span = '00f067aa0ba902b7'
  const table: Array<[string | undefined, boolean]> = [
    [`00-${trace}-${span}-01`, true],
    [`00-${trace}-${span}-00`, true],
    [`cc-${trace}-${span}-01-what-the-future-will-be-like`, true],
    [`00-${trace}-${span}-01-more`, false],
    [`ff-${trace}-${span}-01`, false],
    [`00-${'0'.repeat(32)}-${span}-01`, false],
    [`00-${trace}-${'0'.repeat(16)}-01`, false],
    [`00-${trace.toUpperCase()}-${span}-01`, false],
    [`00-${trace}-${span}`, false],
    ['', false],
    [undefined, false]
  ]
  for (const [traceparent, continued] of table) {
    it(`${continued ? 'continues' : 'does not continue'} ${traceparent}`, () => {
      const next = continueTrace(traceparent)
      assert.equal(next.continued, continued)
      assert.match(next.traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/)
      assert.equal(next.traceparent.includes(trace), continued)
      assert.ok(!next.traceparent.includes(span))
      if (continued) assert.equal(next.traceparent.slice(-2), traceparent?.slice(53, 55))
    })
  }
})

describe('the key in a request', () => {
  const table: Array<[string | undefined, string, string | undefined]> = [
    ['collection', '/query?collection=manual', 'collection/manual'],
    ['collection', '/query?top_k=3&collection=a%20b', 'collection/a b'],
    ['collection', '/query', undefined],
    ['collection', '/query?other=1', undefined],
    [undefined, '/query?collection=manual', undefined]
  ]
  for (const [key, path, resource] of table) {
    it(`${key} in ${path} is ${resource}`, () => assert.equal(preferredResource(key, path), resource))
  }
})

describe('who may be asked', () => {
  const now = 1_000_000
  const needs: Needs = { method: 'POST', path: '/', repeatable: true, contract: contract() }

  function prospects(ids: string[]): Prospect[] {
    const view = createView({ now: () => now })
    for (const peerId of ids) view.learnAdvert(advert({ peerId }))
    const experience = new Experience(undefined)
    return experience.service('ner').prospectsOf(view.candidates('ner'), experience)
  }
  function fit(
    all: Prospect[],
    changed: Partial<Needs> = {},
    retry = false,
    at = now
  ): { fit: string; rejected: Rejection[] } {
    const rejected: Rejection[] = []
    const wanted = { ...needs, ...changed }
    const left = advisable(able(all, wanted, rejected), wanted, retry, at, rejected)
    return { fit: left.map(({ candidate }) => candidate.peerId).join(''), rejected }
  }
  const ejectFrom = (all: Prospect[], causes: Record<string, Cause>): void => {
    for (const { candidate, peer, track } of all) {
      const cause = causes[candidate.peerId]
      if (cause === 'failing') track.health.eject(cause, now)
      else if (cause != null) peer.health.eject(cause, now)
    }
  }

  const table: Array<{
    what: string
    out: Record<string, Cause>
    heard?: string
    retry?: boolean
    expected: string
  }> = [
    { what: 'everybody who is well', out: {}, expected: 'abcd' },
    { what: 'nobody who is wedged', out: { a: 'wedged' }, expected: 'bcd' },
    {
      what: 'any number but all may be unreachable',
      out: { a: 'unreachable', b: 'unreachable', c: 'unreachable' },
      expected: 'd'
    },
    { what: 'at most half are out for failing', out: { a: 'failing', b: 'failing', c: 'failing' }, expected: 'ad' },
    {
      what: 'when all are out, those that are out for the least',
      out: { a: 'wedged', b: 'unreachable', c: 'wedged', d: 'unreachable' },
      expected: 'bd'
    },
    {
      what: 'nobody when all are wedged: a request would wait there for nothing',
      out: { a: 'wedged', b: 'wedged', c: 'wedged', d: 'wedged' },
      expected: ''
    },
    {
      what: 'nobody who is out for a request that failed elsewhere already',
      out: { a: 'unreachable', b: 'unreachable', c: 'unreachable', d: 'unreachable' },
      retry: true,
      expected: ''
    },
    {
      what: 'rather those that were heard of since',
      out: { a: 'wedged', b: 'unreachable', c: 'wedged', d: 'wedged' },
      heard: 'c',
      expected: 'c'
    },
    {
      what: 'those even for a request that failed elsewhere already',
      out: { a: 'wedged', b: 'unreachable', c: 'wedged', d: 'wedged' },
      heard: 'bc',
      retry: true,
      expected: 'bc'
    }
  ]
  for (const { what, out, heard = '', retry, expected } of table) {
    it(what, () => {
      const all = prospects(['a', 'b', 'c', 'd'])
      ejectFrom(all, out)
      for (const { peer } of all) if (heard.includes(peer.peerId)) peer.heartbeat.aliveAt = now + 1
      const result = fit(all, {}, retry)
      assert.equal(result.fit, expected)
      assert.equal(result.rejected.length, 4 - expected.length)
    })
  }

  it('one that was wedged and answers pings again, when all are out', () => {
    const all = prospects(['a', 'b'])
    ejectFrom(all, { a: 'wedged', b: 'wedged' })
    all[1]?.peer.health.prove()
    assert.equal(fit(all).fit, 'b')
  })

  it('only requests that may be repeated go to a worker on trial', () => {
    const all = prospects(['a', 'b'])
    ejectFrom(all, { a: 'failing' })
    const later = now + 5000
    assert.equal(fit(all, { repeatable: true }, false, later).fit, 'ab')
    const { fit: left, rejected } = fit(all, { repeatable: false }, false, later)
    assert.equal(left, 'b')
    assert.deepEqual(rejected, [{ peerId: 'a', reason: 'ejected: failing, on trial' }])
  })

  it('a worker that was asked for is asked whatever we think of it', () => {
    const all = prospects(['a', 'b'])
    ejectFrom(all, { a: 'wedged' })
    assert.equal(fit(all, { worker: 'a' }).fit, 'a')
  })

  it('silence and a missed ping count only while there are others', () => {
    const all = prospects(['a', 'b'])
    for (const { candidate } of all) candidate.silent = candidate.peerId === 'a'
    assert.equal(fit(all).fit, 'b')
    for (const { candidate } of all) candidate.silent = true
    assert.equal(fit(all).fit, 'ab')
  })
})

describe('what is known of a worker', () => {
  it('counts our own requests once, though its reports count them too', () => {
    const view = createView({ now: () => 0 })
    const experience = new Experience(undefined)
    const service = experience.service('ner')
    view.learnAdvert(advert())
    const busy = (): { inFlight: number; queued: number } => {
      const [prospect] = service.prospectsOf(view.candidates('ner'), experience)
      assert.ok(prospect)
      return scoreOf(prospect, 'op', new LatencyWindow(), 0)
    }
    const { track } = service.prospectsOf(view.candidates('ner'), experience)[0] ?? assert.fail()
    track.inFlight = 3
    assert.equal(busy().inFlight, 3, 'counted at once, before any report')
    view.learnLoad(load({ sequence: 1n, inFlight: 4, queued: 2 }))
    assert.deepEqual([busy().inFlight, busy().queued], [4, 2])
    track.inFlight = 0
    assert.deepEqual([busy().inFlight, busy().queued], [1, 2], 'ours are done; the one of others remains')
    track.inFlight = 6
    view.learnLoad(load({ sequence: 2n, inFlight: 4, queued: 2 }))
    assert.deepEqual([busy().inFlight, busy().queued], [6, 0], 'those that run and those that wait are all ours')
  })

  it('takes the shortest round trips for the way, and longer ones for a busy moment', () => {
    const peer = new Experience(undefined).peer('a')
    peer.measured(40, 0)
    assert.equal(peer.roundTrip, 40)
    peer.measured(2, 1)
    assert.equal(peer.roundTrip, 2)
    peer.measured(52, 2)
    assert.equal(peer.roundTrip, 7)
  })

  it('is bounded', () => {
    const experience = new Experience(undefined)
    const busy = experience.peer('busy')
    busy.heartbeat.pending.add({ startedAt: 0, doubted: () => {}, wedged: () => {} })
    for (let i = 0; i < 11_000; i++) experience.peer(`p${i}`)
    assert.equal([...experience.all()].length, 10_000)
    assert.equal(experience.known('busy'), busy, 'who has a request in hand stays')
    assert.equal(experience.known('p0'), undefined)
    for (let i = 0; i < 1100; i++) experience.service(`s${i}`)
    assert.equal(experience.services.size, 1000)
  })
})

describe('when to come back', () => {
  const score = { prospect: prospect(), score: 0, roundTrip: 0, inFlight: 4, penalty: 0 }
  function prospect(): Prospect {
    const view = createView({ now: () => 0 })
    view.learnAdvert(advert())
    const experience = new Experience(undefined)
    return experience.service('ner').prospectsOf(view.candidates('ner'), experience)[0] ?? assert.fail()
  }
  const table: Array<[Array<{ latency: number; queued: number; concurrency: number }>, number]> = [
    [[], 1],
    [[{ latency: 20, queued: 3, concurrency: 4 }], 1],
    [[{ latency: 2000, queued: 31, concurrency: 4 }], 16],
    [
      [
        { latency: 2000, queued: 31, concurrency: 4 },
        { latency: 2000, queued: 9, concurrency: 4 }
      ],
      5
    ],
    [[{ latency: 60_000, queued: 100, concurrency: 1 }], 60]
  ]
  for (const [workers, seconds] of table) {
    const about = workers
      .map(({ latency, queued, concurrency }) => `${queued} wait, ${concurrency} at once of ${latency} ms`)
      .join('; ')
    it(`${about || 'nobody'}: in ${seconds} s`, () => {
      assert.equal(queueTime(workers.map(worker => ({ ...score, ...worker }))), seconds)
    })
  }
})
