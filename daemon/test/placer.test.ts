import assert from 'node:assert/strict'
import {
  DECIDE_INTERVAL,
  DECIDE_JITTER,
  DECIDE_MAX,
  DECIDE_MIN,
  FIRST_REST,
  FIRST_REST_MAX,
  SUPERFLUOUS_PATIENCE
} from '../src/placement/constants.ts'
import { createPlacer, type Placement, type PlacementWorker, type Placer } from '../src/placement/index.ts'
import { FakeClock } from './support/clock.ts'
import { service, worker } from './support/placement-world.ts'

describe('the loop that decides what runs here', () => {
  let clock: FakeClock
  let placements: Placement[]
  let workers: PlacementWorker[]
  let current: Set<string>
  let placer: Placer
  const self = (more: Partial<PlacementWorker> = {}): PlacementWorker => ({
    ...worker('self'),
    eligible: ['s'],
    ...more
  })

  beforeEach(() => {
    clock = new FakeClock()
    placements = []
    workers = [self()]
    current = new Set()
    placer = createPlacer(
      { self: 'self', pinned: [], forbidden: [] },
      {
        clock,
        random: () => 0.5,
        services: () => [service('s', { replicas: 1 })],
        workers: () => workers,
        current: () => current,
        apply(placement) {
          placements.push(placement)
          current = new Set(placement.run)
        }
      }
    )
  })

  it('waits at the start until no more peers turn up, but not for ever', () => {
    placer.start()
    for (let i = 0; i < 4; i++) {
      clock.advance(FIRST_REST - 1)
      placer.changed()
    }
    assert.equal(placements.length, 0)
    clock.advance(FIRST_REST)
    assert.equal(placements.length, 1)
    assert.deepEqual([...(placer.latest?.run ?? [])], ['s'])
  })

  it('decides after the longest rest even if peers turn up without end', () => {
    placer.start()
    for (let passed = 0; passed < FIRST_REST_MAX; passed += 100) {
      clock.advance(100)
      placer.changed()
    }
    clock.advance(1)
    assert.equal(placements.length, 1)
  })

  it('decides soon after a change, once for many', () => {
    placer.start()
    clock.advance(FIRST_REST)
    for (let i = 0; i < 10; i++) placer.changed()
    clock.advance(DECIDE_MIN - 1)
    assert.equal(placements.length, 1)
    clock.advance(DECIDE_MAX)
    assert.equal(placements.length, 2)
  })

  it('is not put off by changes without end', () => {
    placer.start()
    clock.advance(FIRST_REST)
    for (let passed = 0; passed < 10 * DECIDE_MAX; passed += 50) {
      clock.advance(50)
      placer.changed()
    }
    assert.ok(placements.length >= 10)
  })

  it('decides now and then when nothing changes', () => {
    placer.start()
    clock.advance(FIRST_REST)
    clock.advance(5 * DECIDE_INTERVAL * (1 + DECIDE_JITTER))
    assert.ok(placements.length >= 6)
  })

  it('lets go of a service when its time is up', () => {
    placer.start()
    clock.advance(FIRST_REST)
    assert.deepEqual([...current], ['s'])
    // A machine so much larger that the service falls to it, which runs it already.
    const large = { ...worker('large', { cores: 2 ** 40 }), eligible: ['s'], services: ['s'] }
    workers = [self({ services: ['s'] }), large]
    placer.changed()
    clock.advance(DECIDE_MAX)
    assert.equal(placer.latest?.decisions[0]?.reason, 'kept')
    clock.advance(SUPERFLUOUS_PATIENCE)
    assert.deepEqual([...current], [])
    clock.advance(2 * DECIDE_INTERVAL)
    assert.equal(placer.latest?.decisions[0]?.reason, 'not-planned')
    assert.ok(placements.some(({ decisions }) => decisions[0]?.reason === 'superfluous'))
  })

  it('does nothing more when it is stopped', () => {
    placer.start()
    clock.advance(FIRST_REST)
    placer.stop()
    placer.changed()
    clock.advance(10 * DECIDE_INTERVAL)
    assert.equal(placements.length, 1)
    assert.equal(clock.pending, 0)
  })
})
