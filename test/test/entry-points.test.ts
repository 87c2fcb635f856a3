import assert from 'node:assert/strict'
import type { PeerProcess } from '@hedgerow/scripts/mesh'
import { skipUnless } from '../src/browser.ts'
import { getJson, type TestMesh, testMesh, until as untilWithin } from '../src/harness.ts'
import { canMakeHosts, INTERNET_RANGE } from '../src/hosts.ts'
import { hostsBehindNats, type NatNetwork } from '../src/nats.ts'
import { hasUpnpRouter, type UpnpRouter, upnpRouter } from '../src/upnp-router.ts'

interface EntryPoint {
  peer_id: string
  access_url: string
  kind: string
}
interface Health {
  entry_point?: {
    verified: boolean
    claims: Array<{ addr: string; verified: boolean; kind?: string; problem?: string }>
  }
}

/** Peers try again after 5 s, 10 s and so on. */
const until = <T>(what: string, ask: () => Promise<T | undefined | false>): Promise<T> => untilWithin(what, ask, 60_000)

const listed = async ({ url }: PeerProcess): Promise<string[]> => {
  const { entry_points }: { entry_points: EntryPoint[] } = await (await fetch(`${url}/entry-points`)).json()
  return entry_points.map(({ peer_id, access_url, kind }) => `${kind} ${access_url} ${peer_id}`)
}

const metric = async ({ url }: PeerProcess, name: string): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(
    text
      .split('\n')
      .find(line => line.startsWith(`${name} `))
      ?.slice(name.length)
  )
}

describe('entry points of a closed mesh on one machine', function () {
  this.timeout(120_000)
  let mesh: TestMesh
  const relays: PeerProcess[] = []

  before(async () => {
    mesh = await testMesh({ workers: 1, closed: true })
    relays.push(mesh.relay, await mesh.startRelay(0, 'relay-2'), await mesh.startRelay(0, 'relay-3'))
  })

  after(async () => {
    await mesh?.stop()
  })

  const allList = (who: PeerProcess[]): Promise<true> =>
    until(`all list ${who.length}`, async () => {
      const lists = await Promise.all(relays.filter(({ child }) => child.exitCode == null).map(listed))
      const expected = who
        .map(({ url, peerId }) => `local ${url} ${peerId}`)
        .sort((a, b) => ((a.split(' ')[2] ?? '') < (b.split(' ')[2] ?? '') ? -1 : 1))
      return lists.every(list => list.join() === expected.join()) && true
    })

  it('are the same at each of three relays, in the same order', async () => {
    await allList(relays)
    for (const relay of relays) assert.equal(await metric(relay, 'hedgerow_entry_point_verified'), 1)
    const response = await fetch(`${relays[0]?.url}/entry-points`)
    assert.equal(response.headers.get('cache-control'), 'public, max-age=60')
    const [point] = (await response.json()).entry_points
    assert.deepEqual(Object.keys(point), [
      'worker_id',
      'peer_id',
      'access_url',
      'kind',
      'services',
      'verified_at',
      'seconds_silent'
    ])
  })

  it('are known to who provides them in the DHT', async () => {
    const { providers } = await until('the DHT has them', async () => {
      const answer = await getJson<{ providers: unknown[] }>(`${mesh.workers[0]?.url}/api/dht/entry-points`)
      return answer.providers.length === 3 && answer
    })
    assert.equal(providers.length, 3)
  })

  it('go when a relay says goodbye', async () => {
    const [, , third] = relays
    if (third == null) throw new Error('there are three')
    third.child.kill('SIGTERM')
    await until('it has ended', async () => third.child.exitCode != null)
    await allList(relays.slice(0, 2))
  })
})

