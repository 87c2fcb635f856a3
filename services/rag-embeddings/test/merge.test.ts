import assert from 'node:assert/strict'
import fc from 'fast-check'
import { compare, type Entry, wins } from '../src/store/merge.ts'
import { Clock, timeOf, VERSION_PATTERN, type Version } from '../src/store/version.ts'

const HOUR = 60 * 60 * 1000
const DAY = 24 * HOUR
/** Copies that were never known to be equal, and no tombstone is old enough to be forgotten */
const NEVER = { equalAt: undefined, now: 2 ** 41, tombstoneLife: 2 ** 42 }

const versionArbitrary = fc
  .record({
    at: fc.nat({ max: 2 ** 41 }),
    counter: fc.nat({ max: 5 }),
    writer: fc.constantFrom('peerA', 'peerB', 'peerC')
  })
  .map(
    ({ at, counter, writer }) =>
      `${at.toString(16).padStart(12, '0')}${counter.toString(16).padStart(4, '0')}-${writer}`
  )

interface Write {
  id: string
  entry: Entry
}
const writeArbitrary: fc.Arbitrary<Write> = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd'),
  entry: fc.record({ version: versionArbitrary, deleted: fc.boolean() })
})

function deliver(copy: Map<string, Entry>, writes: readonly Write[]): Map<string, Entry> {
  for (const { id, entry } of writes) if (wins(entry.version, copy.get(id)?.version)) copy.set(id, entry)
  return copy
}

/** Both directions of one comparison. */
function exchange(mine: Map<string, Entry>, theirs: Map<string, Entry>): void {
  const { pull, push, drop } = compare(mine, theirs, NEVER)
  assert.deepEqual(drop, [])
  const of = (copy: Map<string, Entry>, ids: string[]): Write[] =>
    ids.map(id => ({ id, entry: copy.get(id) ?? { version: '', deleted: false } }))
  const pulled = of(theirs, pull)
  const pushed = of(mine, push)
  deliver(mine, pulled)
  deliver(theirs, pushed)
}

function sorted(copy: Map<string, Entry>): [string, Version][] {
  return [...copy].map(([id, { version }]): [string, Version] => [id, version]).sort()
}

describe('the merge of copies', () => {
  it('comes to the same whatever the order in which writes arrive, and however often', () => {
    fc.assert(
      fc.property(
        fc.array(writeArbitrary).chain(writes =>
          fc.record({
            writes: fc.constant(writes),
            order: fc.shuffledSubarray(writes, { minLength: writes.length }),
            again: fc.subarray(writes)
          })
        ),
        ({ writes, order, again }) => {
          const one = deliver(new Map(), writes)
          const other = deliver(new Map(), [...order, ...again])
          assert.deepEqual(sorted(one), sorted(other))
        }
      )
    )
  })

  it('makes three copies equal that each heard of another part, whoever compares with whom first', () => {
    fc.assert(
      fc.property(
        fc.array(writeArbitrary).chain(writes => fc.tuple(...[0, 1, 2].map(() => fc.subarray(writes)))),
        fc.array(fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 2 }))),
        (heard, meetings) => {
          const copies = heard.map(writes => deliver(new Map(), writes))
          const everything = sorted(deliver(new Map(), heard.flat()))
          const meet = (a: number, b: number): void => {
            const [one, other] = [copies[a], copies[b]]
            if (one != null && other != null && a !== b) exchange(one, other)
          }
          for (const [a, b] of meetings) meet(a, b)
          // then each hears of each, as time goes on
          for (const [a, b] of [
            [0, 1],
            [1, 2],
            [2, 0]
          ] as const) {
            meet(a, b)
          }
          for (const copy of copies) assert.deepEqual(sorted(copy), everything)
        }
      )
    )
  })

  it('has nothing to exchange between equal copies', () => {
    fc.assert(
      fc.property(fc.array(writeArbitrary), writes => {
        const one = deliver(new Map(), writes)
        assert.deepEqual(compare(one, new Map(one), NEVER), { pull: [], push: [], drop: [] })
      })
    )
  })

  const now = 1000 * DAY
  const at = (time: number): Version => `${time.toString(16).padStart(12, '0')}0000-peerA`
  const live = (time: number): Entry => ({ version: at(time), deleted: false })

  it('does not bring back what was deleted while copies were apart for longer than tombstones are kept', () => {
    const apart = { equalAt: now - 40 * DAY, now, tombstoneLife: 30 * DAY }
    const both = live(now - 50 * DAY)
    assert.deepEqual(compare(new Map([['gone', both]]), new Map(), apart).drop, ['gone'])
    assert.deepEqual(compare(new Map(), new Map([['gone', both]]), apart).pull, [])
  })

  it('keeps what was written while copies were apart, however long that was', () => {
    const apart = { equalAt: now - 40 * DAY, now, tombstoneLife: 30 * DAY }
    const recent = live(now - 35 * DAY)
    assert.deepEqual(compare(new Map([['new', recent]]), new Map(), apart), { pull: [], push: ['new'], drop: [] })
    assert.deepEqual(compare(new Map(), new Map([['new', recent]]), apart), { pull: ['new'], push: [], drop: [] })
  })

  it('drops nothing for a copy that it has never been equal to', () => {
    const old = live(now - 500 * DAY)
    const never = { equalAt: undefined, now, tombstoneLife: 30 * DAY }
    assert.deepEqual(compare(new Map([['old', old]]), new Map(), never), {
      pull: [],
      push: ['old'],
      drop: []
    })
  })

  it('lets tombstones that are too old be forgotten', () => {
    const init = { equalAt: undefined, now, tombstoneLife: 30 * DAY }
    const tombstone: Entry = { version: at(now - 31 * DAY), deleted: true }
    assert.deepEqual(compare(new Map(), new Map([['x', tombstone]]), init).pull, [])
    assert.deepEqual(compare(new Map([['x', tombstone]]), new Map(), init), { pull: [], push: [], drop: [] })
  })
})

describe('versions', () => {
  it('are later than all that were made or observed before, also when the clock goes back', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat({ max: 2 ** 41 }), versionArbitrary)), steps => {
        let time = 0
        const clock = new Clock('peerB', () => time)
        let latest = ''
        for (const step of steps) {
          if (typeof step === 'number') time = step
          else {
            clock.observe(step)
            if (step > latest) latest = step
          }
          const next = clock.next()
          assert.ok(next > latest, `${next} after ${latest}`)
          assert.match(next, new RegExp(VERSION_PATTERN))
          latest = next
        }
      })
    )
  })

  it('follow the time of day where nothing else was heard', () => {
    const clock = new Clock('peerA', () => 123_456)
    assert.equal(timeOf(clock.next()), 123_456)
  })
})
