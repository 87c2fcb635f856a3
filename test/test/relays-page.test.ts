import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { freePort } from '@hedgerow/daemon/startup'
import type { PeerProcess } from '@hedgerow/scripts/mesh'
import type { Browser, Page } from 'playwright-core'
import type * as Entry from '../fixtures/page/mesh.ts'
import { findBrowser, launchBrowser, openPage, type Site, servePage, skipUnless } from '../src/browser.ts'
import { getJson, type TestMesh, testMesh, until } from '../src/harness.ts'
import { canMakeHosts } from '../src/hosts.ts'
import { hostsBehindNats, type NatNetwork } from '../src/nats.ts'

declare const entry: typeof Entry

const ENTRY = fileURLToPath(new URL('../fixtures/page/mesh.ts', import.meta.url))
const SLOW = '/slow?ms=200'

interface Bootstrap {
  peers: string[]
}

describe('three relays, workers behind NATs and a page behind another', function () {
  this.timeout(180_000)
  let network: NatNetwork
  let mesh: TestMesh
  let relays: [PeerProcess, PeerProcess, PeerProcess]
  let site: Site
  let browser: Browser
  const opened: Page[] = []

  before(async function () {
    skipUnless(this, canMakeHosts() ? undefined : 'network namespaces are not to be had: they need root and Linux')
    skipUnless(this, findBrowser() == null ? 'there is no Chromium, and it could not be installed' : undefined)
    // Nobody can guess a way between these: a relay carries everything.
    network = hostsBehindNats(['symmetric', 'symmetric', 'symmetric'])
    const [first, second, pageHost] = network.hidden
    const { open } = network
    const ports = [await freePort(), await freePort(), await freePort()] as const
    const url = (i: 0 | 1 | 2): Record<string, string> => ({ HEDGEROW_URL: `http://${open.address}:${ports[i]}` })
    mesh = await testMesh({
      httpPort: ports[0],
      workers: 2,
      listen: [],
      hostOf: name => (name.startsWith('relay') ? open : name === 'worker-1' ? first : second),
      envOf: { relay: url(0), 'relay-b': url(1), 'relay-c': url(2) }
    })
    const b = await mesh.startRelay(ports[1], 'relay-b')
    relays = [mesh.relay, b, await mesh.startRelay(ports[2], 'relay-c', b)]
    site = await servePage(ENTRY, network.address)
    browser = await launchBrowser({ ...(pageHost == null ? {} : { host: pageHost }), trusted: [site.url] })
  })

  after(async () => {
    await browser?.close()
    await site?.close()
    await mesh?.stop()
    network?.stop()
  })

  const join = async (...told: PeerProcess[]): Promise<Page> => {
    const page = await openPage(browser, site.url)
    opened.push(page)
    await page.evaluate(
      urls => entry.join(urls),
      told.map(({ url }) => url)
    )
    return page
  }

  const connectedTo = (page: Page, count: number, timeout?: number): Promise<unknown> =>
    until(
      `the page is connected to ${count} relays`,
      async () => {
        const peers = await page.evaluate(() => entry.mesh().peers())
        return peers.filter(({ role, path }) => role === 'relay' && path === 'direct').length === count
      },
      timeout
    )

  const kill = async (relay: PeerProcess): Promise<void> => {
    // Ahead of it stands `ip netns exec`, which becomes the peer itself.
    relay.child.kill('SIGKILL')
    await until(`${relay.name} is gone`, async () => relay.child.signalCode === 'SIGKILL')
  }

  it('all serve a page that was told of one, and list each other', async () => {
    for (const relay of relays) {
      await until(`${relay.name} names the others`, async () => {
        const { peers } = await getJson<Bootstrap>(`${relay.url}/bootstrap`)
        return relays.every(({ peerId }) => peers.some(addr => addr.endsWith(peerId)))
      })
      await until(`${relay.name} lists all entry points`, async () => {
        const { count } = await getJson<{ count: number }>(`${relay.url}/entry-points`)
        return count === relays.length
      })
    }
    await connectedTo(await join(relays[0]), 3)
  })

  it('lose no request of the page when two are killed in turn', async () => {
    const page = opened[0] ?? assert.fail('there is no page')
    const lists = relays.map(({ url }) => `${url}/entry-points`)
    await page.evaluate(
      ([path, urls]) => {
        entry.load.start(`/service/lab${path}`, 6)
        entry.frontendLoad.startClient(entry.overEntryPoints(urls), 'lab', path, 2)
      },
      [SLOW, lists] as const
    )
    const goesOn = async (): Promise<void> => {
      const count = (): Promise<number[]> => page.evaluate(() => [entry.load.answered, entry.frontendLoad.answered / 2])
      const before = await count()
      await until('it gets further answers', async () =>
        (await count()).every((answered, i) => answered > (before[i] ?? 0) + 15)
      )
    }
    await goesOn()
    await kill(relays[0])
    await connectedTo(page, 2)
    await goesOn()
    await kill(relays[1])
    await connectedTo(page, 1)
    await goesOn()
    const [byMesh, byClient] = await page.evaluate(async () => [
      await entry.load.stop(),
      await entry.frontendLoad.stop()
    ])
    assert.deepEqual([byMesh?.failures, byClient?.failures], [[], []])
    for (const [how, load] of Object.entries({ 'mesh.fetch': byMesh, frontends: byClient }))
      console.log(`      ${how}: ${load?.answered} answers, the slowest after ${load?.slowest.toFixed(0)} ms`)
  })

  it('let a page and a worker in by the one that is left', async () => {
    const page = await join(...relays)
    const { status, headers } = await page.evaluate(() => entry.ask('/service/lab/echo', { method: 'POST', body: 'x' }))
    assert.deepEqual([status, headers['hedgerow-path']], [200, 'relayed'])
    const late = await mesh.startWorker('late', 0, relays[2])
    await until('the page asks the new worker', async () => {
      const asked = await page.evaluate(
        worker => entry.ask('/service/lab/echo', { method: 'POST', body: 'x', headers: { 'hedgerow-worker': worker } }),
        late.peerId
      )
      return asked.status === 200 && asked.headers['hedgerow-path'] === 'relayed'
    })
  })

  it('are used again by pages when they are back', async () => {
    const [a, b] = relays
    const portOf = ({ url }: PeerProcess): number => Number(new URL(url).port)
    await mesh.startRelay(portOf(a))
    await mesh.startRelay(portOf(b), b.name)
    for (const page of opened) await connectedTo(page, 3, 60_000)
  })
})
