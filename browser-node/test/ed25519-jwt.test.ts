import assert from 'node:assert/strict'
import { signToken } from '@hedgerow/protocols/membership'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import fc from 'fast-check'
import * as jose from 'jose'
import * as ours from '../scripts/ed25519-jwt.ts'

const NOW = 1_800_000_000
const TYP = 'hedgerow-credential+jwt'

describe('what stands in for jose in pages', () => {
  let key: PrivateKey
  let other: PrivateKey

  before(async () => {
    key = await generateKeyPair('Ed25519')
    other = await generateKeyPair('Ed25519')
  })

  const options = { algorithms: ['EdDSA'], typ: TYP, clockTolerance: 60, currentDate: new Date(NOW * 1000) }
  const jwk = (by: PrivateKey) => ({
    kty: 'OKP',
    crv: 'Ed25519',
    x: Buffer.from(by.publicKey.raw).toString('base64url')
  })

  const verdicts = async (token: string): Promise<[string, string]> => {
    const verdict = (what: Promise<{ payload: object }>): Promise<string> =>
      what.then(
        ({ payload }) => JSON.stringify(payload),
        err => (err.code === 'ERR_JWT_EXPIRED' || err.claim === 'nbf' ? `${err.code} ${err.claim}` : 'refused')
      )
    return [
      await verdict(jose.importJWK(jwk(key), 'EdDSA').then(imported => jose.jwtVerify(token, imported, options))),
      await verdict(ours.importJWK(jwk(key)).then(imported => ours.jwtVerify(token, imported, options)))
    ]
  }

  const agree = async (token: string): Promise<string> => {
    const [theirs, own] = await verdicts(token)
    assert.equal(own, theirs, token)
    return own
  }

  it('takes what jose takes, and refuses what it refuses', async () => {
    const good = { sub: 'ä€𝄞', iat: NOW, nbf: NOW, exp: NOW + 3600 }
    assert.equal(await agree(await signToken('credential', good, key)), JSON.stringify(good))
    for (const claims of [
      { ...good, exp: NOW - 60 },
      { ...good, exp: NOW - 59 },
      { ...good, exp: NOW },
      { ...good, nbf: NOW + 60 },
      { ...good, nbf: NOW + 61 },
      { ...good, exp: '9' },
      { ...good, iat: 'now' },
      { ...good, nbf: null },
      { iat: NOW }
    ])
      await agree(await signToken('credential', claims as jose.JWTPayload, key))
    assert.equal(await agree(await signToken('credential', good, other)), 'refused')
    assert.equal(await agree(await signToken('invite', good, key)), 'refused')
    const secret = new TextEncoder().encode(jwk(key).x)
    for (const header of [
      { alg: 'HS256', typ: TYP },
      { alg: 'HS256', typ: TYP, jwk: jwk(other) }
    ])
      assert.equal(await agree(await new jose.SignJWT(good).setProtectedHeader(header).sign(secret)), 'refused')
    const [, body] = (await signToken('credential', good, key)).split('.')
    for (const header of [{ alg: 'none', typ: TYP }, { typ: TYP }, { alg: 'EdDSA' }, [], 'x'])
      assert.equal(await agree(`${Buffer.from(JSON.stringify(header)).toString('base64url')}.${body}.`), 'refused')
    for (const text of ['', '.', '..', '...', 'a.b', 'a.b.c.d', 'é.b.c']) assert.equal(await agree(text), 'refused')
  })

  it('never takes more, whatever is changed in a token', async () => {
    const token = await signToken('credential', { sub: 'a', iat: NOW, nbf: NOW, exp: NOW + 3600 }, key)
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.string({ maxLength: 3 }), fc.nat(3), async (at, text, cut) => {
        const changed = token.slice(0, at) + text + token.slice(at + cut)
        const [theirs, own] = await verdicts(changed)
        // jose reads some ends of base64 that say the same twice; what it takes says the same then
        if (own !== 'refused') assert.equal(own, theirs)
      }),
      { numRuns: 500 }
    )
  })
})
