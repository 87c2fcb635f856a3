import assert from 'node:assert/strict'
import { distance } from '../src/place.ts'
import { type Experience, PENALTY, rank } from '../src/rank.ts'

const LONDON = { latitude: 51.5, longitude: -0.1 }
const PARIS = { latitude: 48.9, longitude: 2.4 }
const SYDNEY = { latitude: -33.9, longitude: 151.2 }

describe('the order of relays', () => {
  const names = (
    relays: Parameters<typeof rank>[0],
    from?: typeof LONDON,
    known: Record<string, Experience> = {},
    now = 1_000_000
  ): string[] => rank(relays, from, url => known[url], now).map(({ url }) => url)
  const far = { url: 'far', place: SYDNEY }
  const near = { url: 'near', place: PARIS }
  const lost = { url: 'lost' }

  it('knows how far it is', () => {
    assert.ok(Math.abs(distance(LONDON, PARIS) - 344) < 10)
    assert.ok(Math.abs(distance(LONDON, SYDNEY) - 16_990) < 50)
    assert.equal(distance(LONDON, LONDON), 0)
  })

  it('is by distance where both places are known, those of unknown place between', () => {
    assert.deepEqual(names([far, lost, near], LONDON), ['near', 'lost', 'far'])
    assert.deepEqual(names([near, lost, far], SYDNEY), ['far', 'lost', 'near'])
  })

  it('is by what answers took where places are unknown, else as listed', () => {
    assert.deepEqual(names([far, near], undefined), ['far', 'near'])
    assert.deepEqual(names([far, near, lost], undefined, { lost: { latency: 20 }, near: { latency: 50 } }), [
      'lost',
      'near',
      'far'
    ])
  })

  it('has whoever failed come last, until it answers again or half a minute is over', () => {
    const failed = { near: { failedAt: 1_000_000 } }
    assert.deepEqual(names([near, far], LONDON, failed), ['far', 'near'])
    assert.deepEqual(names([near, far], LONDON, failed, 1_000_000 + PENALTY), ['near', 'far'])
    assert.deepEqual(names([near, far], LONDON, { near: { failedAt: 1_000_000, okAt: 1_000_001 } }), ['near', 'far'])
  })
})
