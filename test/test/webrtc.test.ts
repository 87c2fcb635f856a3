import assert from 'node:assert/strict'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import type * as Entry from '../fixtures/page/dial.ts'
import { findBrowser, launchBrowser, openPage, type Site, servePage, skipUnless } from '../src/browser.ts'
import { getJson, type TestMesh, testMesh, until } from '../src/harness.ts'
import { canMakeHosts, hostsOnSwitch, type Network } from '../src/hosts.ts'

declare const entry: typeof Entry

const ENTRY = fileURLToPath(new URL('../fixtures/page/dial.ts', import.meta.url))

describe('a worker and a page on two hosts', function () {
  this.timeout(120_000)
  let network: Network
  let mesh: TestMesh
  let site: Site
  let browser: Browser
  let page: Page

  before(async function () {
    skipUnless(this, canMakeHosts() ? undefined : 'network namespaces are not to be had: they need root and Linux')
    skipUnless(this, findBrowser() == null ? 'there is no Chromium, and it could not be installed' : undefined)
    network = hostsOnSwitch(2)
    const [host, pageHost] = network.hosts
    // Where a worker listens when nothing says so: that is what is tested.
    mesh = await testMesh({ workers: 1, listen: [], hostOf: () => host })
    site = await servePage(ENTRY, network.address)
    browser = await launchBrowser({ ...(pageHost == null ? {} : { host: pageHost }), trusted: [site.url] })
  })

  after(async () => {
    await browser?.close()
    await site?.close()
    await mesh?.stop()
    network?.stop()
  })

  beforeEach(async () => {
    page = await openPage(browser, site.url)
  })

  afterEach(() => page?.context().close())

  /** The worker's address of one kind, by which another host reaches it. */
  const addrOf = (kind: RegExp, url = mesh.workers[0]?.url): Promise<string> =>
    until(`the worker has an address like ${kind}`, async () => {
      const { peers } = await getJson<{ peers: string[] }>(`${url}/api/dht/bootstrap`)
      return peers.find(addr => kind.test(addr) && addr.startsWith(`/ip4/${network.hosts[0]?.address}/`))
    })
  const DIRECT = /\/udp\/\d+\/webrtc-direct\/certhash\//
  const CIRCUIT = /\/ws\/p2p\/[^/]+\/p2p-circuit\/p2p\/[^/]+$/
  const WEBRTC = /\/ws\/p2p\/[^/]+\/p2p-circuit\/webrtc\/p2p\/[^/]+$/
  const dial = (addr: string, options?: { timeout?: number; keep?: boolean }): Promise<Entry.Dialled> =>
    page.evaluate(([to, how]) => entry.dial(to, how), [addr, options] as const)

  it('connect by webrtc-direct', async () => {
    const { remoteAddr, limited } = await dial(await addrOf(DIRECT))
    assert.match(remoteAddr, DIRECT)
    assert.equal(limited, false)
  })

  it('connect by WebRTC, arranged through the relay', async () => {
    const { remoteAddr, limited } = await dial(await addrOf(WEBRTC))
    assert.match(remoteAddr, /\/webrtc\//)
    assert.equal(limited, false)
  })

  it('connect over the relay where no datagram passes between them, and no other way', async () => {
    const [direct, circuit, webrtc] = await Promise.all([addrOf(DIRECT), addrOf(CIRCUIT), addrOf(WEBRTC)])
    const [, host] = network.hosts
    assert.ok(host != null)
    const heal = network.drop(host, 'udp')
    try {
      const { limited } = await dial(circuit)
      assert.equal(limited, true)
      for (const addr of [direct, webrtc]) await assert.rejects(dial(addr, { timeout: 4000 }))
    } finally {
      heal()
    }
    assert.equal((await dial(direct)).limited, false)
  })

  it('part at once when the worker is told to end, and meet at the same address when it is back', async () => {
    const [worker] = mesh.workers
    assert.ok(worker != null)
    const direct = await addrOf(DIRECT)
    await dial(direct, { keep: true })
    await dial(await addrOf(WEBRTC), { keep: true })
    assert.ok((await page.evaluate(id => entry.connectionsTo(id), worker.peerId)) >= 2)
    const exited = once(worker.child, 'exit')
    const toldAt = performance.now()
    worker.child.kill('SIGTERM')
    assert.deepEqual(await exited, [0, null])
    assert.ok(performance.now() - toldAt < 10_000)
    const again = await mesh.startWorker('worker-1')
    assert.equal(await addrOf(DIRECT, again.url), direct)
    assert.equal((await dial(direct)).limited, false)
  })
})
