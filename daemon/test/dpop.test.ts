import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type { DispatchRequest } from '@hedgerow/protocols/dispatch'
import { MeshError } from '@hedgerow/protocols/errors'
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import type { FastifyInstance } from 'fastify'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import pino from 'pino'
import { type Access, openAccess, type VerifiedCredential } from '../src/access/index.ts'
import { createApi } from '../src/api/index.ts'
import { type IngressComponents, serviceListener, serviceRoutes } from '../src/ingress/index.ts'

interface Member {
  credential: string
  peerId: string
  jwk: JWK
  privateKey: CryptoKey
}

interface Lie {
  claims?: Record<string, unknown>
  header?: Record<string, unknown>
  signer?: Member
  algorithm?: string
}

const log = pino({ level: 'silent' })

describe('a member that calls over plain HTTP (DPoP)', () => {
  let access: Access
  let app: FastifyInstance
  let url: string
  let member: Member
  let other: Member
  const credentials = new Map<string, VerifiedCredential>()
  const asked: DispatchRequest[] = []

  async function join(services: string[] = ['*'], roles = ['client']): Promise<Member> {
    const { publicKey, privateKey } = await generateKeyPair('Ed25519', { extractable: true })
    const jwk = await exportJWK(publicKey)
    const peerId = peerIdFromPublicKey(publicKeyFromRaw(Buffer.from(jwk.x ?? '', 'base64url'))).toString()
    // What it looks like is for the mesh to check, whose part is played by the table.
    const credential = await new SignJWT({ sub: peerId })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'hedgerow-credential+jwt' })
      .sign(privateKey)
    credentials.set(credential, { peerId, roles, services, expiresAt: Date.now() + 60_000, isGood: () => true })
    return { credential, peerId, jwk, privateKey }
  }

  function prove({ jwk, privateKey, credential }: Member, path: string, lie: Lie = {}): Promise<string> {
    const claims = {
      htm: 'POST',
      htu: url + path,
      jti: randomUUID(),
      iat: Math.floor(Date.now() / 1000),
      ath: createHash('sha256').update(credential).digest('base64url'),
      ...lie.claims
    }
    return new SignJWT(claims)
      .setProtectedHeader({ typ: 'dpop+jwt', alg: lie.algorithm ?? 'EdDSA', jwk, ...lie.header })
      .sign((lie.signer ?? { privateKey }).privateKey)
  }

  const call = (path: string, headers: Record<string, string>, method = 'POST'): Promise<Response> =>
    fetch(url + path, { method, headers })

  const as = async ({ credential }: Member, proof: string, path = '/service/echo'): Promise<Response> =>
    call(path, { authorization: `DPoP ${credential}`, dpop: proof })

  before(async () => {
    access = await openAccess({
      log,
      verifyCredential: async token =>
        credentials.get(token) ?? Promise.reject(new MeshError('Unauthorized', 'this credential is not good'))
    })
    const components: IngressComponents = {
      dispatch: async request => {
        asked.push(request)
        return {
          status: 200,
          headers: {},
          body: (async function* () {})(),
          complete: Buffer.from('done'),
          requestId: 'id',
          worker: 'peer',
          attempts: 1,
          route: { path: 'direct', transport: 'tcp' },
          operation: 'POST /echo',
          traceparent: '00-1-2-01'
        }
      }
    }
    app = await createApi({
      title: 'test',
      version: '1',
      log,
      corsOrigins: ['*'],
      gate: access.gate('tunnel', { corsOrigins: ['*'] }),
      services: serviceListener(components, log)
    })
    await app.register(serviceRoutes(components))
    app.get('/api/admin/workers', async () => ({}))
    await app.listen({ host: '127.0.0.1', port: 0 })
    url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
    member = await join()
    other = await join(['ocr'])
  })

  after(async () => {
    await app?.close()
    access?.stop()
  })

  const refused = async (response: Response, status = 401, code = 'Unauthorized'): Promise<string> => {
    const { code: said, detail } = await response.json()
    assert.equal(response.status, status, detail)
    assert.equal(said, code)
    return detail
  }

  it('is known by its peer id, and nothing of what proved it goes on', async () => {
    for (const path of ['/service/echo', '/service/echo?q=1', '/service/ech%6f']) {
      const response = await as(member, await prove(member, path.split('?')[0] ?? ''), path)
      assert.equal(response.status, 200, path)
      const request = asked.at(-1)
      assert.equal(request?.caller, `peer/${member.peerId}`)
      assert.equal(request?.headers.authorization, undefined)
      assert.equal(request?.headers.dpop, undefined)
    }
  })

  it('is refused the second time with the same proof', async () => {
    const proof = await prove(member, '/service/echo')
    assert.equal((await as(member, proof)).status, 200)
    const again = await as(member, proof)
    assert.match(again.headers.get('www-authenticate') ?? '', /DPoP .*error="invalid_dpop_proof"/)
    assert.match(await refused(again), /used before/)
  })

  // When the file is read; its tests may run much later.
  const now = Math.floor(Date.now() / 1000)
  const DAY = 86_400
  const lies: Array<[string, RegExp, Lie]> = [
    ['another method', /is for "GET"/, { claims: { htm: 'GET' } }],
    ['another path', /not this URL/, { claims: { htu: 'http://127.0.0.1/service/other' } }],
    ['another server', /not this URL/, { claims: { htu: 'https://relay.example/service/echo' } }],
    [
      'a server whose name begins like this one',
      /not this URL/,
      { claims: { htu: 'http://127.0.0.1@evil.example/service/echo' } }
    ],
    ['no URL', /not this URL/, { claims: { htu: 'service/echo' } }],
    ['yesterday', /its time/, { claims: { iat: now - DAY } }],
    ['tomorrow', /its time/, { claims: { iat: now + DAY } }],
    ['no time', /its time/, { claims: { iat: undefined } }],
    ['a time that is no number', /is not good/, { claims: { iat: 'soon' } }],
    ['no name of its own', /jti/, { claims: { jti: undefined } }],
    ['an empty name of its own', /jti/, { claims: { jti: '' } }],
    ['a name without end', /jti/, { claims: { jti: 'x'.repeat(300) } }],
    ['another credential', /ath/, { claims: { ath: 'x' } }],
    ['no credential', /ath/, { claims: { ath: undefined } }],
    ['another type', /is not good/, { header: { typ: 'JWT' } }],
    ['no key', /is not good/, { header: { jwk: undefined } }]
  ]
  for (const [what, detail, lie] of lies)
    it(`is refused with a proof for ${what}`, async () => {
      assert.match(await refused(await as(member, await prove(member, '/service/echo', lie))), detail)
    })

  it("is refused with a proof by another's key, or signed with none, or by a key that is no peer's", async () => {
    await refused(await as(member, await prove(member, '/service/echo', { signer: other })))
    const stolen = { ...other, credential: member.credential }
    assert.match(await refused(await as(stolen, await prove(stolen, '/service/echo'))), /another key/)
    const [, payload = ''] = (await prove(member, '/service/echo')).split('.')
    for (const alg of ['none', 'HS256']) {
      const header = Buffer.from(JSON.stringify({ typ: 'dpop+jwt', alg, jwk: member.jwk })).toString('base64url')
      await refused(await as(member, `${header}.${payload}.`))
    }
    const { publicKey, privateKey } = await generateKeyPair('ES256')
    const elliptic = { ...member, jwk: await exportJWK(publicKey), privateKey }
    await refused(await as(member, await prove(elliptic, '/service/echo', { algorithm: 'ES256' })))
  })

  it('is refused with a private key in its proof, two proofs, or none', async () => {
    const secret = await exportJWK(member.privateKey)
    await refused(await as(member, await prove(member, '/service/echo', { header: { jwk: secret } })))
    const two = await Promise.all([prove(member, '/service/echo'), prove(member, '/service/echo')])
    await refused(await as(member, two.join(', ')))
    await refused(await call('/service/echo', { authorization: `DPoP ${member.credential}` }))
    await refused(await as(member, 'junk'))
    await refused(await as(member, '..'))
  })

  it('is refused with a credential that is not good, or with a good one as a bearer token', async () => {
    const forged = { ...member, credential: `${member.credential}x` }
    await refused(await as(forged, await prove(forged, '/service/echo')))
    for (const token of [member.credential, `${member.credential}~${other.credential}`])
      assert.match(
        await refused(await call('/service/echo', { authorization: `Bearer ${token}` })),
        /no bearer token.*DPoP/
      )
  })

  it('may call the services of its credential, and administer nothing', async () => {
    const proof = (path: string, htm = 'POST'): Promise<string> => prove(other, path, { claims: { htm } })
    assert.equal((await as(other, await proof('/service/ocr'), '/service/ocr')).status, 200)
    assert.match(await refused(await as(other, await proof('/service/echo')), 403, 'Forbidden'), /echo/)
    const headers = {
      authorization: `DPoP ${other.credential}`,
      dpop: await proof('/api/admin/workers', 'GET')
    }
    await refused(await call('/api/admin/workers', headers, 'GET'), 403, 'Forbidden')
  })
})
