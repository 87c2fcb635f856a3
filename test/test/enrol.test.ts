import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openAuthority } from '@hedgerow/daemon/authority'
import { loadIdentity } from '@hedgerow/daemon/identity'
import { formatMembership } from '@hedgerow/daemon/membership'
import { createTrust, grant, type InviteInit, peerIdOfKey, proveKey, sealInvite } from '@hedgerow/protocols/membership'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { request } from 'undici'
import { getJson, postJson, type TestMesh, testMesh, until } from '../src/harness.ts'

const HOUR = 3600
const seconds = (): number => Math.floor(Date.now() / 1000)
const idOf = (key: PrivateKey): string => peerIdOfKey(key.publicKey.raw)
const root = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const DAEMON = root('daemon/bin/hedgerow-daemon.js')
const CLI = root('inspector/bin/hedgerow.js')

interface Credential {
  expires_at: string
  issuer: string
  roles: string[]
  services: string[]
  classes: string[]
}

interface MeshJson {
  mesh: string
  authority: string
  credential: Credential
  issuer: boolean
  counts: { workers: number; revocations: number; redemptions: number }
}

describe('a closed mesh', function () {
  this.timeout(120_000)
  let mesh: TestMesh
  let home: string
  const others: ChildProcess[] = []
  /** of one relay; changed between two starts of it */
  const relayEnv: Record<string, string> = {}

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'hedgerow-home-'))
    mesh = await testMesh({ closed: true, workers: 2, envOf: { relay: relayEnv } })
  })
  after(async () => {
    for (const child of others) child.kill('SIGKILL')
    await mesh?.stop()
    await rm(home, { recursive: true, force: true })
  })

  const authority = () => openAuthority(join(mesh.dataDir, 'mesh'), { passphrase: () => assert.fail('no passphrase') })
  const relayKey = () => loadIdentity(join(mesh.dataDir, 'relay'))
  const invite = async (over: Partial<InviteInit> = {}): Promise<string> => {
    const { mesh: id, authority: key } = await authority()
    const privateKey = await relayKey()
    return sealInvite(
      {
        mesh: id,
        authority: key,
        issuer: idOf(privateKey),
        relays: [mesh.relay.url],
        roles: ['worker'],
        services: ['*'],
        classes: ['public', 'internal'],
        uses: 1,
        ttl: 24 * HOUR,
        expiresAt: seconds() + HOUR,
        ...over
      },
      privateKey
    )
  }
  /** `POST /api/enrol` as its documentation says. */
  const enrol = async (key: PrivateKey, token?: string, headers: Record<string, string> = {}) => {
    const { nonce } = await getJson<{ nonce: string }>(`${mesh.relay.url}/api/enrol`)
    const { peerId, publicKey, proof } = await proveKey(key, (await about()).mesh, nonce)
    const answer = await request(`${mesh.relay.url}/api/enrol`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ peer_id: peerId, public_key: publicKey, nonce, proof, invite: token })
    })
    const body = (await answer.body.json()) as Record<string, unknown>
    return { status: answer.statusCode, type: answer.headers['content-type'], body }
  }
  const about = (url = mesh.relay.url): Promise<MeshJson> => getJson(`${url}/api/mesh`)
  const credentialOf = async (url: string): Promise<Credential> =>
    // 503 while it starts, and says the same.
    ((await (await fetch(`${url}/health`)).json()) as { credential: Credential }).credential

  const start = (env: Record<string, string>) => {
    const child = spawn(process.execPath, [DAEMON], {
      env: {
        PATH: process.env.PATH,
        HOME: home,
        HEDGEROW_HTTP_PORT: '0',
        HEDGEROW_LISTEN: '/ip4/127.0.0.1/tcp/0',
        HEDGEROW_MDNS: 'false',
        HEDGEROW_FORBID_SERVICES: '*',
        ...env
      },
      stdio: ['ignore', 'ignore', 'pipe']
    })
    others.push(child)
    let text = ''
    child.stderr.on('data', chunk => (text += chunk))
    return {
      child,
      said: () => text,
      says: (words: RegExp) =>
        until(
          `it says ${words}`,
          async () => {
            if (child.exitCode != null && !words.test(text)) assert.fail(text)
            return words.test(text) || Promise.reject(new Error(text))
          },
          60_000
        ),
      ended: async (): Promise<number | null> => {
        if (child.exitCode == null) await once(child, 'exit')
        return child.exitCode
      }
    }
  }
  const hedgerow = async (...args: string[]) => {
    const child = spawn(process.execPath, [CLI, ...args], {
      env: { PATH: process.env.PATH, HOME: home, HEDGEROW_MESH_DIR: join(mesh.dataDir, 'mesh') },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    let out = ''
    let err = ''
    child.stdout.on('data', chunk => (out += chunk))
    child.stderr.on('data', chunk => (err += chunk))
    const [code] = await once(child, 'close')
    return { code, out, err }
  }
  const knows = async (url: string, peerId: string): Promise<boolean> => {
    const { workers } = await getJson<{ workers: Array<{ peer_id: string }> }>(`${url}/api/admin/workers`)
    return workers.some(({ peer_id }) => peer_id === peerId)
  }

  it('says what it is, and what each peer is in it', async () => {
    const [{ mesh: id, authority: key }, said] = await Promise.all([authority(), about()])
    assert.equal(said.mesh, id)
    assert.equal(said.authority, Buffer.from(key).toString('base64url'))
    assert.deepEqual(said.credential.roles, ['relay', 'issuer'])
    assert.equal(said.issuer, true)
    assert.equal(said.counts.workers, 2)
    assert.equal((await getJson<{ closed: boolean }>(`${mesh.relay.url}/health`)).closed, true)
    const bootstrap = await getJson<{ mesh: string; authority: string }>(`${mesh.relay.url}/bootstrap`)
    assert.deepEqual([bootstrap.mesh, bootstrap.authority], [id, said.authority])
    const worker = await credentialOf(mesh.workers[0]?.url ?? '')
    assert.deepEqual([worker.roles, worker.issuer], [['worker'], 'authority'])
    const shown = await hedgerow('mesh', 'show', '--daemon', mesh.relay.url)
    assert.equal(shown.code, 0, shown.err)
    for (const words of [id, 'is closed', 'relay, issuer', '2 workers', 'lets others in'])
      assert.ok(shown.out.includes(words), shown.out)
  })

  it('lets a machine in that has an invite and nothing else, and knows it again without', async () => {
    const made = await hedgerow('mesh', 'invite', '--services', '*', '--relay', mesh.relay.url)
    assert.equal(made.code, 0, made.err)
    const HEDGEROW_DATA_DIR = join(home, 'invited')
    const first = start({ HEDGEROW_INVITE: made.out.trim(), HEDGEROW_DATA_DIR })
    await first.says(/worker is up/)
    const peerId = idOf(await loadIdentity(HEDGEROW_DATA_DIR))
    await until('a worker knows it', () => knows(mesh.workers[0]?.url ?? '', peerId))
    first.child.kill('SIGTERM')
    assert.equal(await first.ended(), 0)
    // The invite is used up, and it needs none: not the same one, nor any.
    for (const env of [{ HEDGEROW_INVITE: made.out.trim() }, { HEDGEROW_INVITE: '' }]) {
      const again = start({ ...env, HEDGEROW_DATA_DIR })
      await again.says(/worker is up/)
      await again.says(/connected to relay/)
      again.child.kill('SIGTERM')
      assert.equal(await again.ended(), 0)
    }
    const another = start({ HEDGEROW_INVITE: made.out.trim(), HEDGEROW_DATA_DIR: join(home, 'late') })
    assert.equal(await another.ended(), 2)
    assert.match(another.said(), /^HEDGEROW_INVITE: .*InviteUsedUp/m)
  })

  it('waits for its relay with an invite in hand, and says so', async () => {
    const token = await invite({ relays: ['http://127.0.0.1:9'] })
    const waiting = start({ HEDGEROW_INVITE: token, HEDGEROW_DATA_DIR: join(home, 'waiting') })
    await waiting.says(/not enrolled yet/)
    waiting.child.kill('SIGTERM')
    assert.equal(await waiting.ended(), 0)
  })

  it('keeps out who has no invite, or one that is no good, with what to do about it', async () => {
    const forged = await generateKeyPair('Ed25519')
    const { mesh: id, authority: key } = await authority()
    for (const [name, env, words] of [
      ['none', { HEDGEROW_RELAY: mesh.relay.url }, /^HEDGEROW_INVITE: the mesh .* is closed.*invite/m],
      ['over', { HEDGEROW_INVITE: await invite({ expiresAt: seconds() - HOUR }) }, /^HEDGEROW_INVITE: .*ended/m],
      ['nonsense', { HEDGEROW_INVITE: 'nonsense' }, /^HEDGEROW_INVITE: /m],
      [
        'forged',
        {
          HEDGEROW_INVITE: await sealInvite(
            {
              mesh: id,
              authority: key,
              issuer: mesh.relay.peerId,
              relays: [mesh.relay.url],
              roles: ['worker'],
              services: ['*'],
              classes: [],
              uses: 1,
              ttl: HOUR,
              expiresAt: seconds() + HOUR
            },
            forged
          )
        },
        /^HEDGEROW_INVITE: .*InvalidInvite/m
      ]
    ] as const) {
      const peer = start({ ...env, HEDGEROW_DATA_DIR: join(home, name) })
      assert.equal(await peer.ended(), 2, peer.said())
      assert.match(peer.said(), words)
    }
  })

  it('lets exactly one in of many who come at once with an invite for one', async () => {
    const token = await invite()
    const keys = await Promise.all(Array.from({ length: 8 }, () => generateKeyPair('Ed25519')))
    const answers = await Promise.all(keys.map(key => enrol(key, token)))
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, ...Array(7).fill(409)])
    const winner = keys[answers.findIndex(({ status }) => status === 201)] ?? assert.fail('nobody')
    const again = await enrol(winner, token)
    assert.equal(again.status, 201)
    const { mesh: id, authority: key } = await authority()
    const member = await createTrust({ mesh: id, authority: key }).judge(String(again.body.credential), idOf(winner))
    assert.deepEqual(member.credential.roles, ['worker'])
    assert.equal(Date.parse(String(again.body.expires_at)) / 1000, member.credential.expiresAt)
  })

  it('answers each refusal of an enrolment with its own code', async () => {
    const key = await generateKeyPair('Ed25519')
    // As a tunnel brings it: from this machine, but not of it.
    const outside = { 'x-forwarded-for': '192.0.2.1' }
    for (const [answer, status, code] of [
      [await enrol(key, undefined, outside), 401, 'Unauthorized'],
      [await enrol(key, undefined, { host: 'mesh.example.org' }), 403, 'Forbidden'],
      [await enrol(key, undefined, { origin: 'https://evil.example' }), 401, 'Unauthorized'],
      [await enrol(key, await invite({ classes: ['confidential'] }), outside), 403, 'InvalidInvite'],
      [await enrol(key, 'x.y.z', outside), 403, 'InvalidInvite']
    ] as const) {
      assert.deepEqual([answer.status, answer.body.code], [status, code])
      assert.match(String(answer.type), /^application\/problem\+json/)
    }
    const url = `${mesh.relay.url}/api/enrol`
    const post = async (body: unknown) => {
      const response = await postJson(url, body)
      return [response.status, ((await response.json()) as { code: string }).code]
    }
    assert.deepEqual(await post({}), [400, 'Malformed'])
    assert.deepEqual(await post({ peer_id: 'x', public_key: 'x', proof: 'x', nonce: 'x' }), [401, 'InvalidProof'])
    const { nonce } = await getJson<{ nonce: string }>(url)
    const { publicKey, proof } = await proveKey(key, (await about()).mesh, nonce)
    const body = { peer_id: mesh.relay.peerId, public_key: publicKey, proof, nonce }
    assert.deepEqual(await post(body), [401, 'InvalidProof'])
  })

  it('takes the nonce that it gave last where the answer to it leaves it out', async () => {
    const key = await generateKeyPair('Ed25519')
    const { nonce } = await getJson<{ nonce: string }>(`${mesh.relay.url}/api/enrol`)
    const { peerId, publicKey, proof } = await proveKey(key, (await about()).mesh, nonce)
    const response = await postJson(`${mesh.relay.url}/api/enrol`, { peer_id: peerId, public_key: publicKey, proof })
    assert.equal(response.status, 201)
  })

  it('lets programs of the same machine in as clients, for an hour, and never to what is confidential', async () => {
    const key = await generateKeyPair('Ed25519')
    const { status, body } = await enrol(key)
    assert.equal(status, 201)
    const { mesh: id, authority: publicKey } = await authority()
    const trust = createTrust({ mesh: id, authority: publicKey })
    const { credential } = await trust.judge(String(body.credential), idOf(key))
    assert.deepEqual([credential.roles, credential.classes], [['client'], ['public', 'internal']])
    assert.ok(credential.expiresAt - seconds() <= HOUR)
    const { code, out, err } = await hedgerow('peers', '--relay', mesh.relay.url, '--json')
    assert.equal(code, 0, err)
    const names = JSON.parse(out).peers.map(({ name }: { name: string }) => name)
    for (const name of ['relay', 'worker-1', 'worker-2']) assert.ok(names.includes(name), out)
  })

  it('lets the inspector in by an invite for a client, which it keeps', async () => {
    const { redemptions } = (await about()).counts
    const by = ['mesh', 'invite', '--data-dir', join(mesh.dataDir, 'relay'), '--relay', mesh.relay.url]
    const forClient = await hedgerow(...by, '--role', 'client')
    const forWorker = await hedgerow(...by, '--services', '*')
    const refused = await hedgerow('services', '--invite', forWorker.out.trim())
    assert.equal(refused.code, 2)
    assert.match(refused.err, /for a worker/)
    const first = await hedgerow('services', '--invite', forClient.out.trim(), '--json')
    assert.equal(first.code, 0, first.err)
    // Used up for anybody else, and good for whoever has used it.
    const again = await hedgerow('services', '--invite', forClient.out.trim())
    assert.equal(again.code, 0, again.err)
    const kept = await hedgerow('services', '--relay', mesh.relay.url)
    assert.equal(kept.code, 0, kept.err)
    assert.equal((await about()).counts.redemptions, redemptions + 1)
  })

  it('renews a credential when two thirds of its time are over, without a restart', async () => {
    const HEDGEROW_DATA_DIR = join(home, 'renewed')
    await mkdir(HEDGEROW_DATA_DIR, { mode: 0o700 })
    const key = await loadIdentity(HEDGEROW_DATA_DIR)
    const { mesh: id, authority: publicKey } = await authority()
    const { credential: chain } = JSON.parse(await readFile(join(mesh.dataDir, 'relay', 'membership.json'), 'utf8'))
    const rights = { roles: ['worker' as const], services: ['lab'], classes: ['internal'] }
    const credential = await grant(
      { mesh: id, subject: idOf(key), ...rights, ttl: 24 * HOUR, renewal: 24 * HOUR, now: seconds() - 17 * HOUR },
      { privateKey: await relayKey(), chain }
    )
    const given = join(home, 'given.json')
    await writeFile(given, formatMembership({ mesh: id, authority: publicKey, credential }))
    const peer = start({ HEDGEROW_DATA_DIR, HEDGEROW_CREDENTIAL: given, HEDGEROW_RELAY: mesh.relay.url })
    await peer.says(/this peer has a new credential/)
    const kept = JSON.parse(await readFile(join(HEDGEROW_DATA_DIR, 'membership.json'), 'utf8'))
    const trust = createTrust({ mesh: id, authority: publicKey })
    const renewed = (await trust.judge(kept.credential, idOf(key))).credential
    assert.ok(renewed.expiresAt - seconds() > 23 * HOUR)
    assert.deepEqual([renewed.roles, renewed.services, renewed.classes], Object.values(rights))
    peer.child.kill('SIGTERM')
    assert.equal(await peer.ended(), 0)
  })

  it('takes a credential that a maintainer puts into the data directory of a worker that runs', async () => {
    const [worker] = mesh.workers
    const { code, err } = await hedgerow(
      ...['mesh', 'sign', worker?.peerId ?? '', '--role', 'worker', '--services', '*', '--days', '7'],
      ...['--classes', 'public', '--out', join(mesh.dataDir, 'worker-1', 'membership.json')]
    )
    assert.equal(code, 0, err)
    const changed = await until('it has the new one', async () => {
      const credential = await credentialOf(worker?.url ?? '')
      return credential.classes.length === 1 && credential
    })
    assert.ok(Date.parse(changed.expires_at) < Date.now() + 8 * 24 * HOUR * 1000)
    const { credential } = await getJson<{ credential: { warning?: string } }>(`${worker?.url}/health`)
    assert.match(credential.warning ?? '', /mesh sign/)
    // It serves on, and the others believe it.
    const response = await postJson(`${mesh.relay.url}/service/lab`, {}, { 'hedgerow-worker': worker?.peerId ?? '' })
    assert.equal(response.status, 200)
  })

  it('drops a peer within seconds that is taken out, and keeps it out over restarts', async () => {
    const HEDGEROW_DATA_DIR = join(home, 'revoked')
    const token = await invite()
    const peer = start({ HEDGEROW_INVITE: token, HEDGEROW_DATA_DIR })
    await peer.says(/connected to relay/)
    const peerId = idOf(await loadIdentity(HEDGEROW_DATA_DIR))
    const urls = [mesh.relay, ...mesh.workers].map(({ url }) => url)
    for (const url of urls) await until('everybody knows it', () => knows(url, peerId))
    const { code, err } = await hedgerow('mesh', 'revoke', peerId, '--daemon', mesh.workers[1]?.url ?? '')
    assert.equal(code, 0, err)
    for (const url of urls) {
      await until('nobody knows it', async () => !(await knows(url, peerId)))
      await until('nobody is connected with it', async () => {
        const { connections } = await getJson<{ connections: Array<{ peer_id: string }> }>(`${url}/api/dht/topology`)
        return connections.every(({ peer_id }) => peer_id !== peerId)
      })
      assert.equal((await about(url)).counts.revocations, 1)
    }
    await peer.says(/a peer refuses this one/)
    const [worker] = mesh.workers
    worker?.child.kill('SIGTERM')
    if (worker?.child.exitCode == null) await once(worker?.child ?? assert.fail(), 'exit')
    // Whoever was away hears of it from the others.
    await rm(join(mesh.dataDir, 'worker-1', 'revocations.jsonl'))
    const again = await mesh.startWorker('worker-1')
    await until('it has heard of it', async () => (await about(again.url)).counts.revocations === 1)
    await rm(join(HEDGEROW_DATA_DIR, 'membership.json'))
    peer.child.kill('SIGTERM')
    await peer.ended()
    const back = start({ HEDGEROW_INVITE: token, HEDGEROW_DATA_DIR })
    assert.equal(await back.ended(), 2)
    assert.match(back.said(), /^HEDGEROW_INVITE: .*taken out/m)
  })

  it('takes no revocation that nobody with the right has signed', async () => {
    const url = `${mesh.relay.url}/api/admin/revocations`
    for (const [revocation, status] of [
      ['nonsense', 403],
      [await invite(), 403],
      [7, 400]
    ] as const) {
      const response = await postJson(url, { revocation })
      assert.equal(response.status, status)
    }
  })

  it('counts an invite as used when the relay dies between writing it down and saying so', async () => {
    const token = await invite()
    const key = await generateKeyPair('Ed25519')
    mesh.relay.child.kill('SIGTERM')
    if (mesh.relay.child.exitCode == null) await once(mesh.relay.child, 'exit')
    relayEnv.NODE_OPTIONS = `--import=${new URL('../fixtures/crash-after-record.mjs', import.meta.url).href}`
    const port = Number(new URL(mesh.relay.url).port)
    const crashing = await mesh.startRelay(port)
    await assert.rejects(enrol(key, token))
    await until('it is dead', async () => crashing.child.signalCode === 'SIGKILL')
    delete relayEnv.NODE_OPTIONS
    await mesh.startRelay(port)
    assert.equal((await about()).counts.revocations, 1, 'it has kept what it knew')
    assert.equal((await enrol(await generateKeyPair('Ed25519'), token)).status, 409)
    assert.equal((await enrol(key, token)).status, 201)
  })

  it('is signed anew by `npm start` where a credential has ended while the machine was off', async () => {
    const [, worker] = mesh.workers
    worker?.child.kill('SIGTERM')
    if (worker?.child.exitCode == null) await once(worker?.child ?? assert.fail(), 'exit')
    const { mesh: id, authority: publicKey, privateKey } = await authority()
    const rights = { subject: worker?.peerId ?? '', roles: ['worker' as const], services: ['*'], classes: [] }
    const credential = await grant({ mesh: id, ...rights, ttl: HOUR, now: seconds() - 48 * HOUR }, { privateKey })
    const file = join(mesh.dataDir, 'worker-2', 'membership.json')
    await writeFile(file, formatMembership({ mesh: id, authority: publicKey, credential }))
    const { url, peerId } = await mesh.startWorker('worker-2')
    assert.equal(peerId, worker?.peerId)
    assert.ok(Date.parse((await credentialOf(url)).expires_at) > Date.now() + 300 * 24 * HOUR * 1000)
  })

  it('answers 429 to an address that asks too often', async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, () => fetch(`${mesh.relay.url}/api/enrol`)))
    const refused = answers.find(({ status }) => status === 429) ?? assert.fail('none was refused')
    assert.ok(Number(refused.headers.get('retry-after')) > 0)
    assert.equal(((await refused.json()) as { code: string }).code, 'RateLimited')
  })
})
