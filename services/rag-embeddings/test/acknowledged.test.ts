import assert from 'node:assert/strict'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { StandInMesh } from './mesh-stand-in.ts'
import { RagProcess, until } from './process.ts'

const Written = Type.Object({ id: Type.String(), replicas: Type.Integer() })
const Answer = Type.Object({
  passages: Type.Array(Type.Object({ document_id: Type.String() })),
  partial: Type.Optional(Type.Literal(true))
})

const Listed = Type.Object({ documents: Type.Array(Type.Object({ id: Type.String() })) })

const PEERS = ['peerA', 'peerB', 'peerC'] as const
type Peer = (typeof PEERS)[number]

describe('a document that was acknowledged', function () {
  this.timeout(90_000)
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
          // so seldom that no test waits for it: what is right must be right without it
          RAG_COMPARE_SECONDS: '600'
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

  async function post(at: Peer, path: string, body: object): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`${mesh.url(at)}/service/rag-embeddings${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body)
    })
    return { status: response.status, body: await response.json() }
  }

  async function add(at: Peer, collection: string, id: string): Promise<number> {
    const { status, body } = await post(at, '/documents', { collection, id, text: `A note on sheep, ${id}.` })
    assert.equal(status, 201, JSON.stringify(body))
    return Value.Parse(Written, body).replicas
  }

  async function find(at: Peer, collection: string): Promise<{ ids: string[]; partial: boolean }> {
    const { status, body } = await post(at, '/query', { collection, query: 'sheep', top_k: 50 })
    assert.equal(status, 200, JSON.stringify(body))
    const { passages, partial = false } = Value.Parse(Answer, body)
    return { ids: passages.map(({ document_id }) => document_id).sort(), partial }
  }

  async function list(at: Peer, collection: string): Promise<string[]> {
    const response = await fetch(`${mesh.url(at)}/service/rag-embeddings/documents?limit=500&collection=${collection}`)
    return Value.Parse(Listed, await response.json()).documents.map(({ id }) => id)
  }

  /** Of which peers the copy answers for itself, asked past the mesh. */
  async function holders(collection: string): Promise<Peer[]> {
    const answers = await Promise.all(
      PEERS.map(async peer => ({
        peer,
        status: (await fetch(`${worker(peer).url}/sync/entries?collection=${collection}`)).status
      }))
    )
    return answers.filter(({ status }) => status === 200).map(({ peer }) => peer)
  }

  /** Eight at once, round the ingresses. */
  async function addMany(collection: string): Promise<{ ids: string[]; replicas: number[] }> {
    const ids = Array.from({ length: 8 }, (_, i) => `d${i}`)
    const replicas = await Promise.all(ids.map((id, i) => add(PEERS[i % 3] ?? 'peerA', collection, id)))
    return { ids, replicas }
  }

  it('is found through every ingress at once, however many were the first at the same time', async () => {
    for (let round = 0; round < 5; round++) {
      const collection = `c${round}`
      const { ids, replicas } = await addMany(collection)
      assert.ok(Math.min(...replicas) >= 2, String(replicas))
      const found = await Promise.all(PEERS.map(peer => find(peer, collection)))
      for (const answer of found) assert.deepEqual(answer, { ids, partial: false })
    }
  })

  it('has one first holder, whichever ingresses the first documents came through', async () => {
    for (let round = 0; round < 5; round++) {
      await addMany(`c${round}`)
      assert.equal((await holders(`c${round}`)).length, 2)
    }
  })

  for (const victim of PEERS) {
    it(`is found at once and ever after when ${victim} is killed`, async () => {
      const written = new Map<string, string[]>()
      for (let round = 0; round < 3; round++) written.set(`c${round}`, (await addMany(`c${round}`)).ids)
      await worker(victim).kill()
      const rest = PEERS.filter(peer => peer !== victim)
      for (let again = 0; again < 10; again++) {
        for (const [collection, ids] of written) {
          for (const peer of rest) assert.deepEqual((await find(peer, collection)).ids, ids, `${collection} at ${peer}`)
        }
      }
    })
  }

  it('is found at a holder that the write did not reach, as soon as that answers again', async () => {
    await add('peerA', 'wool', 'd0')
    const [first, second] = await holders('wool')
    assert.ok(first != null && second != null)
    worker(second).signal('SIGSTOP')
    assert.equal(await add(first, 'wool', 'd1'), 1)
    worker(second).signal('SIGCONT')
    assert.deepEqual((await find(second, 'wool')).ids, ['d0', 'd1'])
  })

  it('is never silently missing at a holder that is cut off: its answer says that it may be partial', async () => {
    await add('peerA', 'wool', 'd0')
    const [first, second] = await holders('wool')
    assert.ok(first != null && second != null)
    mesh.partition([first], [second])
    assert.equal(await add(first, 'wool', 'd1'), 1)
    assert.deepEqual(await find(second, 'wool'), { ids: ['d0'], partial: true })
    mesh.heal()
    // either it could ask again, or it still says so
    const answer = await find(second, 'wool')
    assert.ok(answer.partial || answer.ids.length === 2, JSON.stringify(answer))
    await until(
      () => find(second, 'wool'),
      ({ ids, partial }) => ids.length === 2 && !partial
    )
  })

  it('is missing from no answer of a holder that came back while others wrote', async () => {
    await add('peerA', 'wool', 'd0')
    const [first, second] = await holders('wool')
    assert.ok(first != null && second != null)
    await worker(second).kill()
    await add(first, 'wool', 'd1')
    const ids = ['d0', 'd1']
    let back = false
    const starting = start(second).then(() => {
      back = true
    })
    for (let n = 2; !back; n++) {
      await add(first, 'wool', `d${n}`)
      ids.push(`d${n}`)
    }
    await starting
    assert.deepEqual(await list(second, 'wool'), ids.sort())
    await add(first, 'wool', 'e')
    assert.deepEqual(await list(second, 'wool'), [...ids, 'e'].sort())
  })
})
