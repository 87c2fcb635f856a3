import assert from 'node:assert/strict'
import {
  CredentialError,
  type CredentialFault,
  createTrust,
  type GrantInit,
  grant,
  isAuthorityOf,
  LEEWAY,
  MAX_TTL,
  meshIdOf,
  openInvite,
  openRevocation,
  openTrust,
  readInvite,
  sealInvite,
  sealRevocation,
  signToken
} from '@hedgerow/protocols/membership'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'

const HOUR = 3600
const idOf = (key: PrivateKey): string => peerIdFromPrivateKey(key).toString()
const seconds = (): number => Math.floor(Date.now() / 1000)

async function fails(what: Promise<unknown>, fault: CredentialFault): Promise<void> {
  await assert.rejects(what, (err: unknown) => {
    assert.ok(err instanceof CredentialError, String(err))
    assert.equal(err.fault, fault, err.message)
    return true
  })
}

describe('membership', () => {
  let authority: PrivateKey
  let issuer: PrivateKey
  let worker: PrivateKey
  let mesh: string
  let issuerChain: string

  before(async () => {
    const key = (): Promise<PrivateKey> => generateKeyPair('Ed25519')
    ;[authority, issuer, worker] = await Promise.all([key(), key(), key()])
    mesh = await meshIdOf('charity', authority.publicKey.raw)
    issuerChain = await grant(
      init({ subject: idOf(issuer), roles: ['relay', 'issuer'], services: ['*'], classes: ['public', 'internal'] }),
      { privateKey: authority }
    )
  })

  const init = (over: Partial<GrantInit> = {}): GrantInit => ({
    mesh,
    subject: idOf(worker),
    roles: ['worker'],
    services: ['*'],
    classes: ['internal'],
    ttl: HOUR,
    ...over
  })
  const trust = (now = seconds) => createTrust({ mesh, authority: authority.publicKey.raw, now })

  it("has a mesh's id tell its authority", async () => {
    assert.match(mesh, /^charity-[a-z2-7]{12}$/)
    assert.ok(await isAuthorityOf(mesh, authority.publicKey.raw))
    assert.ok(!(await isAuthorityOf(mesh, issuer.publicKey.raw)))
    await assert.rejects(meshIdOf('No Name', authority.publicKey.raw), RangeError)
  })

  it('takes what the authority signed, and what an issuer of its did', async () => {
    const direct = await grant(init({ classes: ['confidential'] }), { privateKey: authority })
    const { credential } = await trust().judge(direct, idOf(worker))
    assert.deepEqual([credential.issuer, credential.classes], ['authority', ['confidential']])
    const granted = await grant(init(), { privateKey: issuer, chain: issuerChain })
    const member = await trust().judge(granted, idOf(worker))
    assert.deepEqual([member.credential.issuer, member.chain.length], [idOf(issuer), 2])
  })

  it('ends a credential with its issuer, at the latest', async () => {
    const chain = await grant(init({ ttl: 400 * 24 * HOUR }), { privateKey: issuer, chain: issuerChain })
    const { expiresAt } = await trust().judge(chain, idOf(worker))
    assert.ok(expiresAt <= seconds() + HOUR)
  })

  it('takes no other', async () => {
    const good = await grant(init(), { privateKey: authority })
    await fails(trust().judge('', idOf(worker)), 'Missing')
    await fails(trust().judge(good, idOf(issuer)), 'WrongPeer')
    await fails(trust().judge(good.slice(0, -9), idOf(worker)), 'Malformed')
    await fails(trust().judge(`${good.slice(0, -10)}AAAAAAAAAA`, idOf(worker)), 'BadSignature')
    await fails(trust().judge(good.slice(0, 60), idOf(worker)), 'Malformed')
    await fails(trust().judge(`${good}~${good}`, idOf(worker)), 'BadSignature')
    await fails(trust().judge(`${good}~${issuerChain}~${issuerChain}`, idOf(worker)), 'Malformed')
    await fails(trust().judge('a'.repeat(100_000), idOf(worker)), 'Malformed')
    await fails(trust(() => seconds() + HOUR + LEEWAY + 1).judge(good, idOf(worker)), 'Expired')
    await fails(trust(() => seconds() - LEEWAY - 60).judge(good, idOf(worker)), 'NotYetValid')
    const self = await grant(init(), { privateKey: worker })
    await fails(trust().judge(self, idOf(worker)), 'BadSignature')
    const elsewhere = await grant(init({ mesh: 'another' }), { privateKey: authority })
    await fails(trust().judge(elsewhere, idOf(worker)), 'WrongMesh')
  })

  it('takes no token that was made for another purpose, or by another algorithm', async () => {
    const claims = {
      iss: 'authority',
      sub: idOf(worker),
      mesh,
      roles: ['worker'],
      services: ['*'],
      classes: [],
      iat: seconds(),
      nbf: seconds(),
      exp: seconds() + HOUR,
      jti: 'a'.repeat(16)
    }
    const invite = await signToken('invite', claims, authority)
    await fails(trust().judge(invite, idOf(worker)), 'Malformed')
    const [, payload] = invite.split('.')
    const none = Buffer.from('{"alg":"none","typ":"hedgerow-credential+jwt"}').toString('base64url')
    await fails(trust().judge(`${none}.${payload}.`, idOf(worker)), 'Malformed')
    const over = await signToken('credential', { ...claims, roles: ['worker', 'owner'] }, authority)
    await fails(trust().judge(over, idOf(worker)), 'Malformed')
  })

  it('believes no issuer that grants more than it may, whatever signed it', async () => {
    const cases: Array<Partial<GrantInit>> = [
      { roles: ['relay'] },
      { roles: ['worker', 'issuer'] },
      { roles: ['admin'] },
      { classes: ['confidential'] },
      { classes: ['our-own'] }
    ]
    for (const over of cases) {
      await fails(grant(init(over), { privateKey: issuer, chain: issuerChain }), 'ExceedsIssuer')
      // an issuer whose program is its own
      const forged = await forge(over)
      await fails(trust().judge(`${forged}~${issuerChain}`, idOf(worker)), 'ExceedsIssuer')
    }
    const narrow = await grant(
      init({ subject: idOf(issuer), roles: ['issuer'], services: ['ner-extraction'], classes: [] }),
      { privateKey: authority }
    )
    await fails(grant(init({ classes: [] }), { privateKey: issuer, chain: narrow }), 'ExceedsIssuer')
    const noIssuer = await grant(init({ subject: idOf(issuer), roles: ['relay'] }), { privateKey: authority })
    await fails(grant(init(), { privateKey: issuer, chain: noIssuer }), 'ExceedsIssuer')
    await fails(trust().judge(`${await forge({})}~${noIssuer}`, idOf(worker)), 'ExceedsIssuer')
  })

  async function forge(over: Partial<GrantInit>): Promise<string> {
    const { subject, ttl, ...rest } = init(over)
    const iat = seconds()
    return signToken(
      'credential',
      { iss: idOf(issuer), sub: subject, ...rest, iat, nbf: iat, exp: iat + ttl, jti: 'b'.repeat(16) },
      issuer
    )
  }

  it('takes back what was granted, by who granted it or the authority', async () => {
    const chain = await grant(init({ now: seconds() - 10 }), { privateKey: issuer, chain: issuerChain })
    const subject = idOf(worker)
    const expiresAt = seconds() + HOUR
    for (const signer of [{ privateKey: authority }, { privateKey: issuer, chain: issuerChain }]) {
      const one = trust()
      const member = await one.judge(chain, subject)
      const token = await sealRevocation({ mesh, subject, expiresAt }, signer)
      assert.equal(await one.revoke(token), true)
      assert.equal(await one.revoke(token), false)
      assert.throws(() => one.recheck(member), /revoked/)
      await fails(one.judge(chain, subject), 'Revoked')
      const later = await grant(init({ now: seconds() + 5 }), { privateKey: authority })
      await one.judge(later, subject)
    }
    const one = trust()
    const stranger = await sealRevocation({ mesh, subject, expiresAt }, { privateKey: worker, chain })
    await fails(one.revoke(stranger), 'Malformed')
    const noIssuer = await grant(init(), { privateKey: authority })
    await fails(
      one.revoke(await sealRevocation({ mesh, subject, expiresAt }, { privateKey: worker, chain: noIssuer })),
      'ExceedsIssuer'
    )
    const forged = await sealRevocation({ mesh, subject, expiresAt }, { privateKey: worker })
    await fails(one.revoke(forged), 'BadSignature')
    await one.judge(chain, subject)
    // with its issuer, all that it granted
    await one.revoke(await sealRevocation({ mesh, subject: idOf(issuer), expiresAt }, { privateKey: authority }))
    await fails(one.judge(chain, subject), 'Revoked')
  })

  it('keeps what an issuer takes back for as long as anything that it grants may last, and nothing ahead of time', async () => {
    const signer = { privateKey: issuer, chain: issuerChain }
    const init = { mesh, subject: idOf(worker), expiresAt: seconds() + 1000 * MAX_TTL }
    const seen = { mesh, authority: authority.publicKey.raw, now: seconds() }
    const { issuedUntil, expiresAt } = await openRevocation(await sealRevocation(init, signer), seen)
    assert.equal(expiresAt, issuedUntil + MAX_TTL)
    const ahead = await sealRevocation({ ...init, now: seconds() + HOUR }, signer)
    await fails(openRevocation(ahead, seen), 'NotYetValid')
  })

  it('reads invites, and has only the one issuer that is named redeem them', async () => {
    const invite = {
      mesh,
      authority: authority.publicKey.raw,
      issuer: idOf(issuer),
      relays: ['https://relay.example.org'],
      roles: ['worker' as const],
      services: ['*'],
      classes: ['internal'],
      uses: 1,
      ttl: HOUR,
      expiresAt: seconds() + HOUR
    }
    const ask = { mesh, authority: authority.publicKey.raw, issuer: idOf(issuer), now: seconds() }
    for (const signer of [issuer, authority]) {
      const token = await sealInvite(invite, signer)
      assert.deepEqual((await readInvite(token)).relays, invite.relays)
      assert.equal((await openInvite(token, ask)).uses, 1)
      await fails(openInvite(token, { ...ask, now: seconds() + HOUR + LEEWAY + 1 }), 'Expired')
      await fails(openInvite(token, { ...ask, mesh: 'another' }), 'WrongMesh')
    }
    await fails(openInvite(await sealInvite(invite, worker), ask), 'BadSignature')
    const other = await sealInvite({ ...invite, issuer: idOf(worker) }, authority)
    await fails(openInvite(other, ask), 'WrongPeer')
    const lying = await sealInvite({ ...invite, authority: worker.publicKey.raw }, issuer)
    await fails(readInvite(lying), 'Malformed')
    await fails(readInvite('hello'), 'Malformed')
  })

  it('gives everybody in an open mesh everything but what is confidential', async () => {
    const { credential } = await openTrust('hedgerow').judge('', idOf(worker))
    assert.deepEqual(credential.classes, ['public', 'internal'])
    assert.deepEqual(credential.services, ['*'])
  })
})
