import assert from 'node:assert/strict'
import { Holders } from '../src/mesh/holders.ts'
import type { Instance } from '../src/mesh/instances.ts'
import { rendezvous } from '../src/mesh/rendezvous.ts'

const GRACE = 18_000
const advert = (peer: string, ...collections: string[]): Instance => ({ peer, collections: new Set(collections) })

describe('what an instance believes about holders', () => {
  let now = 0
  let holders: Holders

  beforeEach(() => {
    now = 0
    holders = new Holders({ grace: GRACE, now: () => now })
  })

  it('counts whoever is advertised', () => {
    holders.advertised([advert('peerB', 'manual'), advert('peerC')], ['manual'])
    assert.deepEqual(holders.of('manual'), ['peerB'])
  })

  it('counts a holder for the grace after its advert is gone, and no longer', () => {
    holders.advertised([advert('peerB', 'manual')], ['manual'])
    now += GRACE
    holders.advertised([], ['manual'])
    assert.deepEqual(holders.of('manual'), ['peerB'])
    now += 1
    assert.deepEqual(holders.of('manual'), [])
  })

  it('gives up a holder that is advertised and does not answer', () => {
    holders.advertised([advert('peerB', 'manual')], ['manual'])
    holders.failed('peerB')
    now += GRACE + 1
    holders.advertised([advert('peerB', 'manual')], ['manual'])
    assert.deepEqual(holders.of('manual'), [])
    assert.deepEqual(holders.worthAsking('manual'), ['peerB'])
    holders.proved('manual', 'peerB')
    assert.deepEqual(holders.of('manual'), ['peerB'])
  })

  it('leaves a peer alone for a moment after it failed', () => {
    holders.proved('manual', 'peerB')
    holders.failed('peerB')
    assert.equal(holders.reachable('peerB'), false)
    assert.deepEqual(holders.worthAsking('manual'), [])
    now += GRACE / 4 + 1
    assert.equal(holders.reachable('peerB'), true)
  })

  it('believes what another holder says, and hands on only what it knows itself', () => {
    holders.proved('manual', 'peerB')
    holders.heard('manual', ['peerB', 'peerC'])
    assert.deepEqual(holders.of('manual'), ['peerB', 'peerC'])
    assert.deepEqual(holders.toTell('manual'), ['peerB'])
    now += GRACE / 2
    holders.heard('manual', ['peerC'])
    now += GRACE / 2 + 1
    assert.deepEqual(holders.of('manual'), [])
  })

  it('tells nobody of a holder that did not answer', () => {
    holders.proved('manual', 'peerB')
    holders.failed('peerB')
    assert.deepEqual(holders.toTell('manual'), [])
  })

  it('knows when a peer last asked, and takes the others to have done so when it began', () => {
    now = 5
    holders.asked('manual', 'peerB')
    assert.deepEqual([holders.lastAsked('peerB'), holders.lastAsked('peerC')], [5, 0])
    assert.deepEqual(holders.of('manual'), ['peerB'])
  })

  it('believes a peer that says it holds the collection no more', () => {
    holders.proved('manual', 'peerB')
    holders.denied('manual', 'peerB')
    assert.deepEqual(holders.of('manual'), [])
  })
})

describe('rendezvous hashing', () => {
  const peers = Array.from({ length: 30 }, (_, i) => `peer${i}`)

  it('gives the same order to everyone', () => {
    assert.deepEqual(rendezvous('manual', peers), rendezvous('manual', peers.toReversed()))
  })

  it("changes nobody else's place when a peer leaves", () => {
    const order = rendezvous('manual', peers)
    const [gone] = order
    assert.deepEqual(
      rendezvous(
        'manual',
        peers.filter(peer => peer !== gone)
      ),
      order.slice(1)
    )
  })

  it('spreads collections over the peers', () => {
    const first = new Set(Array.from({ length: 200 }, (_, i) => rendezvous(`collection${i}`, peers)[0]))
    assert.ok(first.size > 20)
  })
})
