import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import type * as Entry from '../fixtures/page/mesh.ts'
import { until } from '../src/harness.ts'
import { holdsInMemory } from '../src/memory.ts'
import { type PageMesh, pageMesh } from '../src/page-mesh.ts'

declare const entry: typeof Entry

describe('the ways of a page to a worker', function () {
  this.timeout(180_000)
  let all: PageMesh
  let page: Page

  before(async function () {
    all = await pageMesh(this)
  })
  after(() => all?.stop())
  afterEach(() => page?.context().close())

  const join = (): Promise<number> => page.evaluate(relay => entry.join([relay]), all.mesh.relay.url)
  const echo = (text: string): Promise<Entry.Asked> =>
    page.evaluate(body => entry.ask('/service/lab/echo', { method: 'POST', body }), text)
  /** Nothing of a kind reaches the page's host meanwhile. */
  const without = async (what: 'udp' | 'everything', run: (heal: () => void) => Promise<void>): Promise<void> => {
    const [, host] = all.network.hosts
    assert.ok(host != null)
    const undo = all.network.drop(host, what)
    let dropped = true
    const heal = (): void => {
      if (dropped) undo()
      dropped = false
    }
    try {
      await run(heal)
    } finally {
      heal()
    }
  }
  const marker = (): string => `marker-${Math.random().toString(36).slice(2)}-${Math.random().toString(36).slice(2)}`

  it('is direct where datagrams pass, and then the relay sees nothing of a request', async () => {
    page = await all.open()
    await join()
    await page.evaluate(() => entry.reachedBy('direct', 2))
    const text = marker()
    const { headers, text: answer } = await echo(text)
    assert.deepEqual([headers['hedgerow-path'], answer], ['direct', text])
    assert.equal(await holdsInMemory(all.mesh.relay.pid, text), false)
  })

  it('leads over the relay where no datagram passes, at once, and the relay sees ciphertext', async () => {
    await without('udp', async () => {
      page = await all.open()
      await join()
      const text = marker()
      const { headers, text: answer, ms } = await echo(text)
      assert.deepEqual([headers['hedgerow-path'], headers['hedgerow-transport'], answer], ['relayed', 'ws', text])
      assert.ok(ms < 10_000, 'it does not wait for WebRTC')
      assert.equal(await holdsInMemory(all.mesh.relay.pid, text), false)
    })
  })

  it('leads over the HTTP bridge where libp2p can not be reached, which the relay reads', async () => {
    page = await all.open({
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
    await join()
    assert.equal(await page.evaluate(() => entry.mesh().status), 'bridged')
    const text = marker()
    const { headers, text: answer } = await echo(text)
    assert.deepEqual([headers['hedgerow-path'], headers['hedgerow-transport'], answer], ['bridged', 'http', text])
    const streamed = await page.evaluate(async () => {
      let received = 0
      const body = new Blob(['as a ', 'stream']).stream()
      const onProgress = (progress: { received: number }): void => {
        received = progress.received
      }
      return { ...(await entry.ask('/service/lab/echo', { method: 'POST', body, onProgress })), received }
    })
    assert.deepEqual([streamed.text, streamed.received], ['as a stream', 11])
    // What the other tests look for, and don't find, would be found if it was there.
    assert.equal(await holdsInMemory(all.mesh.relay.pid, text), true)
  })

  it('becomes direct when datagrams pass again, and what began over the relay goes on there to its end', async () => {
    await without('udp', async heal => {
      page = await all.open()
      await join()
      await page.evaluate(() => entry.ticks.open('/service/lab/ticks?ms=100&count=200'))
      assert.equal(await page.evaluate(() => entry.ticks.headers['hedgerow-path']), 'relayed')
      heal()
      await page.evaluate(() => entry.reachedBy('direct', 2, 60_000))
      assert.equal((await echo('now')).headers['hedgerow-path'], 'direct')
      const { done, events, error } = await until(
        'the stream has ended',
        () => page.evaluate(() => (entry.ticks.done || entry.ticks.error != null ? { ...entry.ticks } : undefined)),
        60_000
      )
      assert.deepEqual([done, error, events.length], [true, undefined, 200])
    })
  })

  it('are found again after the network was away', async () => {
    page = await all.open()
    await join()
    await page.evaluate(() => entry.reachedBy('direct', 2))
    await without('everything', async () => {
      // What a browser tells a page when a machine wakes up: by then nobody knows yet that the connections are dead.
      await page.context().setOffline(true)
      await page.context().setOffline(false)
      await until('the page has noticed', () => page.evaluate(() => entry.mesh().status !== 'online'), 60_000)
      const { code, ms } = await page.evaluate(async () => {
        const startedAt = performance.now()
        const failed = await entry.failure(entry.ask('/service/lab/echo', { method: 'POST', body: 'nobody is there' }))
        return { ...failed, ms: performance.now() - startedAt }
      })
      assert.equal(code, 'Unreachable')
      assert.ok(ms < 60_000, 'it does not wait as long as a browser does for a host that says nothing')
    })
    await until('it is back', () => page.evaluate(() => entry.mesh().status === 'online'), 60_000)
    assert.equal((await echo('back')).status, 200)
  })
})

describe('a worker that only the relay can introduce', function () {
  this.timeout(120_000)
  let all: PageMesh

  before(async function () {
    all = await pageMesh(this, { workers: 1, listen: ['/p2p-circuit', '/webrtc'] })
  })
  after(() => all?.stop())

  it('is reached directly over WebRTC', async () => {
    const page = await all.open()
    await page.evaluate(relay => entry.join([relay]), all.mesh.relay.url)
    await page.evaluate(() => entry.reachedBy('direct', 1))
    const { headers } = await page.evaluate(() => entry.ask('/service/lab/echo', { method: 'POST', body: 'x' }))
    assert.deepEqual([headers['hedgerow-path'], headers['hedgerow-transport']], ['direct', 'webrtc'])
  })
})
