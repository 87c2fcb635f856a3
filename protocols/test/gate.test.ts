import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createGate, type Gate, type Refusal } from '@hedgerow/protocols/gate'
import { membershipProtocol } from '@hedgerow/protocols/ids'
import { encryption, multiplexing } from '@hedgerow/protocols/invocation/node'
import { createTrust, grant, meshIdOf, sealRevocation, type Trust } from '@hedgerow/protocols/membership'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { Connection, PrivateKey, Startable, Stream } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { createLibp2p, type Libp2p } from 'libp2p'
import { pEvent } from 'p-event'
import { proofStream } from '../src/gate/handshake.ts'
import { HeldStreams } from '../src/gate/held.ts'

const SECRET = '/test/secret/1'
const HOUR = 3600
const KIB = 1024
const MIB = 1024 * KIB
const seconds = (): number => Math.floor(Date.now() / 1000)

/** A libp2p service as gossipsub is one: it opens streams to whom it is told of, and hears those of others. */
class Service implements Startable {
  readonly told: string[] = []
  readonly left: string[] = []
  readonly heard: Stream[] = []
  readonly connectionManager: ConnectionManager
  readonly #registrar: Registrar

  constructor({ registrar, connectionManager }: { registrar: Registrar; connectionManager: ConnectionManager }) {
    this.#registrar = registrar
    this.connectionManager = connectionManager
  }

  async start(): Promise<void> {
    await this.#registrar.handle(SECRET, stream => void this.heard.push(stream))
    await this.#registrar.register(SECRET, {
      onConnect: peer => void this.told.push(peer.toString()),
      onDisconnect: peer => void this.left.push(peer.toString())
    })
  }

  stop(): void {}
}

interface TestPeer {
  id: string
  node: Libp2p<{ secret: Service }>
  gate: Gate
  trust: Trust
  refusals: Refusal[]
}

