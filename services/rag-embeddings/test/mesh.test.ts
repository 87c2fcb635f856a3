import assert from 'node:assert/strict'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { StandInMesh } from './mesh-stand-in.ts'
import { RagProcess, until } from './process.ts'

const Written = Type.Object({ id: Type.String(), replicas: Type.Integer() })
const Passages = Type.Object({ passages: Type.Array(Type.Object({ document_id: Type.String(), text: Type.String() })) })
const Listed = Type.Object({ documents: Type.Array(Type.Object({ id: Type.String(), version: Type.String() })) })

const PEERS = ['peerA', 'peerB', 'peerC'] as const
type Peer = (typeof PEERS)[number]

describe('rag-embeddings on three workers', function () {
  this.timeout(60_000)
  let mesh: StandInMesh
  let workers: Map<Peer, RagProcess>

  beforeEach(async () => {
    mesh = await StandInMesh.start()
    workers = new Map(
      PEERS.map(peer => [
        peer,
        new RagProcess({
          LOG_LEVEL: 'info',
          HEDGEROW_MESH_URL: mesh.url(peer),
          HEDGEROW_SERVICE_CONTEXT: mesh.serviceContext(peer),
          HEDGEROW_PEER_ID: peer,
          RAG_COMPARE_SECONDS: '0.5',
          RAG_HOLDER_GRACE_SECONDS: '1.5'
        })
      ])
    )
    await Promise.all(PEERS.map(start))
  })

  afterEach(async () => {
    await Promise.all([...workers.values()].map(worker => worker.remove()))
    await mesh.stop()
  })

  function worker(peer: Peer): RagProcess {
    const found = workers.get(peer)
    if (found == null) throw new Error(`no worker ${peer}`)
    return found
  }

  async function start(peer: Peer): Promise<void> {
    mesh.register(peer, await worker(peer).start())
    await until(
      () => mesh.resources(peer),
      resources => resources != null
    )
  }

  async function call(at: Peer, path: string, init: RequestInit = {}): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`${mesh.url(at)}/service/rag-embeddings${path}`, init)
    return { status: response.status, body: await response.json() }
  }

  async function add(at: Peer, id: string, text: string, headers = {}): Promise<Static<typeof Written>> {
    const { status, body } = await call(at, '/documents', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ id, text })
    })
    assert.equal(status, 201, JSON.stringify(body))
    return Value.Parse(Written, body)
  }

  async function remove(at: Peer, id: string): Promise<number> {
    return (await call(at, `/documents/${id}`, { method: 'DELETE' })).status
  }

  async function find(at: Peer, query: string): Promise<string[]> {
    const { status, body } = await call(at, '/query', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, top_k: 10 })
    })
    assert.equal(status, 200, JSON.stringify(body))
    return Value.Parse(Passages, body).passages.map(({ document_id }) => document_id)
  }

  /** What a worker's own copy holds, asked past the mesh; undefined when it has no copy. */
  async function copyAt(peer: Peer): Promise<Record<string, string> | undefined> {
    const response = await fetch(`${worker(peer).url}/sync/entries?collection=default`)
    if (response.status === 421) return undefined
    const { entries } = Value.Parse(
      Type.Object({ entries: Type.Array(Type.Object({ id: Type.String(), version: Type.String() })) }),
      await response.json()
    )
    return Object.fromEntries(entries.map(({ id, version }) => [id, version]))
  }

  async function holders(): Promise<Peer[]> {
    const copies = await Promise.all(
      PEERS.map(async peer => ({ peer, copy: await copyAt(peer).catch(() => undefined) }))
    )
    return copies.filter(({ copy }) => copy != null).map(({ peer }) => peer)
  }

  async function anotherThan(...peers: Peer[]): Promise<Peer> {
    const [other] = PEERS.filter(peer => !peers.includes(peer))
    if (other == null) throw new Error('no other')
    return other
  }

  const BAILIFFS = 'Enforcement agents may not force their way in on a first visit for council tax.'
  const WATER = 'A water company cannot disconnect a home.'

  it('finds a document through every ingress at once, wherever it was added', async () => {
    const { replicas } = await add('peerA', 'bailiffs', BAILIFFS)
    assert.equal(replicas, 2)
    for (const peer of PEERS) assert.deepEqual(await find(peer, 'can a bailiff break in'), ['bailiffs'])
    assert.equal((await holders()).length, 2)
  })

  it('takes a write at an instance without the collection to those that hold it', async () => {
    await add('peerA', 'bailiffs', BAILIFFS)
    const outsider = await anotherThan(...(await holders()))
    assert.equal((await add(outsider, 'water', WATER)).replicas, 2)
    assert.equal(await copyAt(outsider), undefined)
    for (const peer of await holders()) assert.deepEqual(Object.keys((await copyAt(peer)) ?? {}), ['bailiffs', 'water'])
    assert.equal(await remove(outsider, 'bailiffs'), 200)
    for (const peer of PEERS) assert.deepEqual(await find(peer, 'water supply'), ['water'])
  })

  it('finds it after a holder was killed, and has another copy made', async () => {
    await add('peerA', 'bailiffs', BAILIFFS)
    const [first, second] = await holders()
    assert.ok(first != null && second != null)
    await worker(first).kill()
    const rest = PEERS.filter(peer => peer !== first)
    for (const peer of rest) assert.deepEqual(await find(peer, 'can a bailiff break in'), ['bailiffs'])
    const outsider = await anotherThan(first, second)
    await until(
      () => mesh.resources(outsider),
      resources => resources?.includes('collection/default') === true
    )
    // nothing of it was lost when the second original goes too
    await worker(second).kill()
    assert.deepEqual(await find(outsider, 'can a bailiff break in'), ['bailiffs'])
  })

  it('catches up with what happened while it was away before it is healthy', async () => {
    await add('peerA', 'bailiffs', BAILIFFS)
    await add('peerA', 'water', WATER)
    const [first, second] = await holders()
    assert.ok(first != null && second != null)
    await worker(first).kill()
    assert.equal(await remove(second, 'bailiffs'), 200)
    await add(second, 'rent', 'Rent arrears are a priority debt.')
    await start(first)
    const copy = await copyAt(first)
    assert.deepEqual(copy, await copyAt(second))
    assert.deepEqual(await find(first, 'can a bailiff break in'), await find(second, 'can a bailiff break in'))
    assert.ok(!(await find(first, 'can a bailiff break in')).includes('bailiffs'))
    assert.ok((await find(first, 'behind with the rent')).includes('rent'))
  })

  it('takes writes on both sides of a partition, and both sides agree after it', async () => {
    await add('peerA', 'bailiffs', BAILIFFS)
    await add('peerA', 'water', WATER)
    const [first, second] = await holders()
    assert.ok(first != null && second != null)
    const third = await anotherThan(first, second)
    mesh.partition([first], [second, third])
    assert.equal((await add(first, 'rent', 'Rent arrears are a priority debt.')).replicas, 1)
    await add(first, 'water', 'A water company may ask for a deposit.')
    assert.equal(await remove(second, 'bailiffs'), 200)
    await add(third, 'fines', 'A fine is paid to the court.')
    await add(second, 'water', 'A water company cannot disconnect a home, ever.')
    mesh.heal()
    const copies = await until(
      async () => Promise.all((await holders()).map(copyAt)),
      seen => seen.length >= 2 && new Set(seen.map(copy => JSON.stringify(copy))).size === 1
    )
    assert.deepEqual(Object.keys(copies[0] ?? {}), ['bailiffs', 'fines', 'rent', 'water'])
    for (const peer of PEERS) {
      const found = await find(peer, 'water fine rent bailiff enforcement agents')
      assert.deepEqual([...new Set(found)].sort(), ['fines', 'rent', 'water'])
    }
    const { body } = await call(first, '/documents/water')
    assert.equal(
      Value.Parse(Type.Object({ text: Type.String() }), body).text,
      'A water company cannot disconnect a home, ever.'
    )
  })

  it('copies a collection of many batches to a new holder', async () => {
    await add('peerA', 'first', BAILIFFS)
    const [first, second] = await holders()
    assert.ok(first != null && second != null)
    const version = (n: number): string => `${(Date.now() + n).toString(16).padStart(12, '0')}0000-elsewhere`
    for (let batch = 0; batch < 3; batch++) {
      const documents = Array.from({ length: 190 }, (_, i) => ({
        id: `d${batch}-${i}`,
        version: version(i),
        deleted: i % 10 === 0,
        text: i % 10 === 0 ? '' : `Letter ${i} of batch ${batch}.`,
        metadata: {},
        // one in three is of another class, and goes in batches of its own
        ...(i % 3 === 0 ? { data_class: 'confidential' } : {}),
        created_at: 1,
        updated_at: 1
      }))
      const response: Response = await fetch(`${worker(first).url}/sync/put`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ collection: 'default', documents, from: 'elsewhere', join: false })
      })
      assert.equal(response.status, 200, await response.text())
    }
    await worker(second).kill()
    const third = await anotherThan(first, second)
    const copy = await until(
      async () => Object.keys((await copyAt(third)) ?? {}).length,
      count => count === 571,
      20_000
    )
    assert.equal(copy, 571)
    assert.deepEqual(await copyAt(third), await copyAt(first))
  })

  it('lets a surplus copy go once all copies have been equal for a while', async () => {
    await add('peerA', 'bailiffs', BAILIFFS)
    const [first] = await holders()
    assert.ok(first != null)
    await worker(first).kill()
    await until(holders, seen => seen.length === 2)
    await start(first)
    assert.equal((await holders()).length, 3)
    const kept = await until(holders, seen => seen.length === 2, 20_000)
    for (const peer of PEERS) assert.deepEqual(await find(peer, 'can a bailiff break in'), ['bailiffs'])
    assert.equal(kept.length, 2)
  })

  it('answers a write within seconds when the other holder is wedged', async () => {
    await add('peerA', 'bailiffs', BAILIFFS)
    const [first, second] = await holders()
    assert.ok(first != null && second != null)
    worker(first).signal('SIGSTOP')
    const began = Date.now()
    const { replicas } = await add(second, 'water', WATER)
    assert.ok(Date.now() - began < 5000)
    assert.ok(replicas >= 1)
    worker(first).signal('SIGCONT')
    await until(
      async () => [await copyAt(first), await copyAt(second)],
      ([a, b]) => JSON.stringify(a) === JSON.stringify(b)
    )
  })

  it('is healthy within seconds when those it knew are gone, and serves what it has', async () => {
    await add('peerA', 'bailiffs', BAILIFFS)
    const [first, second] = await holders()
    assert.ok(first != null && second != null)
    await Promise.all(PEERS.map(peer => worker(peer).kill()))
    mesh.register(second, await worker(second).start())
    // how long a process takes to start is the machine's affair
    const began = Date.now()
    await until(
      () => mesh.resources(second),
      resources => resources != null
    )
    assert.ok(Date.now() - began < 9000)
    assert.deepEqual(await find(second, 'can a bailiff break in'), ['bailiffs'])
  })

  it('says 503 when the holders are out of reach, and never that there is nothing', async () => {
    await add('peerA', 'bailiffs', BAILIFFS)
    const outsider = await anotherThan(...(await holders()))
    for (const peer of await holders()) worker(peer).signal('SIGSTOP')
    const { status } = await call(outsider, '/query', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: 'bailiff' })
    })
    for (const peer of PEERS) worker(peer).signal('SIGCONT')
    assert.equal(status, 503)
  })

  it('hands the data class on with every copy', async () => {
    await add('peerA', 'letter', BAILIFFS, { 'hedgerow-data-class': 'confidential' })
    for (const peer of await holders()) {
      const response = await fetch(`${worker(peer).url}/debug/documents`, {
        headers: { 'hedgerow-data-class': 'confidential' }
      })
      const { documents } = Value.Parse(
        Type.Object({ documents: Type.Array(Type.Object({ id: Type.String(), data_class: Type.String() })) }),
        await response.json()
      )
      assert.deepEqual(
        documents.map(({ id, data_class }) => [id, data_class]),
        [['letter', 'confidential']]
      )
    }
  })

  it('makes one set of copies when two instances are first written to at the same time', async () => {
    await Promise.all([
      add('peerA', 'bailiffs', BAILIFFS),
      add('peerB', 'water', WATER),
      add('peerC', 'fines', 'Fines.')
    ])
    const copies = await until(
      async () => Promise.all((await holders()).map(copyAt)),
      seen => seen.length === 2 && seen.every(copy => Object.keys(copy ?? {}).length === 3),
      20_000
    )
    assert.deepEqual(copies[0], copies[1])
    for (const peer of PEERS) {
      const { body } = await call(peer, '/documents')
      assert.equal(Value.Parse(Listed, body).documents.length, 3)
    }
  })
})
