/** PostgreSQL as a service of a closed mesh, which nobody reaches but members that may. */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openAuthority } from '@hedgerow/daemon/authority'
import { createNode, type Node } from '@hedgerow/daemon/node'
import { createForwarder } from '@hedgerow/protocols/forward/node'
import { createGate } from '@hedgerow/protocols/gate'
import { createTrust, grant } from '@hedgerow/protocols/membership'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { skipUnless } from '../src/browser.ts'
import { getJson, type TestMesh, testMesh, until } from '../src/harness.ts'
import { type Postgres, postgresPrograms, psql, startPostgres } from '../src/postgres.ts'
import { type Forward, startForward } from '../src/tcp.ts'

const MANIFEST = `
name: postgresql
version: 15.0.0
title: A relational database
aliases: [pg]
protocol: tcp
tier: storage
needs: { cores: 0.1, memory_mb: 10 }
backend: { tcp: "127.0.0.1:\${TEST_POSTGRES_PORT}" }
health: { interval_s: 0.5 }
`

describe('PostgreSQL in a closed mesh', function () {
  this.timeout(120_000)
  let database: Postgres
  let services: string
  let mesh: TestMesh
  let place: Forward
  const nodes: Node[] = []

  before(async function () {
    const programs = postgresPrograms()
    skipUnless(this, programs == null ? 'there is no PostgreSQL, and it could not be installed' : undefined)
    database = await startPostgres(programs ?? '')
    services = await mkdtemp(join(tmpdir(), 'hedgerow-pg-services-'))
    await mkdir(join(services, 'postgresql'))
    await writeFile(join(services, 'postgresql', 'hedgerow.service.yaml'), MANIFEST)
    mesh = await testMesh({
      closed: true,
      workers: 2,
      services: ['postgresql'],
      env: { HEDGEROW_SERVICES_DIR: services, TEST_POSTGRES_PORT: String(database.port) }
    })
    // As a user of `npm start` has it: no flag but the two words.
    place = await startForward('pg', { HEDGEROW_HTTP_PORT: new URL(mesh.relay.url).port })
  })
  after(async () => {
    await Promise.all(nodes.map(node => node.stop()))
    place?.child.kill('SIGKILL')
    await mesh?.stop()
    await database?.stop().catch(() => {})
    if (services != null) await rm(services, { recursive: true, force: true })
  })

  it('is used through a local port as if it were here', () => {
    const made = psql(
      place,
      'create table letters (id serial, text text)',
      "insert into letters (text) values ('Dear Sir')"
    )
    assert.equal(made.status, 0, made.err)
    assert.equal(psql(place, 'select text from letters').out, 'Dear Sir\n')
    const wrong = psql({ ...place }, 'select nonsense')
    assert.equal(wrong.status, 1)
    assert.match(wrong.err, /column "nonsense" does not exist/)
  })

  it('carries results of many megabytes', () => {
    const { out, status, err } = psql(place, 'select repeat(md5(i::text), 1000) from generate_series(1, 1000) i')
    assert.equal(status, 0, err)
    assert.equal(out.length, 1000 * 32_001)
  })

  /** A member, or not, with nothing of ours above libp2p. */
  async function stranger(services: string[] | undefined) {
    const { mesh: id, privateKey: authority } = await openAuthority(join(mesh.dataDir, 'mesh'), {
      passphrase: () => assert.fail('no passphrase')
    })
    const privateKey = await generateKeyPair('Ed25519')
    const subject = peerIdFromPrivateKey(privateKey).toString()
    const trust = createTrust({ mesh: id, authority: authority.publicKey.raw })
    if (services != null) {
      trust.own = await grant(
        { mesh: id, subject, roles: ['client'], services, classes: ['internal'], ttl: 3600 },
        { privateKey: authority }
      )
    }
    const gate = createGate({ trust })
    const node = await createNode({ privateKey, mesh: id, trust, gate, role: 'client', listen: [] })
    nodes.push(node)
    await node.start()
    const [worker] = mesh.workers
    const { advert } = await getJson<{ advert: { addrs: string[] } }>(`${mesh.relay.url}/api/peers/${worker?.peerId}`)
    const addr = advert.addrs.find(one => !one.includes('p2p-circuit') && one.includes('/tcp/')) ?? ''
    const forwarder = createForwarder(
      {
        getConnections: peer => node.getConnections(peer),
        dial: (_peer, options) => node.dial(multiaddr(addr), options)
      },
      { mesh: id }
    )
    return (service: string) =>
      forwarder.open(worker?.peerId ?? '', { service, requestId: 'r' }, { signal: AbortSignal.timeout(20_000) })
  }

  it('is closed to who is no member', async () => {
    const open = await stranger(undefined)
    await assert.rejects(open('postgresql'), { name: 'InvocationError', phase: 'connect' })
  })

  it('is closed to a member whose credential does not name it, and open to one whose does', async () => {
    const restricted = await stranger(['ner-extraction'])
    await assert.rejects(restricted('postgresql'), { name: 'MeshError', code: 'Forbidden' })
    const open = await stranger(['postgresql'])
    const { duplex } = await open('postgresql')
    // What a client of PostgreSQL begins with (SSLRequest); the answer is one letter.
    duplex.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]))
    const answer = await new Promise<Buffer>(resolve => duplex.once('data', resolve))
    assert.equal(answer.toString(), 'N')
    duplex.destroy()
  })

  it('is offered no more when it is gone', async () => {
    await database.stop()
    await until('nobody offers it', async () => {
      const { services } = await getJson<{ services: Array<{ name: string; found: number }> }>(
        `${mesh.relay.url}/api/services`
      )
      return services.find(({ name }) => name === 'postgresql')?.found === 0
    })
    const { status, err } = psql(place, 'select 1')
    assert.equal(status, 2)
    assert.match(err, /server closed the connection unexpectedly|reset by peer/)
    await until('it is told why', async () => /no worker offers it now/.test(place.connections().at(-1)?.error ?? ''))
  })
})