describe('entry points of a small internet', function () {
  this.timeout(180_000)
  let network: NatNetwork
  let router: UpnpRouter
  let mesh: TestMesh
  let second: PeerProcess
  const liar: Record<string, string> = { HEDGEROW_TUNNEL_PORT: '8090', HEDGEROW_LISTEN: '/p2p-circuit' }

  before(async function () {
    skipUnless(this, canMakeHosts() ? undefined : 'network namespaces are not to be had: they need root and Linux')
    skipUnless(this, hasUpnpRouter() ? undefined : 'there is no miniupnpd, and it could not be installed')
    network = hostsBehindNats(['cone', 'cone'], INTERNET_RANGE, 3)
    const [first, upnp] = network.hidden
    const [middle, far] = network.others
    router = await upnpRouter(network.routers[1] as NatNetwork['open'])
    mesh = await testMesh({
      workers: 1,
      listen: ['/ip4/0.0.0.0/tcp/4001', '/p2p-circuit'],
      hostOf: name =>
        ({ relay: network.open, 'relay-2': middle, liar: far, prober: far, open: far, 'worker-1': first, upnp })[name],
      env: { LOG_LEVEL: 'debug' },
      envOf: {
        upnp: { HEDGEROW_UPNP: 'on' },
        liar,
        // A port of the relay's own machine, of which this one can't know what is there.
        prober: { HEDGEROW_URL: 'http://127.0.0.1:8080', HEDGEROW_TUNNEL_PORT: '8091', HEDGEROW_LISTEN: '/p2p-circuit' }
      }
    })
    second = await mesh.startRelay(0, 'relay-2')
  })

  after(async () => {
    await mesh?.stop()
    await router?.stop()
    network?.stop()
  })

  const claims = async ({ url }: PeerProcess): Promise<NonNullable<Health['entry_point']>['claims']> =>
    (await getJson<Health>(`${url}/health`)).entry_point?.claims ?? []

  it('are relays with public addresses, each reached by the other', async () => {
    const expected = [mesh.relay, second].map(({ url, peerId }) => `public ${url} ${peerId}`)
    await until('both list both', async () => {
      const lists = await Promise.all([mesh.relay, second].map(listed))
      return lists.every(list => list.toSorted().join() === expected.toSorted().join())
    })
  })

  it('are no workers behind a NAT', async () => {
    const [worker] = mesh.workers
    if (worker == null) throw new Error('there is one')
    await until(
      'it has asked',
      async () =>
        (await metric(mesh.relay, 'hedgerow_dial_backs_total{outcome="unreachable"}')) > 0 ||
        (await metric(second, 'hedgerow_dial_backs_total{outcome="unreachable"}')) > 0
    )
    assert.equal(await metric(worker, 'hedgerow_entry_point_verified'), 0)
  })

  it('are workers whose router lets connections in (UPnP), as long as it does', async () => {
    const worker = await mesh.startWorker('upnp')
    const [claim] = await until('it is reached', async () => {
      const all = await claims(worker)
      return all.some(({ verified }) => verified) && all
    })
    const address = network.routers[1]?.address
    assert.equal(claim?.addr, `/ip4/${address}/tcp/4001`)
    assert.equal(claim?.kind, 'public')
    assert.deepEqual(router.opened(), ['4001'])
    await until('a relay names it to newcomers', async () => {
      const { peers } = await getJson<{ peers: string[] }>(`${mesh.relay.url}/bootstrap`)
      return peers.includes(`${claim?.addr}/p2p/${worker.peerId}`)
    })
    worker.child.kill('SIGTERM')
    await until('the port is closed again', async () => router.opened().length === 0)
  })

  it('are none that claim the place of another', async () => {
    // Where there is a peer, which answers for itself.
    liar.HEDGEROW_URL = mesh.relay.url
    liar.HEDGEROW_ANNOUNCE = `/ip4/${network.open.address}/tcp/${new URL(mesh.relay.url).port}/ws`
    const worker = await mesh.startWorker('liar')
    await until('others have tried', async () => {
      const all = await claims(worker)
      return all.length > 0 && all.every(({ problem }) => /did not get through/.test(problem ?? ''))
    })
    for (const relay of [mesh.relay, second])
      assert.ok((await listed(relay)).every(line => !line.endsWith(worker.peerId)))
  })

  it('are not looked for inside the networks of others', async () => {
    const refused = (): Promise<number[]> =>
      Promise.all([mesh.relay, second].map(relay => metric(relay, 'hedgerow_dial_backs_total{outcome="refused"}')))
    const before = await refused()
    const prober = await mesh.startWorker('prober')
    await until('nobody has tried', async () => {
      const [claim] = await claims(prober)
      return claim?.problem === 'no other peer is where it could try it'
    })
    const after = await refused()
    assert.ok(
      after.every((count, i) => count > (before[i] ?? 0)),
      `${before} ${after}`
    )
  })
})
