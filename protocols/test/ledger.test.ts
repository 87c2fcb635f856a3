import assert from 'node:assert/strict'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { createLedger } from '../src/ledger/index.ts'
import { createTrust, type GrantInit, grant, meshIdOf } from '../src/membership/index.ts'
import { Rates } from '../src/rate/index.ts'
import { type Statement, sealStatement } from '../src/statement/index.ts'
import { createView } from '../src/view/index.ts'
import { advert, load } from './support/samples.ts'

describe('rates', () => {
  it('allow so many at once, then so many a second', () => {
    let now = 0
    const rates = new Rates({ perSecond: 2, burst: 3, now: () => now })
    const count = (): number => Array.from({ length: 10 }, () => rates.take('a')).filter(Boolean).length
    assert.equal(count(), 3)
    now += 1000
    assert.equal(count(), 2)
    now += 60_000
    assert.equal(count(), 3)
    assert.equal(rates.take('b'), true)
  })

  it('remember so many and no more', () => {
    const rates = new Rates({ perSecond: 1, burst: 1, max: 10, now: () => 0 })
    for (let i = 0; i < 1000; i++) rates.take(String(i))
    assert.equal(rates.size, 10)
  })
})

describe('the ledger', () => {
  const mesh = 'test'
  async function peer() {
    const privateKey = await generateKeyPair('Ed25519')
    const peerId = peerIdFromPrivateKey(privateKey).toString()
    return { peerId, seal: (statement: Statement) => sealStatement(statement, { mesh, privateKey }) }
  }
  const ledgerAt = (now: () => number) => createLedger({ mesh, view: createView({ now }), now })

  it('passes on what a peer has to say, and no more of one that says it without end', async () => {
    let now = 0
    const ledger = ledgerAt(() => now)
    const { peerId, seal } = await peer()
    let sequence = 0n
    const news = async (make: () => Statement): Promise<number> => {
      let count = 0
      for (let i = 0; i < 200; i++) if ((await ledger.learn(await seal(make()))) === 'news') count++
      return count
    }
    const advertised = await news(() => ({ type: 'advert', advert: advert({ peerId, sequence: ++sequence }) }))
    assert.ok(advertised > 5 && advertised < 50, `${advertised} adverts`)
    const reported = await news(() => ({ type: 'load', report: load({ peerId, sequence: ++sequence }) }))
    assert.ok(reported > 3 && reported < 50, `${reported} reports`)
    now += 60_000
    const late = await seal({ type: 'load', report: load({ peerId, sequence: ++sequence }) })
    assert.equal(await ledger.learn(late), 'news')
  })

  it('does not count against a peer what others replay of it', async () => {
    const ledger = ledgerAt(() => 0)
    const { peerId, seal } = await peer()
    const old: Uint8Array[] = []
    for (let i = 1n; i <= 100n; i++) old.push(await seal({ type: 'load', report: load({ peerId, sequence: i }) }))
    assert.equal(await ledger.learn(old.at(-1) ?? new Uint8Array()), 'news')
    for (const bytes of old) assert.equal(await ledger.learn(bytes), 'known')
    assert.equal(await ledger.learn(await seal({ type: 'load', report: load({ peerId, sequence: 101n }) })), 'news')
  })
})

describe('the ledger of a closed mesh', () => {
  const HOUR = 3600

  async function closedMesh() {
    const authority = await generateKeyPair('Ed25519')
    const mesh = await meshIdOf('test', authority.publicKey.raw)
    const view = createView({ now: () => 0 })
    const trust = createTrust({ mesh, authority: authority.publicKey.raw })
    const ledger = createLedger({ mesh, view, trust, now: () => 0 })
    async function peer(rights: Pick<GrantInit, 'roles' | 'services'>) {
      const privateKey = await generateKeyPair('Ed25519')
      const peerId = peerIdFromPrivateKey(privateKey).toString()
      const credential = await grant(
        { mesh, subject: peerId, classes: [], ttl: HOUR, ...rights },
        { privateKey: authority }
      )
      const learn = async (statement: Statement) => ledger.learn(await sealStatement(statement, { mesh, privateKey }))
      return { peerId, credential, learn }
    }
    return { view, ledger, peer }
  }

  for (const role of ['client', 'relay'] as const) {
    it(`believes no ${role} that it offers what its credential lets it ask for, or let others offer`, async () => {
      const { view, peer } = await closedMesh()
      const { peerId, credential, learn } = await peer({ roles: [role], services: ['*'] })
      const offering = advert({ peerId, role, credential, sequence: 1n })
      assert.equal(await learn({ type: 'advert', advert: offering }), 'invalid')
      assert.equal(await learn({ type: 'advert', advert: { ...offering, services: [], eligible: ['ner'] } }), 'invalid')
      assert.equal(await learn({ type: 'advert', advert: { ...offering, role: 'worker' } }), 'invalid')
      assert.deepEqual(view.candidates('ner'), [])
      assert.equal(await learn({ type: 'advert', advert: { ...offering, services: [], eligible: [] } }), 'news')
    })
  }

  it('passes on no report of a service that its author may not offer', async () => {
    const { view, peer } = await closedMesh()
    const { peerId, credential, learn } = await peer({ roles: ['worker'], services: ['ner'] })
    assert.equal(await learn({ type: 'load', report: load({ peerId, service: 'ner' }) }), 'known')
    await learn({ type: 'advert', advert: advert({ peerId, credential }) })
    assert.equal(await learn({ type: 'load', report: load({ peerId, service: 'ocr' }) }), 'known')
    assert.equal(await learn({ type: 'load', report: load({ peerId, service: 'ner' }) }), 'news')
    assert.deepEqual([...(view.peer(peerId)?.loads.keys() ?? [])], ['ner'])
  })
})
