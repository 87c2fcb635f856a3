/** Two workers behind NATs of their own: what one asks of the other goes over the relay first, then directly if it can. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { skipUnless } from '../src/browser.ts'
import { postJson, type TestMesh, testMesh, until } from '../src/harness.ts'
import { canMakeHosts } from '../src/hosts.ts'
import { hasStunServer, hostsBehindNats, type NatKind, type NatNetwork, stunServer } from '../src/nats.ts'

interface Way {
  status: number
  path: string | null
  transport: string | null
}

function between(kind: NatKind, tests: (ask: () => Promise<Way>) => void): void {
  describe(`two workers behind ${kind} NATs`, function () {
    this.timeout(120_000)
    let network: NatNetwork
    let stun: { url: string; stop(): Promise<void> }
    let mesh: TestMesh

    before(async function () {
      skipUnless(this, canMakeHosts() ? undefined : 'network namespaces are not to be had: they need root and Linux')
      skipUnless(this, hasStunServer() ? undefined : 'there is no coturn, and it could not be installed')
      network = hostsBehindNats([kind, kind])
      const [first, second] = network.hidden
      stun = await stunServer(network.open)
      mesh = await testMesh({
        workers: 2,
        listen: [],
        hostOf: name => ({ relay: network.open, 'worker-1': first })[name] ?? second,
        env: { HEDGEROW_ICE_SERVERS: stun.url }
      })
    })

    after(async () => {
      await mesh?.stop()
      await stun?.stop()
      network?.stop()
    })

    tests(async () => {
      const [first, second] = mesh.workers
      const { status, headers } = await postJson(`${first?.url}/service/lab/echo`, 'x', {
        'hedgerow-worker': second?.peerId ?? ''
      })
      return { status, path: headers.get('hedgerow-path'), transport: headers.get('hedgerow-transport') }
    })
  })
}

between('cone', ask => {
  it('reach each other over the relay at once, and directly soon, with no request lost on the way', async () => {
    const ways: string[] = []
    await until(
      'they have met',
      async () => {
        const { status, path, transport } = await ask()
        assert.equal(status, 200)
        ways.push(`${path} ${transport}`)
        return path === 'direct'
      },
      90_000
    )
    assert.match(ways[0] ?? '', /^relayed (tcp|ws)$/)
    assert.equal(ways.at(-1), 'direct webrtc')
  })
})

between('symmetric', ask => {
  it('go on over the relay, and look for another way no oftener than is worth it', async () => {
    const startedAt = performance.now()
    while (performance.now() - startedAt < 20_000) {
      const { status, path } = await ask()
      assert.deepEqual([status, path], [200, 'relayed'])
      await sleep(50)
    }
  })
})