describe('the gate of a closed mesh', () => {
  let authority: PrivateKey
  let mesh: string
  const peers: TestPeer[] = []

  before(async () => {
    authority = await generateKeyPair('Ed25519')
    mesh = await meshIdOf('test', authority.publicKey.raw)
  })

  afterEach(async () => {
    await Promise.all(peers.splice(0).map(({ node }) => node.stop()))
  })

  async function peer(
    init: { chain?: string; maxUnproven?: number; ttl?: number; mesh?: string; now?(): number } = {}
  ): Promise<TestPeer> {
    const privateKey = await generateKeyPair('Ed25519')
    const id = peerIdFromPrivateKey(privateKey).toString()
    const own =
      init.chain ??
      (await grant(
        { mesh, subject: id, roles: ['worker'], services: ['*'], classes: [], ttl: init.ttl ?? HOUR },
        { privateKey: authority }
      ))
    const trust = createTrust({
      mesh: init.mesh ?? mesh,
      authority: authority.publicKey.raw,
      own,
      ...(init.now == null ? {} : { now: init.now })
    })
    const refusals: Refusal[] = []
    const gate = createGate({
      trust,
      proofTimeout: 2000,
      ...(init.maxUnproven == null ? {} : { maxUnproven: init.maxUnproven }),
      sweepInterval: 100,
      onRefusal: refusal => refusals.push(refusal)
    })
    const node = await createLibp2p({
      privateKey,
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [encryption()],
      streamMuxers: [multiplexing()],
      connectionMonitor: { enabled: false },
      services: {
        identify: identify(),
        gate: gate.service(),
        secret: gate.guard(
          (components: { registrar: Registrar; connectionManager: ConnectionManager }) => new Service(components)
        )
      }
    })
    const made = { id, node, gate, trust, refusals }
    peers.push(made)
    return made
  }

  const dial = (from: TestPeer, to: TestPeer): Promise<Connection> => from.node.dial(to.node.getMultiaddrs())

  const closed = async (connection: Connection): Promise<void> => {
    if (connection.status === 'open') await pEvent(connection, 'close')
  }

  const until = async (what: () => boolean): Promise<void> => {
    while (!what()) await new Promise(resolve => setTimeout(resolve, 10))
  }

  it('lets members through, and tells services of them once they are', async () => {
    const [a, b] = await Promise.all([peer(), peer()])
    const connection = await dial(a, b)
    const member = await a.gate.proven(connection)
    assert.equal(member.peerId, b.id)
    assert.equal(b.gate.member(a.id)?.peerId, a.id)
    await until(() => a.node.services.secret.told.length + b.node.services.secret.told.length === 2)
    await connection.newStream(SECRET)
    await until(() => b.node.services.secret.heard.length === 1)
    await connection.close()
    await until(() => a.node.services.secret.left.length + b.node.services.secret.left.length === 2)
    assert.equal(a.gate.member(b.id), undefined)
    assert.equal(b.gate.member(a.id), undefined)
  })

  it('holds streams back that come with the proof, instead of losing them', async () => {
    const [a, b] = await Promise.all([peer(), peer()])
    const connection = await dial(a, b)
    const streams = await Promise.all(Array.from({ length: 8 }, () => connection.newStream(SECRET)))
    for (const stream of streams) stream.send(new Uint8Array([1, 2, 3]))
    await until(() => b.node.services.secret.heard.length === 8)
    const [first] = b.node.services.secret.heard
    assert.ok(first != null)
    for await (const bytes of first) {
      assert.deepEqual([...bytes.subarray()], [1, 2, 3])
      break
    }
  })

  it('opens connections for services when the other side has proven itself', async () => {
    const [a, b] = await Promise.all([peer(), peer()])
    const stream = await a.node.services.secret.connectionManager.openStream(b.node.getMultiaddrs(), SECRET)
    assert.equal(a.gate.member(b.id)?.peerId, b.id)
    await stream.close()
    const stranger = await peer({ chain: '' })
    await assert.rejects(
      a.node.services.secret.connectionManager.openStream(stranger.node.getMultiaddrs(), SECRET),
      /no credential was shown|credential/
    )
  })

  it('refuses everybody else, says why to both, and ends the connection', async () => {
    const hours = (n: number) => seconds() + n * HOUR
    const strangers: Array<[string, Promise<TestPeer>]> = [
      ['Missing', peer({ chain: '' })],
      ['Malformed', peer({ chain: 'rubbish' })],
      ['Expired', peer({ now: () => seconds() })]
    ]
    for (const [fault, made] of strangers) {
      const good = await peer(fault === 'Expired' ? { now: () => hours(3) } : {})
      const stranger = await made
      const connection = await dial(stranger, good)
      const [stream] = await Promise.allSettled([connection.newStream(SECRET)])
      await closed(connection)
      assert.equal(good.node.services.secret.heard.length, 0, stream.status)
      assert.deepEqual(good.node.services.secret.told, [])
      assert.deepEqual(
        good.refusals.map(({ by, error }) => [by, error.fault]),
        [['us', fault]]
      )
      assert.ok(stranger.refusals.some(({ by, error }) => by === 'them' && error.fault === fault))
      assert.equal(good.gate.member(stranger.id), undefined)
    }
  })

  it('refuses a credential that somebody else was given', async () => {
    const [a, b] = await Promise.all([peer(), peer()])
    const thief = await peer({ chain: a.trust.own })
    const connection = await dial(thief, b)
    await closed(connection)
    assert.deepEqual(
      b.refusals.map(({ error }) => error.fault),
      ['WrongPeer']
    )
  })

  it('takes no stranger that is dialled for a member', async () => {
    const [a, stranger] = await Promise.all([peer(), peer({ chain: '' })])
    const connection = await dial(a, stranger)
    await assert.rejects(a.gate.proven(connection))
    await closed(connection)
    assert.deepEqual(a.node.services.secret.told, [])
  })

  it('ends a peer that speaks no handshake', async () => {
    const a = await peer()
    const foreign = await createLibp2p({
      transports: [tcp()],
      connectionEncrypters: [encryption()],
      streamMuxers: [multiplexing()]
    })
    try {
      const inbound = await foreign.dial(a.node.getMultiaddrs())
      const stream = await inbound.newStream(SECRET)
      const reset = once(stream, 'close')
      await closed(inbound)
      await reset
      assert.equal(a.node.services.secret.heard.length, 0)
    } finally {
      await foreign.stop()
    }
  })

  it('holds little for whoever sends much before it proves anything', async () => {
    const a = await peer()
    const foreign = await createLibp2p({
      transports: [tcp()],
      connectionEncrypters: [encryption()],
      streamMuxers: [multiplexing()]
    })
    try {
      const connection = await foreign.dial(a.node.getMultiaddrs())
      const stream = await connection.newStream(SECRET)
      for (let sent = 0; sent < 2 * MIB && stream.status === 'open'; sent += 64 * KIB)
        stream.send(new Uint8Array(64 * KIB))
      const held = (): number[] =>
        a.node
          .getConnections()
          .flatMap(({ streams }) =>
            streams.filter(({ protocol }) => protocol === SECRET).map(({ readBufferLength }) => readBufferLength)
          )
      let most = 0
      await until(() => {
        most = Math.max(most, ...held())
        return connection.status !== 'open'
      })
      assert.ok(most > 100 * KIB && most <= 256 * KIB, `${most} bytes`)
      assert.deepEqual(a.node.services.secret.heard, [])
    } finally {
      await foreign.stop()
    }
  })

  it('makes room for members where strangers prove nothing', async () => {
    const a = await peer({ maxUnproven: 2 })
    const strangers = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const node = await createLibp2p({
          transports: [tcp()],
          connectionEncrypters: [encryption()],
          streamMuxers: [multiplexing()]
        })
        return { node, connection: await node.dial(a.node.getMultiaddrs()) }
      })
    )
    try {
      const b = await peer()
      const connection = await dial(b, a)
      await b.gate.proven(connection)
      await Promise.any(strangers.map(({ connection }) => closed(connection)))
      assert.ok(a.refusals.filter(({ error }) => error.message.includes('need the room')).length >= 2)
      assert.ok(a.gate.isMember(b.id))
    } finally {
      await Promise.all(strangers.map(({ node }) => node.stop()))
    }
  })

  it('forgets a proof with the last connection, also when that one never was proven', async () => {
    const a = await peer()
    const privateKey = await generateKeyPair('Ed25519')
    const id = peerIdFromPrivateKey(privateKey).toString()
    const chain = await grant(
      { mesh, subject: id, roles: ['client'], services: [], classes: [], ttl: HOUR },
      { privateKey: authority }
    )
    const foreign = await createLibp2p({
      privateKey,
      transports: [tcp()],
      connectionEncrypters: [encryption()],
      streamMuxers: [multiplexing()]
    })
    try {
      const signal = AbortSignal.timeout(10_000)
      const proven = await foreign.dial(a.node.getMultiaddrs())
      const proof = proofStream(await proven.newStream(membershipProtocol(mesh)))
      await proof.show(chain, signal)
      await proof.read(signal)
      const silent = await foreign.dial(a.node.getMultiaddrs(), { force: true })
      await proven.close()
      assert.ok(a.gate.isMember(id))
      await closed(silent)
      assert.equal(a.gate.isMember(id), false)
    } finally {
      await foreign.stop()
    }
  })

  it('ends open connections of who is revoked, at once', async () => {
    const [a, b] = await Promise.all([peer(), peer()])
    const connection = await dial(a, b)
    await a.gate.proven(connection)
    const token = await sealRevocation({ mesh, subject: a.id, expiresAt: seconds() + HOUR }, { privateKey: authority })
    await b.trust.revoke(token)
    await closed(connection)
    assert.equal(b.gate.member(a.id), undefined)
    const again = await dial(a, b)
    await closed(again)
    assert.ok(b.refusals.every(({ error }) => error.fault === 'Revoked'))
  })

  it('ends connections when a credential ends, unless a new one was shown', async () => {
    let ahead = 0
    const [a, b] = await Promise.all([peer({ ttl: HOUR }), peer({ ttl: 100 * HOUR, now: () => seconds() + ahead })])
    const connection = await dial(a, b)
    await a.gate.proven(connection)
    a.trust.own = await grant(
      { mesh, subject: a.id, roles: ['worker'], services: ['ner'], classes: [], ttl: 50 * HOUR },
      { privateKey: authority }
    )
    a.gate.renew()
    await until(() => b.gate.member(a.id)?.credential.services[0] === 'ner')
    ahead = 10 * HOUR
    await new Promise(resolve => setTimeout(resolve, 500))
    assert.equal(connection.status, 'open')
    ahead = 60 * HOUR
    await closed(connection)
  })
})

describe('streams that wait for a proof', () => {
  it('are reset when all together hold too much: those that hold most', () => {
    const reset: number[] = []
    const stream = (readBufferLength: number) =>
      ({ readBufferLength, readStatus: 'readable', pause() {}, resume() {} }) as unknown as Stream
    const held = new HeldStreams(({ readBufferLength }) => reset.push(readBufferLength), 1000)
    const streams = [600, 10, 500, 300].map(stream)
    for (const one of streams) held.add(one)
    held.check()
    assert.deepEqual(reset, [600])
    for (const one of streams) held.release(one)
  })
})
