import assert from 'node:assert/strict'
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createIssuer, type EnrolCaller, type Issuer } from '@hedgerow/daemon/membership'
import { MeshError, type MeshErrorCode } from '@hedgerow/protocols/errors'
import {
  createTrust,
  grant,
  type InviteInit,
  inviteSubject,
  LEEWAY,
  meshIdOf,
  peerIdOfKey,
  proveKey,
  readInvite,
  sealInvite,
  sealRevocation,
  type Trust
} from '@hedgerow/protocols/membership'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { pino } from 'pino'

const log = pino({ level: 'silent' })
const HOUR = 3600
const START = 1_800_000_000
const ANONYMOUS: EnrolCaller = { kind: 'anonymous', id: '', services: [], rights: new Set() }
const LOCAL: EnrolCaller = { kind: 'local', id: '', services: '*', rights: new Set(['enrol']) }
const idOf = (key: PrivateKey): string => peerIdOfKey(key.publicKey.raw)

async function fails(what: Promise<unknown>, code: MeshErrorCode): Promise<void> {
  await assert.rejects(what, (err: unknown) => {
    assert.ok(err instanceof MeshError, String(err))
    assert.equal(err.code, code, err.message)
    return true
  })
}

describe('an issuer', () => {
  let dir: string
  let now: number
  let authority: PrivateKey
  let relay: PrivateKey
  let newcomer: PrivateKey
  let mesh: string
  let trust: Trust
  let issuer: Issuer

  const own = (services = ['*'], classes = ['public', 'internal']) =>
    grant(
      { mesh, subject: idOf(relay), roles: ['relay', 'issuer'], services, classes, ttl: 1000 * HOUR, now },
      { privateKey: authority }
    )
  const open = (): Promise<Issuer> =>
    createIssuer({ dataDir: dir, privateKey: relay, peerId: idOf(relay), trust, log, now: () => now })
  const invite = (over: Partial<InviteInit> = {}, signer = relay): Promise<string> =>
    sealInvite(
      {
        mesh,
        authority: authority.publicKey.raw,
        issuer: idOf(relay),
        relays: ['https://mesh.example.org'],
        roles: ['worker'],
        services: ['ner-extraction'],
        classes: ['internal'],
        uses: 1,
        ttl: 24 * HOUR,
        expiresAt: now + HOUR,
        now,
        ...over
      },
      signer
    )
  const enrol = async (key: PrivateKey, token?: string, caller = ANONYMOUS, at = issuer) => {
    const nonce = await at.nonce()
    const proof = await proveKey(key, mesh, nonce)
    return at.enrol({ ...proof, nonce, ...(token == null ? {} : { invite: token }) }, caller)
  }

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'hedgerow-issuer-'))
    now = START
    const key = (): Promise<PrivateKey> => generateKeyPair('Ed25519')
    ;[authority, relay, newcomer] = await Promise.all([key(), key(), key()])
    mesh = await meshIdOf('charity', authority.publicKey.raw)
    trust = createTrust({ mesh, authority: authority.publicKey.raw, own: await own(), now: () => now })
    issuer = await open()
  })
  afterEach(async () => {
    await issuer.stop()
    await rm(dir, { recursive: true })
  })

  it('gives whoever brings an invite what the invite says, bound to its key', async () => {
    const { credential, expiresAt } = await enrol(newcomer, await invite())
    const member = await trust.judge(credential, idOf(newcomer))
    assert.deepEqual(member.credential.roles, ['worker'])
    assert.deepEqual(member.credential.services, ['ner-extraction'])
    assert.deepEqual(member.credential.classes, ['internal'])
    assert.equal(member.credential.renewal, 24 * HOUR)
    assert.equal(expiresAt, now + 24 * HOUR)
    await assert.rejects(trust.judge(credential, idOf(relay)))
  })

  it('takes an invite that the authority has signed as well', async () => {
    const { credential } = await enrol(newcomer, await invite({}, authority))
    await trust.judge(credential, idOf(newcomer))
  })

  it('lets in as many as the invite says, and the same peer again', async () => {
    const token = await invite({ uses: 2 })
    const [second, third] = await Promise.all([generateKeyPair('Ed25519'), generateKeyPair('Ed25519')])
    await enrol(newcomer, token)
    await enrol(newcomer, token)
    await enrol(second, token)
    await fails(enrol(third, token), 'InviteUsedUp')
    await enrol(second, token)
    assert.equal(issuer.redemptions, 2)
  })

  it('lets exactly one of many in who come at once with an invite for one', async () => {
    const token = await invite()
    const keys = await Promise.all(Array.from({ length: 20 }, () => generateKeyPair('Ed25519')))
    const results = await Promise.allSettled(keys.map(key => enrol(key, token)))
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const result of results)
      if (result.status === 'rejected') assert.equal(result.reason.code, 'InviteUsedUp', String(result.reason))
  })

  it('remembers after a restart who has used what, whatever a crash left in the file', async () => {
    const token = await invite()
    await enrol(newcomer, token)
    await issuer.stop()
    await appendFile(join(dir, 'redemptions.jsonl'), '{"invite":"abc","peer_')
    issuer = await open()
    await enrol(newcomer, token)
    await fails(enrol(await generateKeyPair('Ed25519'), token), 'InviteUsedUp')
  })

  it('has a redemption on the disk before it grants, and forgets it when the invite has ended', async () => {
    const file = join(dir, 'redemptions.jsonl')
    await enrol(newcomer, await invite())
    assert.match(await readFile(file, 'utf8'), new RegExp(idOf(newcomer)))
    await issuer.stop()
    now += HOUR + LEEWAY + 1
    issuer = await open()
    assert.equal(await readFile(file, 'utf8'), '')
    assert.equal(issuer.redemptions, 0)
  })

  it('grants nothing that it could not write down', async () => {
    await issuer.stop()
    await rm(dir, { recursive: true })
    const token = await invite()
    await assert.rejects(enrol(newcomer, token), /ENOENT/)
    assert.equal(issuer.redemptions, 0)
    dir = await mkdtemp(join(tmpdir(), 'hedgerow-issuer-'))
    issuer = await open()
    await enrol(newcomer, token)
  })

  it('refuses invites that have ended, are for another issuer, are forged, or name more than it may give', async () => {
    const other = await generateKeyPair('Ed25519')
    await fails(enrol(newcomer, await invite({ expiresAt: now - LEEWAY - 1 })), 'InvalidInvite')
    await fails(enrol(newcomer, await invite({ issuer: idOf(other) }, authority)), 'NotIssuer')
    await fails(enrol(newcomer, await invite({}, other)), 'InvalidInvite')
    await fails(enrol(newcomer, await invite({ classes: ['confidential'] })), 'InvalidInvite')
    await fails(enrol(newcomer, await invite({ roles: ['relay'] }, authority)), 'InvalidInvite')
    await fails(enrol(newcomer, `${(await invite()).slice(0, -4)}AAAA`), 'InvalidInvite')
    await fails(enrol(newcomer, 'nonsense'), 'InvalidInvite')
    trust.own = await own(['vision-ocr'])
    await fails(enrol(newcomer, await invite()), 'InvalidInvite')
    assert.equal(issuer.redemptions, 0)
  })

  it('takes each nonce once, its own only, within five minutes, signed by the key that it is told', async () => {
    const token = await invite({ uses: 10 })
    const nonce = await issuer.nonce()
    const proof = await proveKey(newcomer, mesh, nonce)
    const other = await generateKeyPair('Ed25519')
    const ask = (over: object) => issuer.enrol({ ...proof, nonce, invite: token, ...over }, ANONYMOUS)
    await fails(ask({ peerId: idOf(other) }), 'InvalidProof')
    await fails(ask({ proof: (await proveKey(other, mesh, nonce)).proof }), 'InvalidProof')
    await assert.rejects(proveKey(newcomer, 'another-mesh', nonce), /no nonce for enrolment/)
    await fails(ask({ nonce: 'hedgerow-enrol:another-mesh:x' }), 'InvalidProof')
    await fails(ask({ publicKey: 'AAAA' }), 'InvalidProof')
    await fails(ask({ nonce: 'x'.repeat(51) }), 'InvalidProof')
    await fails(ask({ nonce: '' }), 'InvalidProof')
    await ask({})
    await fails(ask({}), 'InvalidProof')
    const late = await issuer.nonce()
    now += 301
    await fails(ask({ ...(await proveKey(newcomer, mesh, late)), nonce: late }), 'InvalidProof')
  })

  it('takes one nonce once, also when it comes twice at the same time', async () => {
    const token = await invite({ uses: 10 })
    const nonce = await issuer.nonce()
    const request = { ...(await proveKey(newcomer, mesh, nonce)), nonce, invite: token }
    const results = await Promise.allSettled([issuer.enrol(request, ANONYMOUS), issuer.enrol(request, ANONYMOUS)])
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  })

  it('lets callers with the right in as clients for an hour, to what they may call, and nobody else', async () => {
    await fails(enrol(newcomer), 'Unauthorized')
    await fails(enrol(newcomer, undefined, { ...LOCAL, kind: 'key', rights: new Set(['call']) }), 'Forbidden')
    await fails(enrol(newcomer, undefined, { ...LOCAL, kind: 'peer' }), 'Forbidden')
    const { credential, expiresAt } = await enrol(newcomer, undefined, {
      ...LOCAL,
      kind: 'key',
      services: ['ner-extraction']
    })
    const member = await trust.judge(credential, idOf(newcomer))
    assert.deepEqual(member.credential.roles, ['client'])
    assert.deepEqual(member.credential.services, ['ner-extraction'])
    assert.deepEqual(member.credential.classes, ['public', 'internal'])
    assert.equal(expiresAt, now + HOUR)
    await fails(issuer.renew(credential, idOf(newcomer)), 'Forbidden')
  })

  it('renews what it gave, for as long as the first time, and no more than it may give now', async () => {
    const token = await invite({ services: ['ner-extraction', 'vision-ocr'], classes: ['public', 'internal'] })
    const { credential } = await enrol(newcomer, token)
    now += 16 * HOUR
    trust.own = await own(['vision-ocr', 'notes-coa'], ['public'])
    const renewed = await issuer.renew(credential, idOf(newcomer))
    assert.equal(renewed.expiresAt, now + 24 * HOUR)
    const member = await trust.judge(renewed.credential, idOf(newcomer))
    assert.deepEqual(member.credential.services, ['vision-ocr'])
    assert.deepEqual(member.credential.classes, ['public'])
  })

  it('renews nothing of another peer or issuer, nor what is over or taken back', async () => {
    const { credential } = await enrol(newcomer, await invite())
    await fails(issuer.renew(credential, idOf(relay)), 'Forbidden')
    const byAuthority = await grant(
      { mesh, subject: idOf(newcomer), roles: ['worker'], services: ['*'], classes: [], ttl: HOUR, now },
      { privateKey: authority }
    )
    await fails(issuer.renew(byAuthority, idOf(newcomer)), 'NotIssuer')
    now += 24 * HOUR + LEEWAY + 1
    await fails(issuer.renew(credential, idOf(newcomer)), 'Forbidden')
    const { credential: next } = await enrol(newcomer, await invite())
    await trust.revoke(
      await sealRevocation({ mesh, subject: idOf(newcomer), expiresAt: now + HOUR, now }, { privateKey: authority })
    )
    await fails(issuer.renew(next, idOf(newcomer)), 'Forbidden')
  })

  it('lets a peer that was taken out in again by an invite that is younger, and by nothing else', async () => {
    const old = await invite({ uses: 10 })
    await enrol(newcomer, old)
    now += 60
    await trust.revoke(
      await sealRevocation(
        { mesh, subject: idOf(newcomer), expiresAt: now + 100 * HOUR, now },
        { privateKey: authority }
      )
    )
    await fails(enrol(newcomer, old), 'Forbidden')
    await fails(enrol(newcomer, undefined, LOCAL), 'Forbidden')
    now += 60
    const { credential } = await enrol(newcomer, await invite())
    await trust.judge(credential, idOf(newcomer))
    now += 16 * HOUR
    const renewed = await issuer.renew(credential, idOf(newcomer)).catch(err => err)
    assert.ok(!(renewed instanceof Error), String(renewed))
  })

  it('lets nobody in by an invite that was taken back, by the authority or by itself, and by another', async () => {
    for (const signer of [{ privateKey: authority }, { privateKey: relay, chain: await own() }]) {
      const token = await invite({ uses: 10 })
      await enrol(newcomer, token)
      const { id } = await readInvite(token)
      await trust.revoke(await sealRevocation({ mesh, subject: inviteSubject(id), expiresAt: now + HOUR, now }, signer))
      await fails(enrol(newcomer, token), 'InvalidInvite')
      const { credential } = await enrol(newcomer, await invite())
      await trust.judge(credential, idOf(newcomer))
    }
  })

  it('enrols nobody when its credential makes it no issuer, or has ended', async () => {
    trust.own = await grant(
      { mesh, subject: idOf(relay), roles: ['relay'], services: ['*'], classes: [], ttl: HOUR, now },
      { privateKey: authority }
    )
    await fails(issuer.nonce(), 'NotIssuer')
    trust.own = await own()
    await issuer.nonce()
    now += 1000 * HOUR + LEEWAY + 1
    await fails(issuer.nonce(), 'NotIssuer')
  })
})
