import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { PeerProcess } from '@hedgerow/scripts/mesh'
import { request } from 'undici'
import { getJson, postJson, type TestMesh, testMesh, until } from '../src/harness.ts'
import { createKey } from '../src/keys.ts'
import { type TunnelEnd, tunnelEnd } from '../src/tunnel-end.ts'

interface Health {
  status: string
  tunnel?: { state: string; url?: string; problem?: string; problem_code?: string }
}
interface Relays {
  relays: Array<{ peer_id: string; addrs: string[]; url: string | null }>
}
interface EntryPoint {
  peer_id: string
  access_url: string
  kind: string
  services: string[]
}

/** Milliseconds: what isn't reached at once is tried again after 5 s, 10 s and so on. */
const PROOF_TIMEOUT = 60_000

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('a tunnel to a peer', function () {
  this.timeout(120_000)
  let mesh: TestMesh
  let end: TunnelEnd
  /** of a worker that is an entry point too */
  let other: TunnelEnd
  let entry: PeerProcess

  before(async () => {
    end = await tunnelEnd('first')
    other = await tunnelEnd('worker')
    const unreachable = { HEDGEROW_LISTEN: '/p2p-circuit' }
    mesh = await testMesh({
      workers: 1,
      envOf: {
        // No plain TCP, which a worker on the same machine would come by.
        relay: { ...end.env, HEDGEROW_LISTEN: '' },
        // Whoever dials back comes from the world.
        'worker-1': end.worldEnv,
        entry: other.env,
        far: { ...end.worldEnv, ...unreachable },
        guest: { ...other.worldEnv, ...unreachable }
      }
    })
  })

  after(async () => {
    await mesh?.stop()
    await end?.stop()
    await other?.stop()
  })

  const health = async (peer = mesh.relay): Promise<Health> => (await fetch(`${peer.url}/health`)).json()

  /** The relay as a worker elsewhere in the mesh sees it. */
  const seen = async (): Promise<Relays['relays'][number] | undefined> => {
    const { relays } = await getJson<Relays>(`${mesh.workers[0]?.url}/api/admin/relays`)
    return relays.find(({ peer_id }) => peer_id === mesh.relay.peerId)
  }

  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(`${mesh.relay.url}/metrics`)).text()
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
  }

  const entryPoints = async (): Promise<EntryPoint[]> =>
    (await (await fetch(`${mesh.relay.url}/entry-points`)).json()).entry_points

  const reachedAt = (name: string) =>
    until(`the mesh knows ${name}`, async () => {
      const relay = await seen()
      return relay?.url === `https://${end.hostname(name)}` && relay
    })

  /** As `/dns4/<name>/tcp/<port>/tls/ws`, with no peer's id. */
  const addrOf = (tunnel: TunnelEnd, name: string): string => {
    const { hostname, port } = new URL(`https://${tunnel.hostname(name)}`)
    return `/dns4/${hostname}/tcp/${port}/tls/ws`
  }

  it('is announced when it is ready: URL, address, entry point', async () => {
    const relay = await reachedAt('first')
    assert.ok(relay.addrs.includes(`${addrOf(end, 'first')}/p2p/${mesh.relay.peerId}`), relay.addrs.join(' '))
    assert.deepEqual((await health()).tunnel, { state: 'ready', url: `https://${end.hostname('first')}` })
    const [point, ...others] = await until(
      'another peer has got through',
      async () => {
        const points = await entryPoints()
        return points.length > 0 && points
      },
      PROOF_TIMEOUT
    )
    assert.deepEqual([point?.access_url, point?.kind, others], [`https://${end.hostname('first')}`, 'tunnel', []])
    assert.equal(await metric('hedgerow_tunnel_up'), 1)
  })

  it('lets a worker in that is told the name and nothing else', async () => {
    const far = await mesh.startWorker('far', 0, { ...mesh.relay, url: `https://${end.hostname('first')}` })
    await until('it comes by the tunnel', async () => (await end.program.webSockets()).includes(end.hostname('first')))
    const response = await until('it serves', async () => {
      const answer = await postJson(`${mesh.relay.url}/service/lab`, { a: 1 }, { 'hedgerow-worker': far.peerId })
      return answer.status === 200 && answer
    })
    assert.equal(response.headers.get('hedgerow-path'), 'direct')
    assert.equal(response.headers.get('hedgerow-transport'), 'ws')
  })

  it('brings the world to the bridge, and shows it nothing of the inside', async () => {
    const url = `https://${end.hostname('first')}`
    const { key } = await createKey(join(mesh.dataDir, 'relay'))
    const ask = async (path: string, headers: Record<string, string> = {}): Promise<number> => {
      const { statusCode, body } = await request(url + path, { dispatcher: end.world, headers })
      await body.dump()
      return statusCode
    }
    assert.equal(await ask('/service/lab/counted'), 401)
    await until('the key is good', async () => (await ask('/service/lab/counted', { 'x-api-key': key })) === 200)
    assert.equal(await ask('/stats', { 'x-api-key': key }), 404)
    const { body } = await request(`${url}/health`, { dispatcher: end.world })
    assert.ok(!Object.hasOwn(Object(await body.json()), 'tunnel'))
  })

  it('makes a worker an entry point too, over which another joins', async () => {
    entry = await mesh.startWorker('entry')
    const url = `https://${other.hostname('worker')}`
    const point = await until(
      'it is listed',
      async () => (await entryPoints()).find(({ access_url }) => access_url === url),
      PROOF_TIMEOUT
    )
    assert.deepEqual([point.peer_id, point.kind], [entry.peerId, 'tunnel'])
    const { key } = await createKey(join(mesh.dataDir, 'entry'))
    await until('the world is served there', async () => {
      const { statusCode, body } = await request(`${url}/service/lab/counted`, {
        dispatcher: other.world,
        headers: { 'x-api-key': key }
      })
      await body.dump()
      return statusCode === 200
    })
    const guest = await mesh.startWorker('guest', 0, {
      ...entry,
      url: `${addrOf(other, 'worker')}/p2p/${entry.peerId}`
    })
    await until('it comes by the tunnel', async () => (await other.program.webSockets()).length > 0)
    await until('it knows the relay, of which nobody told it', async () => {
      const { relays } = await getJson<Relays>(`${guest.url}/api/admin/relays`)
      return relays.some(({ peer_id }) => peer_id === mesh.relay.peerId)
    })
  })

  it('is announced anew when its name changes', async () => {
    await end.program.change({ hostname: end.hostname('second') })
    const { addrs } = await reachedAt('second')
    assert.ok(addrs.some(addr => addr.startsWith(addrOf(end, 'second'))))
    assert.ok(!addrs.some(addr => addr.includes('first.')))
  })

  it('is taken back when it is gone, says what is wrong, and comes back', async () => {
    const [{ pid } = { pid: 0 }] = await end.program.starts()
    await end.program.change({ does: 'rate-limited' })
    process.kill(pid, 'SIGKILL')
    await until('nobody is told of it', async () => {
      const relay = await seen()
      return relay?.url === null && !relay.addrs.some(addr => addr.includes('.tunnel.test'))
    })
    const { status, tunnel } = await health()
    assert.deepEqual([status, tunnel?.url], ['healthy', undefined])
    assert.equal(await metric('hedgerow_tunnel_up'), 0)
    assert.ok(!(await entryPoints()).some(({ peer_id }) => peer_id === mesh.relay.peerId))
    await until('it knows why', async () => (await health()).tunnel?.problem_code === 'rate-limited')
    assert.match((await health()).tunnel?.problem ?? '', /HEDGEROW_TUNNEL=named/)
    assert.ok((await metric('hedgerow_tunnel_restarts_total')) > 0)
  })

  it('ends with its peer, however that ends', async () => {
    const pid = (await other.program.starts()).at(-1)?.pid ?? 0
    assert.ok(isAlive(pid))
    entry.child.kill('SIGKILL')
    await until('the program has ended', async () => !isAlive(pid))
  })
})
