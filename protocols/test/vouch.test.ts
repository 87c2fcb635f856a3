import assert from 'node:assert/strict'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { InvalidMessage, openStatement, sealStatement } from '../src/statement/index.ts'
import { isFresh, openVouch, sealVouch, VOUCH_LEEWAY, VOUCH_LIFETIME, type Vouch } from '../src/vouch/index.ts'
import { advert } from './support/samples.ts'

describe('a vouch', () => {
  let privateKey: PrivateKey
  let by: string
  const vouch: Vouch = { peerId: 'somebody', addr: '/ip4/11.0.0.1/tcp/4001', scope: 'public', at: 1_700_000_000 }

  before(async () => {
    privateKey = await generateKeyPair('Ed25519')
    by = peerIdFromPrivateKey(privateKey).toString()
  })

  it('says what was sealed, and by whom', async () => {
    const bytes = await sealVouch(vouch, { mesh: 'test', privateKey })
    assert.deepEqual(await openVouch(bytes, 'test'), { ...vouch, by })
  })

  it('means nothing in another mesh, nor anything else when a bit of it is another', async () => {
    const bytes = await sealVouch(vouch, { mesh: 'test', privateKey })
    await assert.rejects(openVouch(bytes, 'other'), InvalidMessage)
    for (let i = 0; i < bytes.byteLength; i += 7) {
      const changed = Uint8Array.from(bytes)
      changed[i] = (changed[i] ?? 0) ^ 1
      // Some bits mean nothing; none makes it say something else.
      const opened = await openVouch(changed, 'test').catch(err => {
        assert.ok(err instanceof InvalidMessage, String(err))
      })
      if (opened != null) assert.deepEqual(opened, { ...vouch, by })
    }
  })

  it('is no statement, and no statement is one', async () => {
    const bytes = await sealVouch(vouch, { mesh: 'test', privateKey })
    await assert.rejects(openStatement(bytes, 'test'), InvalidMessage)
    const sealed = await sealStatement(
      { type: 'goodbye', goodbye: { peerId: by, sequence: 1n } },
      { mesh: 'test', privateKey }
    )
    await assert.rejects(openVouch(sealed, 'test'), InvalidMessage)
  })

  it('travels in an advert', async () => {
    const entries = [
      { kind: 'public' as const, addr: vouch.addr, vouch: await sealVouch(vouch, { mesh: 'test', privateKey }) }
    ]
    const bytes = await sealStatement(
      { type: 'advert', advert: advert({ peerId: by, entries }) },
      { mesh: 'test', privateKey }
    )
    const statement = await openStatement(bytes, 'test')
    assert.ok(statement.type === 'advert')
    assert.deepEqual(
      statement.advert.entries?.map(entry => ({ ...entry, vouch: Uint8Array.from(entry.vouch) })),
      entries.map(entry => ({ ...entry, vouch: Uint8Array.from(entry.vouch) }))
    )
  })

  it('counts for a while, whichever way clocks are wrong', () => {
    const { at } = vouch
    assert.ok(isFresh(vouch, at))
    assert.ok(isFresh(vouch, at + VOUCH_LIFETIME + VOUCH_LEEWAY - 1))
    assert.ok(isFresh(vouch, at - VOUCH_LEEWAY + 1))
    assert.ok(!isFresh(vouch, at + VOUCH_LIFETIME + VOUCH_LEEWAY))
    assert.ok(!isFresh(vouch, at - VOUCH_LEEWAY))
  })
})
