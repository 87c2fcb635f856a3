/** The console of a closed mesh, for somebody who isn't known there yet. `HEDGEROW_SCREENSHOTS=folder` keeps a picture. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AxeBuilder } from '@axe-core/playwright'
import { changeKeys, newKey } from '@hedgerow/daemon/access'
import { openAuthority } from '@hedgerow/daemon/authority'
import { sealInvite } from '@hedgerow/protocols/membership'
import type { Page } from 'playwright-core'
import { type PageMesh, pageMesh } from '../src/page-mesh.ts'

const BUILD = fileURLToPath(new URL('../../scripts/build-console.mjs', import.meta.url))

describe('the console of a closed mesh', function () {
  this.timeout(120_000)
  let all: PageMesh
  let page: Page

  before(async function () {
    execFileSync(process.execPath, [BUILD], { stdio: ['ignore', 'ignore', 'pipe'] })
    all = await pageMesh(this, { closed: true })
  })

  beforeEach(async () => {
    const context = await all.browser.newContext({ viewport: { width: 1280, height: 960 }, reducedMotion: 'reduce' })
    page = await context.newPage()
    page.setDefaultTimeout(20_000)
    await page.goto(all.mesh.relay.url)
    await page.getByRole('heading', { name: 'This mesh is closed' }).waitFor()
  })

  afterEach(() => page?.context().close())
  after(() => all?.stop())

  const comeIn = async (by: string): Promise<void> => {
    await page.getByLabel('Key or invite').fill(by)
    await page.getByRole('button', { name: 'Come in' }).click()
  }
  const isIn = (): Promise<void> => page.getByRole('link', { name: '2 computers here' }).waitFor()

  async function inviteForOne(): Promise<string> {
    const { mesh, privateKey } = await openAuthority(join(all.mesh.dataDir, 'mesh'), {
      passphrase: () => assert.fail()
    })
    return sealInvite(
      {
        mesh,
        authority: privateKey.publicKey.raw,
        issuer: all.mesh.relay.peerId,
        relays: [all.mesh.relay.url],
        roles: ['client'],
        services: ['*'],
        classes: ['internal'],
        uses: 1,
        ttl: 3600,
        expiresAt: Math.floor(Date.now() / 1000) + 3600
      },
      privateKey
    )
  }

  it('asks for a key or an invite, and says when one is of no use', async () => {
    await page.getByRole('link', { name: 'Not signed in' }).waitFor()
    for (const useless of ['rubbish', 'hk_0123456789ab_wrong']) {
      await comeIn(useless)
      await page.getByRole('alert').filter({ hasText: 'did not let you in' }).waitFor()
      assert.equal(await page.getByRole('link', { name: 'Not signed in' }).count(), 1)
    }
    const { violations } = await new AxeBuilder({ page }).analyze()
    assert.deepEqual(
      violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id }) => id),
      []
    )
    const folder = process.env.HEDGEROW_SCREENSHOTS ?? ''
    if (folder === '') return
    await mkdir(folder, { recursive: true })
    await page.screenshot({ path: join(folder, 'closed.png') })
  })

  it('lets people in by an invite, and keeps them in when they load the page again', async () => {
    await comeIn(`HEDGEROW_INVITE=${await inviteForOne()}`)
    await isIn()
    await page.reload()
    await isIn()
    assert.equal(await page.getByText('open mesh').count(), 0)
  })

  it('lets people in by a key that may enrol', async () => {
    const { text, ...kept } = newKey()
    await changeKeys(join(all.mesh.dataDir, 'relay'), keys =>
      keys.push({
        ...kept,
        name: 'adviser',
        rights: ['call', 'read', 'enrol'],
        services: '*',
        created: new Date().toISOString()
      })
    )
    // The relay reads its keys when they change, within a second.
    await comeIn(text)
    const welcome = page.getByRole('link', { name: '2 computers here' })
    const refused = page.getByRole('alert')
    while (!(await welcome.isVisible())) {
      await welcome.or(refused).first().waitFor()
      if (await refused.isVisible()) await comeIn(text)
    }
  })
})
