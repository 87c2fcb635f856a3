import assert from 'node:assert/strict'
import { join } from 'node:path'
import { changeKeys, type KeyRecord, newKey } from '@hedgerow/daemon/access'
import { openAuthority } from '@hedgerow/daemon/authority'
import { loadIdentity } from '@hedgerow/daemon/identity'
import { peerIdOfKey, sealInvite, sealRevocation } from '@hedgerow/protocols/membership'
import type { PrivateKey } from '@libp2p/interface'
import type { Page } from 'playwright-core'
import type * as Entry from '../fixtures/page/mesh.ts'
import { getJson, postJson, until } from '../src/harness.ts'
import { type PageMesh, pageMesh } from '../src/page-mesh.ts'

declare const entry: typeof Entry

const HOUR = 3600
const seconds = (): number => Math.floor(Date.now() / 1000)

describe('a page in a closed mesh', function () {
  this.timeout(120_000)
  let all: PageMesh
  let authority: PrivateKey
  let relayKey: PrivateKey
  let id: string

  before(async function () {
    all = await pageMesh(this, { closed: true })
    const opened = await openAuthority(join(all.mesh.dataDir, 'mesh'), { passphrase: () => assert.fail() })
    authority = opened.privateKey
    id = opened.mesh
    relayKey = await loadIdentity(join(all.mesh.dataDir, 'relay'))
  })

  after(() => all?.stop())

  const invite = (uses = 5): Promise<string> =>
    sealInvite(
      {
        mesh: id,
        authority: authority.publicKey.raw,
        issuer: peerIdOfKey(relayKey.publicKey.raw),
        relays: [all.mesh.relay.url],
        roles: ['client'],
        services: ['*'],
        classes: ['internal'],
        uses,
        ttl: HOUR,
        expiresAt: seconds() + HOUR
      },
      relayKey
    )

  const joinBy = async (by: { invite?: string; token?: string; mesh?: string }): Promise<Page> => {
    const page = await all.open()
    await page.evaluate(([relay, init]) => entry.join([relay], init), [all.mesh.relay.url, by] as const)
    return page
  }

  const refusal = async (by: object): Promise<{ code?: string; message: string }> => {
    const page = await all.open()
    try {
      return await page.evaluate(([relay, init]) => entry.failure(entry.joinMesh({ relays: [relay], ...init })), [
        all.mesh.relay.url,
        by
      ] as const)
    } finally {
      await page.close()
    }
  }

  it('stays outside without a reason to be let in, and says what it needs', async () => {
    const none = await refusal({})
    assert.equal(none.code, 'Unauthorized')
    assert.match(none.message, /token of the user, an invite or a credential/)
    assert.equal((await refusal({ token: 'hk_0123456789ab_wrong' })).code, 'Unauthorized')
    assert.equal((await refusal({ invite: 'rubbish' })).code, 'Unauthorized')
    assert.equal((await refusal({ mesh: 'another-mesh' })).code, 'Unauthorized')
  })

  it('comes in by an invite, and asks workers directly', async () => {
    const page = await joinBy({ invite: await invite(), mesh: id })
    await page.evaluate(() => entry.reachedBy('direct', 2))
    const { status, headers, text } = await page.evaluate(() =>
      entry.ask('/service/lab/echo', { method: 'POST', body: 'hello' })
    )
    assert.deepEqual([status, text, headers['hedgerow-path']], [200, 'hello', 'direct'])
    assert.ok(await page.evaluate(() => entry.mesh().closed))
    await page.close()
  })

  it('comes in by an API key of its user that may enrol, and by no other', async () => {
    const dataDir = join(all.mesh.dataDir, 'relay')
    const keyWith = async (rights: KeyRecord['rights']): Promise<string> => {
      const { text, ...kept } = newKey()
      const record: KeyRecord = { ...kept, name: 'test', rights, services: '*', created: new Date().toISOString() }
      await changeKeys(dataDir, keys => keys.push(record))
      return text
    }
    const [made, weak] = [await keyWith(['call', 'enrol']), await keyWith(['call'])]
    await until('the relay knows the keys', async () => {
      const answer = await fetch(`${all.mesh.relay.url}/api/services`, {
        headers: { authorization: `Bearer ${weak}` }
      })
      return answer.status === 200
    })
    const page = await joinBy({ token: made })
    const { status } = await page.evaluate(() => entry.ask('/service/lab/echo', { method: 'POST', body: 'x' }))
    assert.equal(status, 200)
    await page.close()
    assert.equal((await refusal({ token: weak })).code, 'Unauthorized')
  })

  it('sends nothing confidential to who may not see it, nor over the bridge', async () => {
    const page = await joinBy({ invite: await invite() })
    await page.evaluate(() => entry.reachedBy('direct', 2))
    const send = (dataClass: string) =>
      page.evaluate(
        name => entry.ask('/service/lab/echo', { method: 'POST', body: 'x', headers: { 'hedgerow-data-class': name } }),
        dataClass
      )
    assert.equal((await send('internal')).status, 200)
    const refused = await send('of-our-own')
    assert.deepEqual([refused.status, JSON.parse(refused.text).code], [403, 'ClassNotAllowed'])
    const bridged = await postJson(`${all.mesh.relay.url}/service/lab`, {}, { 'hedgerow-data-class': 'confidential' })
    assert.equal(bridged.status, 403)
    assert.equal((await bridged.json()).code, 'ClassNotAllowed')
    await page.close()
  })

  it('sends over the bridge, when it has nothing else, what it knows to be fit for it', async () => {
    const page = await all.open({
      before: () => {
        Object.assign(globalThis, {
          WebSocket: class {
            constructor() {
              throw new Error('no WebSockets here')
            }
          }
        })
      }
    })
    const by = { invite: await invite(1) }
    await page.evaluate(([relay, init]) => entry.join([relay], init), [all.mesh.relay.url, by] as const)
    const send = (path: string, headers: Record<string, string> = {}) =>
      page.evaluate(([to, with_]) => entry.ask(to, { method: 'POST', body: 'x', headers: with_ }), [
        path,
        headers
      ] as const)
    const { status, headers, text } = await send('/service/lab/echo')
    assert.deepEqual([status, headers['hedgerow-path'], text], [200, 'bridged', 'x'])
    // Nobody has heard of it, so it might be confidential.
    const hidden = await page.evaluate(() =>
      entry.failure(entry.mesh().fetch('/service/who-knows', { method: 'POST' }))
    )
    assert.equal(hidden.code, 'ClassNotAllowed')
    assert.equal((await send('/service/who-knows', { 'hedgerow-data-class': 'public' })).status, 404)
    await page.close()
  })

  it('is out when it is revoked', async () => {
    const page = await joinBy({ invite: await invite(1) })
    await page.evaluate(() => entry.reachedBy('direct', 2))
    const peerId = await page.evaluate(() => entry.mesh().peerId)
    const token = await sealRevocation(
      { mesh: id, subject: peerId, expiresAt: seconds() + 2 * HOUR },
      { privateKey: authority }
    )
    const told = await postJson(`${all.mesh.relay.url}/api/admin/revocations`, { revocation: token })
    assert.ok(told.ok, await told.text())
    await until('nobody is connected to it', async () => (await page.evaluate(() => entry.mesh().status)) !== 'online')
    await page.close()
  })

  it('believes no worker that its mesh has revoked, and asks the others', async () => {
    const page = await joinBy({ invite: await invite() })
    await page.evaluate(() => entry.reachedBy('direct', 2))
    const [first, second] = all.mesh.workers
    assert.ok(first != null && second != null)
    const token = await sealRevocation(
      { mesh: id, subject: first.peerId, expiresAt: seconds() + 2 * HOUR },
      { privateKey: authority }
    )
    await postJson(`${all.mesh.relay.url}/api/admin/revocations`, { revocation: token })
    await until('the page has heard of it', async () =>
      page.evaluate(
        id =>
          !entry
            .mesh()
            .peers()
            .some(peer => peer.peerId === id),
        first.peerId
      )
    )
    for (let i = 0; i < 5; i++) {
      const { status, headers } = await page.evaluate(() =>
        entry.ask('/service/lab/echo', { method: 'POST', body: 'x' })
      )
      assert.deepEqual([status, headers['hedgerow-worker']], [200, second.peerId])
    }
    await page.close()
    assert.equal((await getJson<{ closed: boolean }>(`${all.mesh.relay.url}/health`)).closed, true)
  })
})
