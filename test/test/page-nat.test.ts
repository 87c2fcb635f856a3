import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import type * as Entry from '../fixtures/page/mesh.ts'
import { findBrowser, launchBrowser, openPage, type Site, servePage, skipUnless } from '../src/browser.ts'
import { type TestMesh, testMesh } from '../src/harness.ts'
import { canMakeHosts } from '../src/hosts.ts'
import { hasStunServer, hostsBehindNats, type NatKind, type NatNetwork, stunServer } from '../src/nats.ts'

declare const entry: typeof Entry

const ENTRY = fileURLToPath(new URL('../fixtures/page/mesh.ts', import.meta.url))

/** @param patience milliseconds to wait for a direct way */
function between(
  worker: NatKind,
  page: NatKind,
  patience: number,
  tests: (ask: () => Promise<Entry.Asked>) => void
): void {
  describe(`a worker behind a ${worker} NAT and a page behind a ${page} one`, function () {
    this.timeout(120_000)
    let network: NatNetwork
    let stun: { url: string; stop(): Promise<void> }
    let mesh: TestMesh
    let site: Site
    let browser: Browser

    before(async function () {
      skipUnless(this, canMakeHosts() ? undefined : 'network namespaces are not to be had: they need root and Linux')
      skipUnless(this, findBrowser() == null ? 'there is no Chromium, and it could not be installed' : undefined)
      skipUnless(this, hasStunServer() ? undefined : 'there is no coturn, and it could not be installed')
      network = hostsBehindNats([worker, page])
      const [workerHost, pageHost] = network.hidden
      stun = await stunServer(network.open)
      mesh = await testMesh({
        workers: 1,
        listen: [],
        hostOf: name => (name === 'relay' ? network.open : workerHost),
        env: { HEDGEROW_ICE_SERVERS: stun.url }
      })
      site = await servePage(ENTRY, network.address)
      browser = await launchBrowser({ ...(pageHost == null ? {} : { host: pageHost }), trusted: [site.url] })
    })

    after(async () => {
      await browser?.close()
      await site?.close()
      await mesh?.stop()
      await stun?.stop()
      network?.stop()
    })

    tests(async () => {
      const opened = await openPage(browser, site.url)
      await opened.evaluate(relay => entry.join([relay]), mesh.relay.url)
      await opened.evaluate(() => entry.ask('/service/lab/echo', { method: 'POST', body: 'x' }))
      // Long enough for the page to try again when the datagrams of the first try crossed badly.
      await opened.evaluate(ms => entry.reachedBy('direct', 1, ms).catch(() => {}), patience)
      return opened.evaluate(() => entry.ask('/service/lab/echo', { method: 'POST', body: 'x' }))
    })
  })
}

between('cone', 'cone', 60_000, ask => {
  it('meet directly, helped by the STUN server that the mesh names', async () => {
    const { status, headers } = await ask()
    assert.deepEqual([status, headers['hedgerow-path'], headers['hedgerow-transport']], [200, 'direct', 'webrtc'])
  })
})

between('symmetric', 'symmetric', 15_000, ask => {
  it('talk over the relay, since nobody can tell where the other could be reached', async () => {
    const { status, headers } = await ask()
    assert.deepEqual([status, headers['hedgerow-path']], [200, 'relayed'])
  })
})
