import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createPeer, noServices, type Peer } from '@hedgerow/daemon/peer'
import type { Role } from '@hedgerow/protocols/advert'
import { type Provided, providerCid } from '@hedgerow/protocols/ids'
import {
  createTrust,
  type GrantInit,
  grant,
  meshIdOf,
  openTrust,
  sealRevocation,
  type Trust
} from '@hedgerow/protocols/membership'
import { sealStatement } from '@hedgerow/protocols/statement'
import type { CircuitRelayService } from '@libp2p/circuit-relay-v2'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PeerId, PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { CID } from 'multiformats/cid'
import { pino } from 'pino'
import { MAX_RECORDS_PER_PROVIDER, RELAY_CLIENT_RESERVATIONS } from '../src/node/constants.ts'

const HOUR = 3600
const log = pino({ level: process.env.LOG_LEVEL ?? 'silent' })

describe('peers of a closed mesh', function () {
  this.timeout(60_000)
  let authority: PrivateKey
  let mesh: string
  let dataDir: string
  const peers: Peer[] = []

  beforeEach(async () => {
    authority = await generateKeyPair('Ed25519')
    mesh = await meshIdOf('test', authority.publicKey.raw)
    dataDir = await mkdtemp(join(tmpdir(), 'hedgerow-closed-'))
  })

  afterEach(async () => {
    await Promise.all(peers.splice(0).map(peer => peer.stop()))
    await rm(dataDir, { recursive: true, force: true })
  })

  interface Init {
    role?: Role
    via?: Peer
    rights?: Partial<GrantInit>
    trust?(own: string): Trust
    listen?: string[]
  }

  async function start({ role = 'worker', via, rights, trust = closed, listen = [] }: Init = {}): Promise<Peer> {
    const privateKey = await generateKeyPair('Ed25519')
    const own = await grantTo(privateKey, { roles: [role], ...rights })
    const peer = await createPeer(
      {
        privateKey,
        mesh,
        trust: trust(own),
        role,
        name: role,
        version: '0',
        dataDir: await mkdtemp(join(dataDir, 'peer-')),
        capabilities: { cores: 1, memory: 1, disk: 1, gpus: [], arch: 'x64', platform: 'linux' },
        relays: via == null ? [] : via.node.getMultiaddrs().map(addr => ({ addr: String(addr) })),
        listen: ['/ip4/127.0.0.1/tcp/0', ...(role === 'worker' && via != null ? ['/p2p-circuit'] : []), ...listen],
        announce: [],
        iceServers: [],
        mdns: false
      },
      { services: noServices([]), log }
    )
    peers.push(peer)
    await peer.start()
    return peer
  }

  const closed = (own: string): Trust => createTrust({ mesh, authority: authority.publicKey.raw, own })

  const grantTo = (key: PrivateKey, rights: Partial<GrantInit> = {}): Promise<string> =>
    grant(
      {
        mesh,
        subject: peerIdFromPrivateKey(key).toString(),
        roles: ['worker'],
        services: ['*'],
        classes: ['internal'],
        ttl: HOUR,
        ...rights
      },
      { privateKey: authority }
    )

  const until = async (what: () => boolean | Promise<boolean>): Promise<void> => {
    while (!(await what())) await sleep(50)
  }

  const knows = (peer: Peer, other: Peer): boolean => peer.view.peer(other.self.peerId) != null

  it('find one another by gossip and the DHT, and reach one another through the relay', async () => {
    const relay = await start({ role: 'relay' })
    const [a, b] = await Promise.all([start({ via: relay }), start({ via: relay })])
    await until(() => [relay, a, b].every(one => [relay, a, b].every(other => knows(one, other))))
    assert.deepEqual(relay.view.peer(a.self.peerId)?.classes, ['internal'])
    await until(() => a.node.getMultiaddrs().some(addr => addr.toString().includes('p2p-circuit')))
    const circuit = a.node.getMultiaddrs().find(addr => addr.toString().includes('p2p-circuit'))
    assert.ok(circuit != null)
    await b.node.dial(circuit)
    const { status } = await b.invoker.invoke(
      a.self.peerId,
      { method: 'GET', path: '/health', headers: {}, body: null },
      { signal: AbortSignal.timeout(10_000) }
    )
    assert.equal(status, 200)
    await until(() => b.directory.fetchAdvert(a.self.peerId, AbortSignal.timeout(10_000)))
  })

  it('leave most places at a relay to those who offer something', async () => {
    const relay = await start({ role: 'relay' })
    const places = (relay.node.services as unknown as { relay: CircuitRelayService }).relay.reservations
    const held = (of: Peer): boolean => places.has(of.node.peerId)
    const first = await start({ via: relay, role: 'client', listen: ['/p2p-circuit'] })
    await until(() => held(first))
    for (let i = 1; i < RELAY_CLIENT_RESERVATIONS; i++) {
      const place = places.get(first.node.peerId)
      if (place != null) places.set(peerIdFromPrivateKey(await generateKeyPair('Ed25519')), place)
    }
    const late = await start({ via: relay, role: 'client', listen: ['/p2p-circuit'] })
    const worker = await start({ via: relay })
    await until(() => held(worker))
    await until(() => knows(late, worker))
    assert.equal(held(late), false)
  })

  it('are closed to strangers, who hear nothing and whom nobody hears', async () => {
    const relay = await start({ role: 'relay' })
    const worker = await start({ via: relay })
    await until(() => knows(relay, worker))
    const strangers = await Promise.all([
      // knows the mesh's name and protocols, and has no credential
      start({ via: relay, trust: () => openTrust(mesh) }),
      start({ via: relay, rights: { ttl: -2 * HOUR } }),
      start({ via: relay, trust: own => createTrust({ mesh, authority: authority.publicKey.raw, own: own.slice(3) }) })
    ])
    for (const stranger of strangers) {
      await stranger.node.dial(worker.node.getMultiaddrs()).catch(() => {})
      await assert.rejects(
        stranger.invoker.invoke(
          relay.self.peerId,
          { method: 'GET', path: '/adverts', headers: {}, body: null },
          { signal: AbortSignal.timeout(12_000) }
        )
      )
      assert.ok(!knows(stranger, worker) && !knows(stranger, relay))
      assert.ok(!knows(worker, stranger) && !knows(relay, stranger))
    }
    assert.ok(knows(relay, worker) && knows(worker, relay))
  })

  it('keep nothing of strangers who have left, and dial them never again', async () => {
    const relay = await start({ role: 'relay' })
    const worker = await start({ via: relay })
    await until(() => knows(relay, worker))
    const remembers = (peer: Peer): Promise<boolean> => relay.node.peerStore.has(peer.node.peerId)
    const stranger = await start({ via: relay, trust: () => openTrust(mesh) })
    await until(() => remembers(stranger))
    await stranger.stop()
    await until(async () => !(await remembers(stranger)))
    assert.ok(await remembers(worker))
    await relay.stop()
    const met = await Promise.all(
      (await readdir(dataDir)).map(name => readFile(join(dataDir, name, 'known-peers.json'), 'utf8').catch(() => ''))
    )
    assert.ok(met.some(file => file.includes(worker.self.peerId)))
    assert.ok(!met.some(file => file.includes(stranger.self.peerId)))
  })

  it('keep so many records of who provides what of one peer, and none of a client', async () => {
    const relay = await start({ role: 'relay' })
    const worker = await start({ via: relay })
    const client = await start({ role: 'client', via: relay })
    for (const peer of [worker, client]) await until(() => relay.gate.isMember(peer.self.peerId))
    const { dht } = relay.node.services
    assert.ok('providers' in dht && dht.providers instanceof Object && 'getProviders' in dht.providers)
    const { providers } = dht as unknown as { providers: { getProviders(cid: CID): Promise<PeerId[]> } }
    const isKept = async (peer: Peer, what: Provided): Promise<boolean> =>
      (await providers.getProviders(await providerCid(what))).some(id => id.equals(peer.node.peerId))
    await worker.directory.provide('service:own')
    await until(() => isKept(worker, 'service:own'))
    await client.directory.provide('service:own')
    assert.equal(await isKept(client, 'service:own'), false)
    let kept = 0
    for (let i = 0; i < 2 * MAX_RECORDS_PER_PROVIDER; i++) {
      await worker.directory.provide(`service:s${i}`)
      if (await isKept(worker, `service:s${i}`)) kept++
    }
    assert.ok(kept > 1 && kept < MAX_RECORDS_PER_PROVIDER, `${kept} of them`)
    // What was there already is renewed all the same.
    await worker.directory.provide('service:own')
    assert.ok(await isKept(worker, 'service:own'))
  })

  it('believe no advert of services that the credential does not name, and pass none on', async () => {
    const relay = await start({ role: 'relay' })
    const worker = await start({ via: relay })
    const liar = await start({ via: relay, rights: { services: ['ner-extraction'] } })
    await until(() => knows(relay, liar) && knows(worker, liar))
    const key = await generateKeyPair('Ed25519')
    const advert = {
      peerId: peerIdFromPrivateKey(key).toString(),
      sequence: 1n,
      role: 'worker' as const,
      name: 'liar',
      version: '0',
      addrs: [],
      capabilities: liar.self.capabilities,
      services: [],
      eligible: ['rag-embeddings'],
      credential: await grantTo(key, { services: ['ner-extraction'] })
    }
    const lie = await sealStatement({ type: 'advert', advert }, { mesh, privateKey: key })
    assert.equal(await relay.ledger.learn(lie), 'invalid')
    const role = await sealStatement(
      { type: 'advert', advert: { ...advert, sequence: 2n, role: 'relay', eligible: [] } },
      { mesh, privateKey: key }
    )
    assert.equal(await relay.ledger.learn(role), 'invalid')
    const true_ = await sealStatement(
      { type: 'advert', advert: { ...advert, sequence: 3n, eligible: ['ner-extraction'] } },
      { mesh, privateKey: key }
    )
    assert.equal(await relay.ledger.learn(true_), 'news')
    const unknown = await generateKeyPair('Ed25519')
    const goodbye = await sealStatement(
      { type: 'goodbye', goodbye: { peerId: peerIdFromPrivateKey(unknown).toString(), sequence: 9n } },
      { mesh, privateKey: unknown }
    )
    assert.equal(await relay.ledger.learn(goodbye), 'known')
  })

  it('drop a peer that is revoked: its connections, its advert, and what it says later', async () => {
    const relay = await start({ role: 'relay' })
    const [a, b] = await Promise.all([start({ via: relay }), start({ via: relay })])
    await until(() => knows(relay, a) && knows(b, a))
    const advert = relay.ledger.advertOf(a.self.peerId)
    assert.ok(advert != null)
    const token = await sealRevocation(
      { mesh, subject: a.self.peerId, expiresAt: Math.floor(Date.now() / 1000) + HOUR },
      { privateKey: authority }
    )
    for (const peer of [relay, b]) await peer.trust.revoke(token)
    assert.ok(!knows(relay, a) && !knows(b, a))
    await until(() => relay.node.getConnections(a.node.peerId).length === 0)
    assert.notEqual(await relay.ledger.learn(advert), 'news')
    assert.ok(knows(relay, b))
  })

  it('tell clients what clients need, other members more, and admins the rest', async () => {
    const relay = await start({ role: 'relay' })
    const askers = {
      client: await start({ role: 'client', via: relay }),
      worker: await start({ via: relay }),
      admin: await start({ role: 'client', via: relay, rights: { roles: ['client', 'admin'] } })
    }
    const statusFor = async (asker: Peer, path: string): Promise<number> => {
      const request = { method: 'GET', path, headers: {}, body: null }
      const { status, body } = await asker.invoker.invoke(relay.self.peerId, request, {
        signal: AbortSignal.timeout(10_000)
      })
      for await (const _ of body);
      return status
    }
    const table: Array<[path: string, client: number, worker: number, admin: number]> = [
      ['/health', 200, 200, 200],
      ['/.well-known/libp2p/protocols', 200, 200, 200],
      ['/api/services', 200, 200, 200],
      ['/adverts', 200, 200, 200],
      ['/stats', 200, 200, 200],
      ['/explain/unknown', 404, 404, 404],
      ['/metrics', 403, 200, 200],
      ['/api/dht/topology', 403, 200, 200],
      ['/api/admin/workers', 403, 403, 200],
      ['/api/coordinator/workers', 403, 403, 200],
      ['/nothing', 404, 404, 404]
    ]
    for (const [path, client, worker, admin] of table)
      for (const [name, expected] of Object.entries({ client, worker, admin }))
        assert.equal(await statusFor(askers[name as keyof typeof askers], path), expected, `${path} for a ${name}`)
  })

  it('stay connected when a credential is renewed, and give the new one out', async () => {
    const relay = await start({ role: 'relay' })
    const worker = await start({ via: relay })
    await until(() => knows(relay, worker))
    const [connection] = worker.node.getConnections()
    const chain = await grant(
      {
        mesh,
        subject: worker.self.peerId,
        roles: ['worker'],
        services: ['*'],
        classes: ['public', 'internal', 'confidential'],
        ttl: 2 * HOUR
      },
      { privateKey: authority }
    )
    worker.renew(chain)
    await until(() => relay.gate.member(worker.self.peerId)?.credential.classes.length === 3)
    await until(() => relay.view.peer(worker.self.peerId)?.classes.includes('confidential') === true)
    assert.equal(connection?.status, 'open')
  })
})
