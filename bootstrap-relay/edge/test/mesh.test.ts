import assert from 'node:assert/strict'
import { once } from 'node:events'
import { freePort } from '@hedgerow/daemon/startup'
import type { PeerProcess } from '@hedgerow/scripts/mesh'
import { WebSocket } from 'ws'
import { type TestMesh, testMesh, until } from '../../../test/src/harness.ts'
import { EdgeRun, TOKEN } from './edge-run.ts'

/** What each side of a libp2p connection says first: its length, then the protocol by which they agree on others. */
const MULTISTREAM = Buffer.from('\x13/multistream/1.0.0\n')

describe('an edge in front of a real mesh', function () {
  this.timeout(120_000)
  let mesh: TestMesh
  let edge: EdgeRun
  let relays: PeerProcess[]

  before(async () => {
    edge = await EdgeRun.start({ registry: 'durable', deployed: true })
    const { origin } = await edge.port()
    const places = [
      { name: 'first', port: await freePort() },
      { name: 'second', port: await freePort() }
    ]
    const envOf = Object.fromEntries(
      places.map(({ name, port }) => [
        name,
        {
          HEDGEROW_URL: `http://127.0.0.1:${port}`,
          HEDGEROW_EDGE: origin,
          HEDGEROW_EDGE_TOKEN: TOKEN,
          // Whoever comes by the edge is not of this machine, and would need a key.
          HEDGEROW_HTTP_OPEN: 'true'
        }
      ])
    )
    mesh = await testMesh({ workers: 2, envOf })
    relays = []
    for (const { name, port } of places) relays.push(await mesh.startRelay(port, name))
  })

  after(async () => {
    await mesh?.stop()
    await edge?.dispose()
  })

  /** Which relay answers, once both have come. */
  const call = async (): Promise<{ status: number; relay: string | null; worker: string | null }> => {
    const answer = await edge.post('/service/lab', { a: 1 }, { headers: { 'idempotency-key': 'k' } })
    await answer.text()
    const { status, headers } = answer
    return { status, relay: headers.get('hedgerow-relay'), worker: headers.get('hedgerow-worker') }
  }
  const hostOf = ({ url }: PeerProcess): string => new URL(url).host
  const listed = async (answer: { json(): Promise<unknown> }): Promise<string> => {
    const { entry_points } = (await answer.json()) as { entry_points: { access_url: string }[] }
    return entry_points
      .map(({ access_url }) => access_url)
      .sort()
      .join()
  }

  it('lists what the relays that registered list, and carries requests to workers', async () => {
    // The one that did not register is an entry point of this network too.
    const all = [mesh.relay, ...relays]
      .map(({ url }) => url)
      .sort()
      .join()
    // Before the edge asks, which keeps what it hears.
    for (const { url } of relays)
      await until(
        'they know each other',
        async () => (await listed(await fetch(`${url}/entry-points`))) === all,
        60_000
      )
    assert.equal(await listed(await edge.fetch('/entry-points')), all)
    const { worker, relay } = await until('a worker answers', async () => {
      const answer = await call()
      return answer.status === 200 && answer
    })
    assert.ok(mesh.workers.some(({ peerId }) => peerId === worker))
    assert.ok(relays.some(one => hostOf(one) === relay))
  })

  it('carries libp2p', async () => {
    const socket = new WebSocket(`ws://${(await edge.port()).host}/`)
    await once(socket, 'open')
    socket.send(MULTISTREAM)
    const [said] = (await once(socket, 'message')) as [Buffer]
    assert.ok(MULTISTREAM.subarray(0, said.length).equals(said))
    socket.close()
    await once(socket, 'close')
  })

  it('takes in a worker that knows nothing but the edge', async () => {
    const [relay] = relays
    assert.ok(relay)
    const { peerId } = await mesh.startWorker('newcomer', 0, { ...relay, url: (await edge.port()).origin })
    const headers = { 'hedgerow-worker': peerId }
    const answer = await until('it serves', async () => {
      const response = await edge.post('/service/lab', { a: 1 }, { headers })
      await response.text()
      return response.status === 200 && response
    })
    assert.equal(answer.headers.get('hedgerow-worker'), peerId)
  })

  it('loses no request that may be repeated when a relay is killed', async () => {
    const { relay } = await call()
    const victim = relays.find(one => hostOf(one) === relay)
    assert.ok(victim)
    const statuses: number[] = []
    let isDead = false
    const callers = Array.from({ length: 4 }, async () => {
      for (let left = 20; left > 0; ) {
        statuses.push((await call()).status)
        if (isDead) left--
      }
    })
    await until('requests are under way', async () => statuses.length > 10)
    victim.child.kill('SIGKILL')
    await once(victim.child, 'exit')
    isDead = true
    await Promise.all(callers)
    assert.deepEqual(
      statuses.filter(status => status !== 200),
      []
    )
    assert.notEqual((await call()).relay, relay)
  })
})
