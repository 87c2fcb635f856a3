/** A mesh and Chromium on two hosts of one network: what tests of pages stand on. */
import { fileURLToPath } from 'node:url'
import type { MeshInit } from '@hedgerow/scripts/mesh'
import type { Browser, Page } from 'playwright-core'
import { findBrowser, launchBrowser, openPage, type Site, servePage, skipUnless } from './browser.ts'
import { type TestMesh, testMesh } from './harness.ts'
import { canMakeHosts, hostsOnSwitch, type Network } from './hosts.ts'

const ENTRY = fileURLToPath(new URL('../fixtures/page/mesh.ts', import.meta.url))

export interface PageMesh {
  network: Network
  mesh: TestMesh
  site: Site
  browser: Browser
  /** a fresh page, not yet joined */
  open(init?: OpenInit): Promise<Page>
  stop(): Promise<void>
}

export interface OpenInit {
  /** runs in the page before anything else */
  before?: () => void
}

/**
 * @param context of mocha: skipped where there is no browser, or no way to make hosts
 * @param entry what the page runs. @default what most tests need
 */
export async function pageMesh(
  context: Mocha.Context,
  init: Partial<MeshInit> | ((network: Network) => Promise<Partial<MeshInit>>) = {},
  entry = ENTRY
): Promise<PageMesh> {
  skipUnless(context, canMakeHosts() ? undefined : 'network namespaces are not to be had: they need root and Linux')
  skipUnless(context, findBrowser() == null ? 'there is no Chromium, and it could not be installed' : undefined)
  const network = hostsOnSwitch(2)
  const undo: Array<() => Promise<void> | void> = [() => network.stop()]
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    const [host, pageHost] = network.hosts
    const given = typeof init === 'function' ? await init(network) : init
    // Where a worker listens when nothing says so: every address, by every transport.
    const mesh = await testMesh({ workers: 2, listen: [], hostOf: () => host, ...given })
    undo.push(() => mesh.stop())
    const site = await servePage(entry, network.address)
    undo.push(() => site.close())
    const trusted = [site.url, mesh.relay.url]
    const browser = await launchBrowser({ ...(pageHost == null ? {} : { host: pageHost }), trusted })
    undo.push(() => browser.close())
    return { network, mesh, site, browser, open: ({ before } = {}) => openPage(browser, site.url, before), stop }
  } catch (err) {
    await stop()
    throw err
  }
}
