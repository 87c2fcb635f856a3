import assert from 'node:assert/strict'
import { DAILY_TOTAL, DAILY_WRITES, decide, readSeeds, type Seeds } from '../src/registry/seeds.ts'

const NOW = Date.UTC(2026, 0, 15, 12)
const DAY = 86_400_000
const EMPTY: Seeds = { relays: [], day: 0, writes: 0 }
const LONDON = { latitude: 51.5, longitude: -0.1 }

describe('the seed list', () => {
  const beat = (id: string, url?: string): Parameters<typeof decide>[1] => ({ id, url, mayWrite: true })
  const after = (seeds: Seeds, id: string, url: string, now = NOW): Seeds => {
    const decision = decide(seeds, beat(id, url), now)
    assert.equal(decision.heard, 'written')
    assert.ok(decision.seeds)
    return decision.seeds
  }

  it('is written when a relay comes, and not when it stays', () => {
    const seeds = after(EMPTY, 'a', 'https://a.example.org')
    assert.deepEqual(decide(seeds, beat('a', 'https://a.example.org'), NOW + 30_000), { heard: 'unchanged' })
    assert.deepEqual(decide(seeds, beat('a'), NOW + 30_000), { heard: 'unchanged' })
    assert.deepEqual(decide(seeds, beat('b'), NOW), { heard: 'unknown' })
  })

  it('is written when a relay moves: to another URL, or far on earth, or from one id to another', () => {
    const seeds = after(EMPTY, 'a', 'https://a.example.org')
    assert.equal(after(seeds, 'a', 'https://b.example.org').relays.length, 1)
    const other = after(seeds, 'new', 'https://a.example.org')
    assert.deepEqual(
      other.relays.map(({ id }) => id),
      ['new']
    )
    const placed = decide(seeds, { ...beat('a'), place: LONDON }, NOW)
    assert.equal(placed.heard, 'written')
    const near = { ...beat('a'), place: { latitude: 52, longitude: 1 } }
    assert.equal(decide(placed.seeds ?? EMPTY, near, NOW).heard, 'unchanged')
    const far = { ...beat('a'), place: { latitude: 40, longitude: -74 } }
    assert.equal(decide(placed.seeds ?? EMPTY, far, NOW).heard, 'written')
  })

  it('is written once a day by a relay that stays, and leaves out who was silent for a week', () => {
    let seeds = after(after(EMPTY, 'a', 'https://a.example.org'), 'b', 'https://b.example.org')
    for (let day = 1; day <= 8; day++) seeds = after(seeds, 'a', 'https://a.example.org', NOW + day * DAY)
    assert.deepEqual(
      seeds.relays.map(({ id }) => id),
      ['a']
    )
    assert.equal(seeds.writes, 1)
  })

  it(`gives each relay ${DAILY_WRITES} writes a day, all of them ${DAILY_TOTAL}, and the next day anew`, () => {
    let seeds = EMPTY
    for (let i = 0; i < DAILY_WRITES; i++) seeds = after(seeds, 'a', `https://a${i}.example.org`)
    assert.deepEqual(decide(seeds, beat('a', 'https://next.example.org'), NOW), { heard: 'deferred' })
    assert.equal(decide(seeds, beat('b', 'https://b.example.org'), NOW).heard, 'written')
    assert.equal(after(seeds, 'a', 'https://next.example.org', NOW + DAY).writes, 1)
    const full = { ...seeds, writes: DAILY_TOTAL }
    assert.deepEqual(decide(full, beat('b', 'https://b.example.org'), NOW), { heard: 'deferred' })
  })

  it('is not written for a relay that says its share is used up', () => {
    assert.deepEqual(decide(EMPTY, { ...beat('a', 'https://a.example.org'), mayWrite: false }, NOW), {
      heard: 'deferred'
    })
  })

  it('has room for sixteen', () => {
    let seeds = EMPTY
    for (let i = 0; i < 16; i++) seeds = after(seeds, `r${i}`, `https://r${i}.example.org`)
    assert.deepEqual(decide(seeds, beat('more', 'https://more.example.org'), NOW), { heard: 'full' })
    assert.equal(decide(seeds, beat('r3', 'https://moved.example.org'), NOW).heard, 'written')
  })

  it('is read whatever stands there', () => {
    for (const value of [null, undefined, 7, [], 'x', { relays: 'x' }, { relays: [null, 7, {}, { id: 'a' }] }])
      assert.deepEqual(readSeeds(value, false), EMPTY)
    const seeds = after(EMPTY, 'a', 'https://a.example.org')
    assert.deepEqual(readSeeds(JSON.parse(JSON.stringify(seeds)), false), seeds)
    const foreign = { relays: [{ id: 'x', url: 'https://10.0.0.1', day: 1, writes: 1 }], day: -1, writes: 1e99 }
    assert.deepEqual(readSeeds(foreign, false), EMPTY)
  })
})
