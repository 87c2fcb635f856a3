import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError } from '@hedgerow/daemon/config'
import {
  formatMembership,
  joinByMembership,
  Membership,
  type MembershipSettings,
  parseMembership,
  Renewal,
  readMembership,
  renewalAt,
  writeMembership
} from '@hedgerow/daemon/membership'
import {
  type Credential,
  createTrust,
  type GrantInit,
  grant,
  meshIdOf,
  peerIdOfKey,
  sealInvite,
  sealRevocation
} from '@hedgerow/protocols/membership'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { type Logger, pino } from 'pino'

const HOUR = 3600
const DAY = 24 * HOUR
const log = pino({ level: 'silent' })
const seconds = (): number => Math.floor(Date.now() / 1000)

/** A log, and what is written to it. */
function listeningLog(): { log: Logger; lines: () => string } {
  let text = ''
  return { log: pino({ level: 'info' }, { write: line => (text += line) }), lines: () => text }
}

describe('membership of a peer', () => {
  let dir: string
  let authority: PrivateKey
  let privateKey: PrivateKey
  let peerId: string
  let mesh: string

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'hedgerow-member-'))
    ;[authority, privateKey] = await Promise.all([generateKeyPair('Ed25519'), generateKeyPair('Ed25519')])
    peerId = peerIdOfKey(privateKey.publicKey.raw)
    mesh = await meshIdOf('charity', authority.publicKey.raw)
  })
  afterEach(() => rm(dir, { recursive: true }))

  const credential = (over: Partial<GrantInit> = {}): Promise<string> =>
    grant(
      { mesh, subject: peerId, roles: ['worker'], services: ['*'], classes: ['internal'], ttl: 30 * DAY, ...over },
      { privateKey: authority }
    )
  const file = async (over: Partial<GrantInit> = {}) => ({
    mesh,
    authority: authority.publicKey.raw,
    credential: await credential(over)
  })
  const settings = (over: Partial<MembershipSettings> = {}): MembershipSettings => ({
    dataDir: dir,
    privateKey,
    role: 'worker',
    log,
    ...over
  })
  const refuses = (over: Partial<MembershipSettings>, setting: string, words: RegExp): Promise<void> =>
    assert.rejects(joinByMembership(settings(over)), (err: unknown) => {
      assert.ok(err instanceof ConfigError, String(err))
      assert.equal(err.setting, setting)
      assert.match(err.message, words)
      return true
    })

  describe('in its files', () => {
    it('is read as it was written, for this user only', async () => {
      const written = { ...(await file()), invite: 'abcdefgh', relays: ['https://mesh.example.org'] }
      await writeMembership(dir, written)
      assert.deepEqual(await readMembership(dir), { ...written, authority: Uint8Array.from(written.authority) })
      assert.equal((await stat(join(dir, 'membership.json'))).mode & 0o777, 0o600)
    })

    it('is refused when it is nonsense, or names an authority that its mesh has not', async () => {
      const other = await generateKeyPair('Ed25519')
      await assert.rejects(parseMembership('{'), /not JSON/)
      await assert.rejects(parseMembership('{"mesh":"x"}'), /must hold/)
      await assert.rejects(
        parseMembership(formatMembership({ ...(await file()), authority: other.publicKey.raw })),
        /authority/
      )
    })
  })

  describe('at the start', () => {
    it('is none where nothing says that the mesh is closed', async () => {
      assert.equal(await joinByMembership(settings()), undefined)
    })

    it('comes from the data directory, from a file that is named, or from the text itself', async () => {
      const text = formatMembership(await file())
      const path = join(dir, 'given.json')
      await writeFile(path, text)
      for (const given of [path, text]) {
        const membership = await joinByMembership(settings({ credential: given }))
        assert.equal(membership?.mesh, mesh)
        await membership?.stop()
        assert.equal((await readMembership(dir))?.mesh, mesh, 'it is kept')
        const again = await joinByMembership(settings())
        assert.equal(again?.trust.own, JSON.parse(text).credential)
        await again?.stop()
        await rm(join(dir, 'membership.json'))
      }
    })

    it('is the younger of two for one mesh, but not one that has ended', async () => {
      const now = seconds()
      const kept = await file({ now: now - HOUR })
      await writeMembership(dir, kept)
      const chosen = async (given: Partial<GrantInit>): Promise<string | undefined> => {
        await writeMembership(dir, kept)
        const membership = await joinByMembership(settings({ credential: formatMembership(await file(given)) }))
        await membership?.stop()
        return membership?.trust.own
      }
      assert.notEqual(await chosen({ now }), kept.credential)
      assert.equal(await chosen({ now: now - 2 * HOUR }), kept.credential)
      assert.equal(await chosen({ now: now - 20 * DAY, ttl: DAY }), kept.credential)
    })

    it('is refused with the setting that it came from, and what to do', async () => {
      const strangers = await generateKeyPair('Ed25519')
      const text = async (over: Partial<GrantInit>): Promise<string> => formatMembership(await file(over))
      await refuses({ credential: '{}' }, 'HEDGEROW_CREDENTIAL', /its value/)
      await refuses({ credential: join(dir, 'none.json') }, 'HEDGEROW_CREDENTIAL', /ENOENT/)
      await refuses(
        { credential: await text({ now: seconds() - 40 * DAY }) },
        'HEDGEROW_CREDENTIAL',
        new RegExp(`expired.*mesh sign ${peerId}`)
      )
      await refuses(
        { credential: await text({ subject: peerIdOfKey(strangers.publicKey.raw) }) },
        'HEDGEROW_CREDENTIAL',
        new RegExp(`this peer is ${peerId}`)
      )
      await refuses({ credential: await text({}), mesh: 'another' }, 'HEDGEROW_MESH', /another/)
      await refuses(
        { credential: await text({}), role: 'relay' },
        'HEDGEROW_CREDENTIAL',
        /for a worker, and this is a relay/
      )
      await writeFile(join(dir, 'membership.json'), 'nonsense')
      await refuses({}, 'HEDGEROW_DATA_DIR', /membership\.json is no membership file/)
    })

    it('needs no invite that it has used already, whatever has become of that', async () => {
      const invite = await sealInvite(
        {
          mesh,
          authority: authority.publicKey.raw,
          issuer: peerId,
          relays: ['http://127.0.0.1:1'],
          roles: ['worker'],
          services: ['*'],
          classes: [],
          uses: 1,
          ttl: DAY,
          expiresAt: seconds() - DAY
        },
        authority
      )
      await refuses({ invite }, 'HEDGEROW_INVITE', /ended/)
      await refuses({ invite, role: 'relay' }, 'HEDGEROW_INVITE', /for a worker.*mesh sign/)
      await refuses({ invite: 'nonsense' }, 'HEDGEROW_INVITE', /not a signed token/)
      const { jti } = JSON.parse(Buffer.from(invite.split('.')[1] ?? '', 'base64url').toString())
      await writeMembership(dir, { ...(await file()), invite: jti, relays: ['http://127.0.0.1:1'] })
      const membership = await joinByMembership(settings({ invite }))
      assert.deepEqual(membership?.relays, ['http://127.0.0.1:1'])
      await membership?.stop()
    })
  })

  describe('while it runs', () => {
    const opened = async (over: Partial<GrantInit> = {}, random = () => 0) => {
      const held = await file(over)
      await writeMembership(dir, held)
      const { log: heard, lines } = listeningLog()
      const membership = await Membership.open({
        dataDir: dir,
        privateKey,
        file: held,
        watched: [join(dir, 'membership.json')],
        reread: () => readMembership(dir),
        log: heard,
        random
      })
      return { membership, lines, held }
    }

    it('takes a credential that somebody puts there, and tells of it', async () => {
      const { membership } = await opened({ now: seconds() - HOUR })
      const told = Promise.withResolvers<string>()
      membership.addListener(told.resolve)
      membership.start({ askRenewal: () => Promise.reject(new Error('not asked')) })
      const next = await file()
      await writeMembership(dir, next)
      assert.equal(await told.promise, next.credential)
      assert.equal(membership.trust.own, next.credential)
      await membership.stop()
    })

    it('leaves one that is not good, and says so', async () => {
      const { membership, lines, held } = await opened()
      membership.start({ askRenewal: () => Promise.reject(new Error('not asked')) })
      await writeFile(join(dir, 'membership.json'), 'nonsense')
      while (!lines().includes('is not used')) await new Promise(resolve => setTimeout(resolve, 20))
      assert.equal(membership.trust.own, held.credential)
      await membership.stop()
    })

    it('is renewed by its issuer when two thirds of its time are over, and the new one is kept', async () => {
      const issuer = await generateKeyPair('Ed25519')
      const issuerId = peerIdOfKey(issuer.publicKey.raw)
      const chain = await credential({ subject: issuerId, roles: ['issuer'] })
      const granted = (now: number): Promise<string> =>
        grant(
          { mesh, subject: peerId, roles: ['worker'], services: ['*'], classes: [], ttl: DAY, renewal: DAY, now },
          { privateKey: issuer, chain }
        )
      const held = { mesh, authority: authority.publicKey.raw, credential: await granted(seconds() - 17 * HOUR) }
      const membership = await Membership.open({ dataDir: dir, privateKey, file: held, log, random: () => 0 })
      const told = Promise.withResolvers<string>()
      membership.addListener(told.resolve)
      const next = await granted(seconds())
      membership.start({
        askRenewal: async (asked, shown) => {
          assert.equal(asked, issuerId)
          assert.equal(shown, held.credential)
          return next
        }
      })
      assert.equal(await told.promise, next)
      assert.equal((await readMembership(dir))?.credential, next)
      assert.equal(membership.credential()?.renewed, true)
      assert.equal(membership.credential()?.warning, undefined)
      await membership.stop()
    })

    it('warns of a credential of the authority that ends within two weeks', async () => {
      const { membership, lines } = await opened({ ttl: 13 * DAY })
      membership.start({ askRenewal: () => Promise.reject(new Error('not asked')) })
      assert.match(lines(), new RegExp(`mesh sign ${peerId}`))
      assert.match(membership.credential()?.warning ?? '', /ends soon/)
      await membership.stop()
      const { membership: other, lines: none } = await opened({ ttl: 15 * DAY })
      other.start({ askRenewal: () => Promise.reject(new Error('not asked')) })
      assert.equal(none(), '')
      assert.equal(other.credential()?.warning, undefined)
      await other.stop()
    })

    it('knows after a restart what was revoked, and forgets what a file holds besides', async () => {
      const { membership } = await opened()
      const subject = peerIdOfKey((await generateKeyPair('Ed25519')).publicKey.raw)
      const token = await sealRevocation({ mesh, subject, expiresAt: seconds() + DAY }, { privateKey: authority })
      assert.equal(await membership.trust.revoke(token), true)
      await membership.stop()
      const path = join(dir, 'revocations.jsonl')
      await writeFile(path, `${await readFile(path, 'utf8')}"not one"\n{"half`)
      const again = await Membership.open({ dataDir: dir, privateKey, file: await file(), log })
      assert.deepEqual(again.trust.revocations(), [token])
      await again.stop()
      assert.equal(await readFile(path, 'utf8'), `${JSON.stringify(token)}\n`)
    })
  })

  describe('when it is to be renewed', () => {
    const held = (issuedAt: number, expiresAt: number): Credential => ({
      id: '',
      issuer: 'issuer',
      subject: '',
      mesh: '',
      roles: [],
      services: [],
      classes: [],
      issuedAt,
      notBefore: issuedAt,
      expiresAt,
      renewal: 1
    })

    it('is at two thirds of its life, or a little before', () => {
      assert.equal(renewalAt(held(0, 3000), 0), 2000)
      assert.ok(Math.abs(renewalAt(held(0, 3000), 1) - 1850) < 1e-6)
    })

    it('says so when the issuer does not answer, and asks no sooner than a while later', async () => {
      let asked = 0
      const done = Promise.withResolvers<void>()
      const { log: heard, lines } = listeningLog()
      const renewal = new Renewal({
        credential: () => held(0, 3000),
        renew: async () => {
          asked++
          done.resolve()
          throw new Error('nobody there')
        },
        log: heard,
        now: () => 2500,
        random: () => 0
      })
      renewal.start()
      await done.promise
      while (!lines().includes('trying again')) await new Promise(resolve => setImmediate(resolve))
      assert.match(lines(), /nobody there/)
      assert.equal(asked, 1)
      renewal.stop()
    })
  })

  it('says nothing of a trust that it was given for one command', async () => {
    const trust = createTrust({ mesh, authority: authority.publicKey.raw, own: await credential() })
    const membership = new Membership({ dataDir: dir, privateKey, file: undefined, log }, trust)
    assert.equal(membership.closed, true)
    assert.equal(membership.credential(), undefined)
    await membership.stop()
    await assert.rejects(readFile(join(dir, 'membership.json')), /ENOENT/)
  })
})
