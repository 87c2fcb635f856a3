import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { PeerProcess } from '@hedgerow/scripts/mesh'
import { getJson, postJson, type TestMesh, testMesh, until } from '../src/harness.ts'

const MIB = 1024 * 1024
const DOWNLOAD = 20 * MIB

describe('a peer that is told to stop', function () {
  this.timeout(120_000)
  let mesh: TestMesh

  beforeEach(async () => {
    mesh = await testMesh({ workers: 2 })
  })
  afterEach(() => mesh.stop())

  /** Opens a connection, and asks something on it that leaves it open. */
  async function idleConnection({ url }: PeerProcess): Promise<Socket> {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write('GET /stats HTTP/1.1\r\nhost: localhost\r\n\r\n')
    await once(socket, 'data')
    return socket.resume()
  }

  async function inFlight({ url }: PeerProcess): Promise<number> {
    const { per_service } = await getJson<{ per_service: Record<string, { in_flight: number }> }>(`${url}/stats`)
    return per_service.lab?.in_flight ?? 0
  }

  for (const role of ['relay', 'worker'] as const) {
    it(`finishes what has entered at it, as a ${role}, and takes nothing new`, async () => {
      const [worker = mesh.relay] = mesh.workers
      const leaver = role === 'relay' ? mesh.relay : worker
      const idle = await idleConnection(leaver)
      const idleClosed = once(idle, 'close')
      const slow = [0, 1, 2].map(() => postJson(`${leaver.url}/service/lab/slow-once?ms=4000`, {}))
      const nested = postJson(`${leaver.url}/service/lab/nested`, { path: 'lab/slow?ms=4000' })
      const download = await fetch(`${leaver.url}/service/lab/source?bytes=${DOWNLOAD}`)
      await until('all are in hand', async () => (await inFlight(leaver)) >= 5)
      leaver.child.kill('SIGTERM')

      const health = await until('it says so', async () => {
        const answer = await fetch(`${leaver.url}/health`)
        return answer.status === 503 && answer
      })
      assert.equal((await health.json()).status, 'draining')
      assert.equal(health.headers.get('connection'), 'close')
      const late = await postJson(`${leaver.url}/service/lab`, {})
      assert.equal(late.status, 503)
      assert.equal(late.headers.get('connection'), 'close')
      assert.ok(Number(late.headers.get('retry-after')) > 0)
      const problem = await late.json()
      assert.equal(problem.code, 'Draining')
      assert.equal(problem.retry_safe, true)
      await idleClosed

      for (const answer of await Promise.all(slow)) assert.equal(answer.status, 200)
      const call = await nested
      assert.equal(call.status, 200)
      assert.equal((await call.json()).status, 200)
      assert.equal((await download.arrayBuffer()).byteLength, DOWNLOAD)
      await until('it has ended', async () => leaver.child.exitCode != null)
      assert.equal(leaver.child.exitCode, 0)
    })
  }

  it('ends at once when it has nothing in hand, whoever listens to it', async () => {
    const idle = await idleConnection(mesh.relay)
    const idleClosed = once(idle, 'close')
    const events = await fetch(`${mesh.relay.url}/events`)
    mesh.relay.child.kill('SIGTERM')
    // A third of what it may take when something is in hand.
    await until('it has ended', async () => mesh.relay.child.exitCode === 0, 10_000)
    await idleClosed
    await events.body?.cancel().catch(() => {})
  })
})
