import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { getJson, postJson, type TestMesh, testMesh, until } from '../src/harness.ts'

interface Row {
  peer_id: string
  path: string | null
}

describe('joining a mesh', function () {
  this.timeout(120_000)
  let mesh: TestMesh

  afterEach(() => mesh?.stop())

  it('reaches a worker that nobody can dial through the relay, and directly from the relay itself', async () => {
    mesh = await testMesh({ workers: 2, envOf: { 'worker-2': { HEDGEROW_LISTEN: '/p2p-circuit' } } })
    const [first, hidden] = mesh.workers
    const headers = { 'hedgerow-worker': hidden?.peerId ?? '' }
    const fromRelay = await postJson(`${mesh.relay.url}/service/lab`, {}, headers)
    assert.equal(fromRelay.headers.get('hedgerow-path'), 'direct')
    // The first worker's own connection was dialled by the hidden one, or goes through the relay: it works either way.
    const fromWorker = await until('the other worker reaches it', async () => {
      const response = await postJson(`${first?.url}/service/lab`, { a: 1 }, headers)
      return response.status === 200 && response
    })
    assert.equal(fromWorker.headers.get('hedgerow-worker'), hidden?.peerId)
  })

  it('carries answers between two workers that nobody can dial over the relay', async () => {
    const hidden = { HEDGEROW_LISTEN: '/p2p-circuit' }
    mesh = await testMesh({ workers: 2, envOf: { 'worker-1': hidden, 'worker-2': hidden } })
    const [first, second] = mesh.workers
    const response = await until('one reaches the other', async () => {
      const answer = await postJson(`${first?.url}/service/lab`, { a: 1 }, { 'hedgerow-worker': second?.peerId ?? '' })
      return answer.status === 200 && answer
    })
    assert.equal(response.headers.get('hedgerow-path'), 'relayed')
    const large = await fetch(`${first?.url}/service/lab/source?bytes=${8 * 1024 * 1024}`, {
      headers: { 'hedgerow-worker': second?.peerId ?? '' }
    })
    assert.equal((await large.arrayBuffer()).byteLength, 8 * 1024 * 1024)
  })

  it('remembers peers, so that a worker that starts again finds them without any relay', async () => {
    mesh = await testMesh({ workers: 2 })
    const [first, second] = mesh.workers
    await until(
      'the second remembers the first',
      async () => {
        const kept = await readFile(join(mesh.dataDir, 'worker-2', 'known-peers.json'), 'utf8')
        return kept.includes(first?.peerId ?? '-')
      },
      30_000
    )
    mesh.relay.child.kill('SIGKILL')
    second?.child.kill('SIGTERM')
    await until('both have ended', async () => second?.child.exitCode != null && mesh.relay.child.signalCode != null)
    const again = await mesh.startWorker('worker-2')
    assert.equal(again.peerId, second?.peerId)
    await until('it knows the first again', async () => {
      const { workers } = await getJson<{ workers: Row[] }>(`${again.url}/api/admin/workers`)
      return workers.some(({ peer_id, path }) => peer_id === first?.peerId && path != null)
    })
    const response = await postJson(`${again.url}/service/lab`, {}, { 'hedgerow-worker': first?.peerId ?? '' })
    assert.equal(response.status, 200)
  })

  it('holds no list of the others in any process: the relay is all a worker is told', async () => {
    mesh = await testMesh({ workers: 2 })
    for (const worker of mesh.workers) {
      const environment = (await readFile(`/proc/${worker.pid}/environ`, 'utf8')).split('\0')
      const command = await readFile(`/proc/${worker.pid}/cmdline`, 'utf8')
      for (const other of mesh.workers.filter(one => one !== worker)) {
        assert.ok(
          !environment
            .concat(command)
            .some(text => text.includes(other.peerId) || text.includes(new URL(other.url).port))
        )
      }
      assert.ok(environment.includes(`HEDGEROW_RELAY=${mesh.relay.url}`))
    }
  })

  it('goes on with one of two relays, and so does a newcomer that knows only that one', async () => {
    mesh = await testMesh({ workers: 1, envOf: { asker: { HEDGEROW_SERVICES: '' } } })
    const [first] = mesh.workers
    const relay = await mesh.startRelay(0, 'relay-2')
    const second = await mesh.startWorker('worker-2', 0, relay)
    for (const { name, url } of [mesh.relay, relay]) {
      await until(
        `${name} knows both workers`,
        async () => {
          const { services } = await getJson<{ services: Array<{ name: string; healthy: number }> }>(
            `${url}/api/services`
          )
          return services.some(service => service.name === 'lab' && service.healthy === 2)
        },
        40_000
      )
    }
    mesh.relay.child.kill('SIGKILL')
    await until('the first relay is gone', async () => mesh.relay.child.signalCode != null)
    for (let i = 0; i < 30; i++) assert.equal((await postJson(`${relay.url}/service/lab`, { i })).status, 200)
    const toFirst = { 'hedgerow-worker': first?.peerId ?? '' }
    assert.equal((await postJson(`${second.url}/service/lab`, {}, toFirst)).status, 200)
    const asker = await mesh.startWorker('asker', 0, relay)
    await until(
      'the newcomer reaches the worker whose only relay is gone',
      async () => (await postJson(`${asker.url}/service/lab`, {}, toFirst)).status === 200,
      40_000
    )
  })

  it('names the STUN and TURN servers of the mesh, or says that there are none', async () => {
    const stun = { urls: 'stun:127.0.0.1:9' }
    const turn = { urls: 'turn:127.0.0.1:9', username: 'ada', credential: 'p@ss' }
    mesh = await testMesh({
      workers: 1,
      envOf: { relay: { HEDGEROW_ICE_SERVERS: 'stun:127.0.0.1:9, turn:ada:p%40ss@127.0.0.1:9' } }
    })
    const bootstrap = await getJson<{ ice_servers: unknown }>(`${mesh.relay.url}/bootstrap`)
    assert.deepEqual(bootstrap.ice_servers, [stun, turn])
    for (const { url } of [mesh.relay, ...mesh.workers])
      assert.equal((await getJson<{ direct_paths: string }>(`${url}/health`)).direct_paths, 'anywhere')
    await mesh.stop()
    mesh = await testMesh({ workers: 1 })
    assert.deepEqual((await getJson<{ ice_servers: unknown }>(`${mesh.relay.url}/bootstrap`)).ice_servers, [])
    for (const { url } of [mesh.relay, ...mesh.workers])
      assert.equal((await getJson<{ direct_paths: string }>(`${url}/health`)).direct_paths, 'local_network')
  })

  it('comes back to its relay when the relay comes back', async () => {
    mesh = await testMesh({ workers: 1 })
    const { port } = new URL(mesh.relay.url)
    mesh.relay.child.kill('SIGKILL')
    await until('the relay is gone', async () => mesh.relay.child.signalCode != null)
    const relay = await mesh.startRelay(Number(port))
    await until(
      'the relay dispatches to the worker again',
      async () => (await postJson(`${relay.url}/service/lab`, {})).status === 200,
      40_000
    )
  })
})
