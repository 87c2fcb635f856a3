import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import type * as Entry from '../fixtures/page/mesh.ts'
import { until } from '../src/harness.ts'
import { type PageMesh, pageMesh } from '../src/page-mesh.ts'

declare const entry: typeof Entry

describe('a page, when a worker fails', function () {
  this.timeout(180_000)
  let all: PageMesh
  let page: Page

  beforeEach(async function () {
    all = await pageMesh(this, { workers: 3 })
    page = await all.open()
    await page.evaluate(relay => entry.join([relay]), all.mesh.relay.url)
    await page.evaluate(() => entry.reachedBy('direct', 3))
  })
  afterEach(() => all?.stop())

  /** Starts requests that take a second, and tells whom they went to. */
  async function underWay(): Promise<{ answers: Promise<Entry.Asked[]>; worker: string }> {
    const answers = page.evaluate(() =>
      Promise.all(
        Array.from({ length: 6 }, () => entry.ask('/service/lab/slow?ms=1000', { method: 'POST', body: 'x' }))
      )
    )
    const worker = await until('a worker has requests in hand', async () => {
      const peers = await page.evaluate(() => entry.mesh().peers())
      return peers.find(({ loads }) => (loads.lab?.inFlight ?? 0) > 0)?.peerId
    })
    return { answers, worker }
  }

  for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
    it(`has another answer what may be repeated (${signal})`, async () => {
      const { answers, worker } = await underWay()
      const pid = all.mesh.workers.find(({ peerId }) => peerId === worker)?.pid
      assert.ok(pid != null)
      process.kill(pid, signal)
      try {
        const answered = await answers
        assert.deepEqual(
          answered.map(({ status }) => status),
          answered.map(() => 200)
        )
        const worst = Math.max(...answered.map(({ ms }) => ms))
        console.log(`      slowest of six that take 1000 ms: ${worst.toFixed(0)} ms`)
        assert.ok(worst < 20_000)
        // Who comes later isn't sent there any more.
        const later = await page.evaluate(async () => {
          const found: Entry.Asked[] = []
          for (let i = 0; i < 10; i++) found.push(await entry.ask('/service/lab/echo', { method: 'POST', body: 'x' }))
          return found
        })
        assert.ok(later.every(({ status, headers }) => status === 200 && headers['hedgerow-worker'] !== worker))
      } finally {
        if (signal === 'SIGSTOP') process.kill(pid, 'SIGCONT')
      }
    })
  }
})

describe('a page, when a relay is killed', function () {
  this.timeout(180_000)
  let all: PageMesh

  beforeEach(async function () {
    all = await pageMesh(this)
  })
  afterEach(() => all?.stop())

  it('reads on what a worker streams to it directly, and asks workers on', async () => {
    const page = await all.open()
    await page.evaluate(relay => entry.join([relay]), all.mesh.relay.url)
    await page.evaluate(() => entry.reachedBy('direct', 2))
    await page.evaluate(() => entry.ticks.open('/service/lab/ticks?ms=50&count=100'))
    assert.equal(await page.evaluate(() => entry.ticks.headers['hedgerow-path']), 'direct')
    process.kill(all.mesh.relay.pid, 'SIGKILL')
    const ended = await until('the stream has ended', () =>
      page.evaluate(() => (entry.ticks.done || entry.ticks.error != null ? { ...entry.ticks } : undefined))
    )
    assert.deepEqual([ended.done, ended.error, ended.events.length], [true, undefined, 100])
    const { status, headers } = await page.evaluate(() =>
      entry.ask('/service/lab/echo', { method: 'POST', body: 'still here' })
    )
    assert.deepEqual([status, headers['hedgerow-path']], [200, 'direct'])
    // It goes on hearing of the mesh from workers: load reports still come.
    await until('somebody is heard', () =>
      page.evaluate(() =>
        entry
          .mesh()
          .peers()
          .some(({ role, silentFor }) => role === 'worker' && silentFor < 2000)
      )
    )
  })

  it('goes on by another relay, and comes back to the first', async () => {
    const other = await all.mesh.startRelay(0, { name: 'relay-2', relay: all.mesh.relay.url })
    const page = await all.open()
    await page.evaluate(relays => entry.join(relays), [all.mesh.relay.url, other.url])
    const relaysReached = (): Promise<number> =>
      page.evaluate(
        () =>
          entry
            .mesh()
            .peers()
            .filter(({ role, path }) => role === 'relay' && path === 'direct').length
      )
    await until('the page is connected to both', async () => (await relaysReached()) === 2)
    process.kill(all.mesh.relay.pid, 'SIGKILL')
    await until('the page has noticed', async () => (await relaysReached()) === 1)
    const { status } = await page.evaluate(() => entry.ask('/service/lab/echo', { method: 'POST', body: 'x' }))
    assert.equal(status, 200)
    const fresh = await all.open()
    await fresh.evaluate(relays => entry.join(relays), [all.mesh.relay.url, other.url])
    assert.equal((await fresh.evaluate(() => entry.ask('/service/lab/counted'))).status, 200)
    await all.mesh.startRelay(Number(new URL(all.mesh.relay.url).port))
    await until('the page is connected to both again', async () => (await relaysReached()) === 2, 60_000)
  })
})
