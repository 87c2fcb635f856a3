import assert from 'node:assert/strict'
import type { PeerProcess } from '@hedgerow/scripts/mesh'
import { type FrontendLoad, frontendLoad, type Outcome } from '../src/frontend-load.ts'
import { getJson, postJson, type TestMesh, testMesh, until } from '../src/harness.ts'

interface Row {
  worker_id: string
  peer_id: string
  addrs: string[]
  path: string | null
}

const SLOW = '/service/lab/slow?ms=200'
/** Nobody can dial it. */
const HIDDEN = { HEDGEROW_LISTEN: '/p2p-circuit' }

/** Relays over which a worker can be reached, as another peer knows. */
async function placesOf(worker: PeerProcess, asked: PeerProcess): Promise<string[]> {
  const { workers } = await getJson<{ workers: Row[] }>(`${asked.url}/api/admin/workers`)
  const addrs = workers.find(({ peer_id }) => peer_id === worker.peerId)?.addrs ?? []
  return [...new Set(addrs.flatMap(addr => /\/p2p\/(\w+)\/p2p-circuit/.exec(addr)?.[1] ?? []))].sort()
}

const peerIds = (peers: PeerProcess[]): string[] => peers.map(({ peerId }) => peerId).sort()

const failed = (outcomes: Outcome[]): Outcome[] => outcomes.filter(({ status }) => status !== 200)

for (const closed of [false, true]) {
  describe(`three relays of ${closed ? 'a closed' : 'an open'} mesh`, function () {
    this.timeout(180_000)
    let mesh: TestMesh
    /** a, b, c: b was told of a, and c of b */
    let relays: [PeerProcess, PeerProcess, PeerProcess]
    let workers: PeerProcess[]
    const loads: FrontendLoad[] = []
    const envOf: Record<string, Record<string, string>> = {
      'worker-2': HIDDEN,
      'worker-3': HIDDEN,
      asker: { ...HIDDEN, HEDGEROW_SERVICES: '' },
      late: HIDDEN
    }

    before(async () => {
      mesh = await testMesh({
        workers: 2,
        closed,
        listen: ['/ip4/127.0.0.1/tcp/0', '/p2p-circuit'],
        envOf
      })
      const a = mesh.relay
      const b = await mesh.startRelay(0, 'relay-b', a)
      const c = await mesh.startRelay(0, 'relay-c', b)
      relays = [a, b, c]
      const third = await mesh.startWorker('worker-3', 0, c)
      workers = [...mesh.workers, third]
    })

    afterEach(async () => {
      await Promise.all(loads.splice(0).map(load => load.stop()))
    })

    after(() => mesh?.stop())

    const everywhere = (some: PeerProcess[], at: PeerProcess[], timeout?: number): Promise<unknown> =>
      until(
        'every worker has a place at every relay, as every relay knows',
        async () => {
          for (const asked of at)
            for (const worker of some) if ((await placesOf(worker, asked)).join() !== peerIds(at).join()) return false
          return true
        },
        timeout
      )

    const isUsedBy = (worker: PeerProcess, relay: PeerProcess): Promise<unknown> =>
      until(`${relay.name} answers by ${worker.name}`, async () => {
        const answer = await postJson(`${relay.url}/service/lab`, {}, { 'hedgerow-worker': worker.peerId })
        return answer.status === 200 && answer.headers.get('hedgerow-path') === 'direct'
      })

    const kill = async (relay: PeerProcess): Promise<void> => {
      relay.child.kill('SIGKILL')
      await until(`${relay.name} is gone`, async () => relay.child.signalCode === 'SIGKILL')
    }

    const goesOn = async (): Promise<void> => {
      const before = loads.map(({ answered }) => answered)
      await until('every client gets further answers', async () =>
        loads.every(({ answered }, i) => answered > (before[i] ?? 0) + 40)
      )
    }

    it('are used by every worker, whichever it was told of', async () => {
      await everywhere(workers, relays, 40_000)
      for (const relay of relays) for (const worker of workers) await isUsedBy(worker, relay)
    })

    it('lose no request that may be repeated when two are killed in turn, and the third takes newcomers', async () => {
      const [a, b, c] = relays
      const asker = await mesh.startWorker('asker', 0, a, b)
      await everywhere([asker], relays, 40_000)
      await until('a worker that nobody can dial is asked by another such', async () => {
        const answer = await postJson(`${asker.url}${SLOW}`, {}, { 'hedgerow-worker': workers[2]?.peerId ?? '' })
        return answer.status === 200
      })
      for (const order of [relays, relays.toReversed(), [b, c, a]])
        loads.push(frontendLoad({ urls: order.map(({ url }) => url), path: SLOW, concurrency: 4 }))
      // A peer of the mesh asks workers itself, two of them over one relay or another.
      loads.push(frontendLoad({ urls: [asker.url], path: SLOW, concurrency: 8 }))
      await goesOn()
      await kill(a)
      await goesOn()
      await kill(b)
      await goesOn()
      // In a closed mesh the one that is left lets it in, by its own invite.
      const invite = await mesh.invite(c)
      if (invite != null) envOf.late = { ...HIDDEN, HEDGEROW_INVITE: invite }
      const late = await mesh.startWorker('late', 0, c)
      await isUsedBy(late, c)
      await goesOn()
      const outcomes = (await Promise.all(loads.splice(0).map(load => load.stop()))).flat()
      assert.deepEqual(failed(outcomes), [])
      assert.ok(
        outcomes.some(({ asked }) => asked > 1),
        'relays were lost with requests in hand'
      )
      const slowest = Math.max(...outcomes.map(({ ms }) => ms))
      console.log(`      ${outcomes.length} requests, slowest of those that take 200 ms: ${slowest.toFixed(0)} ms`)
      workers = [...workers, asker, late]
    })

    it('are used again when they are back, as the same peers', async () => {
      const [a, b, c] = relays
      const portOf = ({ url }: PeerProcess): number => Number(new URL(url).port)
      // The first was told of nobody at its first start, and remembers the others.
      const again = [await mesh.startRelay(portOf(a)), await mesh.startRelay(portOf(b), b.name, c)] as const
      assert.deepEqual([again[0].peerId, again[1].peerId], [a.peerId, b.peerId])
      relays = [...again, c]
      // Those that couldn't reach one try again every half minute or so.
      await everywhere(workers, relays, 60_000)
      for (const relay of relays) for (const worker of workers.slice(0, 3)) await isUsedBy(worker, relay)
    })
  })
}
