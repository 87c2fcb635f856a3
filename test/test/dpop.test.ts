import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadIdentity } from '@hedgerow/daemon/identity'
import { freePort } from '@hedgerow/daemon/startup'
import { importJWK, SignJWT } from 'jose'
import { type TestMesh, testMesh, until } from '../src/harness.ts'

interface Member {
  peerId: string
  credential: string
  prove(claims: Record<string, unknown>): Promise<string>
}

/** A member of the mesh whose key and credential lie in a peer's data directory. */
async function memberIn(dataDir: string, peerId: string): Promise<Member> {
  const { raw, publicKey } = await loadIdentity(dataDir)
  const { credential } = JSON.parse(await readFile(join(dataDir, 'membership.json'), 'utf8'))
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey.raw).toString('base64url') }
  const key = await importJWK({ ...jwk, d: Buffer.from(raw.subarray(0, 32)).toString('base64url') }, 'EdDSA')
  return {
    peerId,
    credential,
    prove: claims =>
      new SignJWT({
        htm: 'GET',
        jti: randomUUID(),
        iat: Math.floor(Date.now() / 1000),
        ath: createHash('sha256').update(credential).digest('base64url'),
        ...claims
      })
        .setProtectedHeader({ typ: 'dpop+jwt', alg: 'EdDSA', jwk })
        .sign(key)
  }
}

describe('a member that calls a relay over plain HTTP', function () {
  this.timeout(60_000)
  let mesh: TestMesh
  let tunnel: string
  let member: Member
  let another: Member

  before(async () => {
    const port = await freePort()
    tunnel = `http://127.0.0.1:${port}`
    mesh = await testMesh({ workers: 2, closed: true, envOf: { relay: { HEDGEROW_TUNNEL_PORT: String(port) } } })
    const [one, two] = mesh.workers
    member = await memberIn(join(mesh.dataDir, 'worker-1'), one?.peerId ?? '')
    another = await memberIn(join(mesh.dataDir, 'worker-2'), two?.peerId ?? '')
  })

  after(() => mesh?.stop())

  const PATH = '/service/lab/headers'
  const call = (credential: string, proof: string, path = PATH): Promise<Response> =>
    fetch(tunnel + path, { headers: { authorization: `DPoP ${credential}`, dpop: proof } })
  const refused = async (response: Response): Promise<string> => {
    const { code, detail } = await response.json()
    assert.deepEqual([response.status, code], [401, 'Unauthorized'], detail)
    return detail
  }

  it('is served under its own name, once with each proof', async () => {
    const proof = await member.prove({ htu: tunnel + PATH })
    const response = await call(member.credential, proof)
    assert.equal(response.status, 200)
    const { headers } = await response.json()
    assert.equal(headers['hedgerow-caller'], `peer/${member.peerId}`)
    for (const name of ['authorization', 'dpop']) assert.equal(headers[name], undefined)
    assert.match(await refused(await call(member.credential, proof)), /used before/)
  })

  it('is refused with a proof for something else, of another, or none', async () => {
    const here = { htu: tunnel + PATH }
    for (const [credential, proof] of [
      [member.credential, await member.prove({ ...here, htm: 'POST' })],
      [member.credential, await member.prove({ htu: `${tunnel}/service/lab/counted` })],
      [member.credential, await member.prove({ htu: `https://relay.example${PATH}` })],
      [member.credential, await another.prove(here)],
      [another.credential, await member.prove(here)],
      [
        another.credential,
        await member.prove({ ...here, ath: createHash('sha256').update(another.credential).digest('base64url') })
      ],
      [`${member.credential}x`, await member.prove(here)],
      [member.credential, '']
    ] as const)
      await refused(await call(credential, proof))
    const bearer = await fetch(tunnel + PATH, { headers: { authorization: `Bearer ${member.credential}` } })
    assert.match(await refused(bearer), /no bearer token/)
  })

  it('is none of this machine for it: the port of the tunnel tells nobody by where they are', async () => {
    await refused(await fetch(tunnel + PATH))
    await until('the local port does', async () => (await fetch(mesh.relay.url + PATH)).status === 200)
  })
})
