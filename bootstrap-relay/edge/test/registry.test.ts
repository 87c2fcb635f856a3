import assert from 'node:assert/strict'
import { AUTH, EDGE, EdgeRun, TOKEN } from './edge-run.ts'
import { FakeRelay } from './fake-relay.ts'

const LONDON = { latitude: '51.5', longitude: '-0.1' }
const SYDNEY = { latitude: '-33.9', longitude: '151.2' }

for (const registry of ['kv', 'durable'] as const)
  describe(`relays that register, kept in ${registry}`, () => {
    let edge: EdgeRun
    let relay: FakeRelay

    beforeEach(async () => {
      relay = new FakeRelay('one')
      await relay.start()
      edge = await EdgeRun.start({ registry })
    })

    afterEach(async () => {
      await edge?.dispose()
      await relay.stop()
    })

    const seed = async (answer: { json(): Promise<unknown> }): Promise<unknown> =>
      ((await answer.json()) as { seed?: string }).seed

    it('are asked from then on', async () => {
      assert.equal((await edge.fetch('/health')).status, 503)
      const answer = await edge.post('/api/worker/register', { worker_id: 'one', url: relay.url, services: [] })
      assert.equal(answer.status, 200)
      assert.deepEqual(await answer.json(), {
        status: 'ok',
        worker_id: 'one',
        seed: 'written',
        heartbeat_interval: 30,
        expires_in: 120
      })
      assert.equal((await edge.fetch('/health')).headers.get('hedgerow-relay'), new URL(relay.url).host)
      await edge.restart()
      assert.equal((await edge.fetch('/health')).status, 200)
    })

    it('stay with a heartbeat that names no URL, and move with one that does', async () => {
      assert.equal((await edge.post('/api/edge/heartbeat', { worker_id: 'one' })).status, 404)
      await edge.post('/api/edge/heartbeat', { worker_id: 'one', peer_id: '12D3one', access_url: 'http://127.0.0.1:1' })
      assert.equal(await seed(await edge.post('/api/edge/heartbeat', { peer_id: '12D3one' })), 'unchanged')
      assert.equal((await edge.fetch('/health')).status, 503)
      const moved = { worker_id: 'one', peer_id: '12D3one', tunnel_url: `${relay.url}/` }
      assert.equal(await seed(await edge.post('/api/edge/heartbeat', moved)), 'written')
      assert.equal((await edge.fetch('/health')).status, 200)
      // The same relay after it lost its key.
      await edge.post('/api/edge/heartbeat', { worker_id: 'two', url: relay.url })
      assert.equal((await edge.post('/api/edge/heartbeat', { peer_id: '12D3one' })).status, 404)
    })

    it('are refused without the secret, whatever else they send', async () => {
      const body = { worker_id: 'one', url: relay.url }
      for (const path of ['/api/worker/register', '/api/edge/heartbeat'])
        for (const authorization of [
          '',
          'Bearer',
          `Bearer ${TOKEN}x`,
          `Bearer ${TOKEN.slice(1)}`,
          TOKEN,
          `Basic ${TOKEN}`,
          `Bearer ${'x'.repeat(5000)}`
        ]) {
          const answer = await edge.post(path, body, { headers: { authorization } })
          assert.equal(answer.status, 401, authorization.slice(0, 40))
          assert.equal(answer.headers.get('content-type'), 'application/problem+json')
          assert.equal(answer.headers.get('www-authenticate'), 'Bearer')
          await answer.body?.cancel()
        }
      assert.equal((await edge.fetch('/health')).status, 503)
      assert.equal((await edge.fetch('/api/edge/heartbeat')).status, 405)
      assert.equal(relay.seen.length, 0)
    })

    it('must be well-formed, somewhere else than here, and not too much', async () => {
      const bodies: unknown[] = [
        null,
        [],
        'x',
        {},
        { worker_id: '' },
        { worker_id: 'a b', url: relay.url },
        { worker_id: 'x'.repeat(201), url: relay.url },
        { worker_id: 7, url: relay.url },
        { worker_id: 'one', url: `${relay.url}/path` },
        { worker_id: 'one', url: 'ftp://127.0.0.1' },
        { worker_id: 'one', url: 7 },
        { worker_id: 'one', url: EDGE },
        { worker_id: 'one', url: relay.url, capabilities: 'x'.repeat(17_000) }
      ]
      for (const body of bodies) {
        const answer = await edge.post('/api/worker/register', body)
        assert.equal(answer.status, 400, JSON.stringify(body)?.slice(0, 60))
        await answer.body?.cancel()
      }
      assert.equal((await edge.fetch('/api/worker/register', { method: 'POST', headers: AUTH, body: '{' })).status, 400)
      assert.equal((await edge.fetch('/health')).status, 503)
    })

    it('are sixteen at most', async () => {
      for (let i = 0; i < 16; i++)
        assert.equal(
          (await edge.post('/api/edge/heartbeat', { worker_id: `r${i}`, url: `http://127.0.0.1:${i + 1}` })).status,
          200
        )
      const more = { worker_id: 'more', url: relay.url }
      assert.equal((await edge.post('/api/edge/heartbeat', more)).status, 409)
      assert.equal((await edge.post('/api/edge/heartbeat', { worker_id: 'r3' })).status, 200)
    })

    it('are tried nearest first', async () => {
      const other = new FakeRelay('two')
      await other.start()
      try {
        await edge.post('/api/edge/heartbeat', { worker_id: 'one', url: relay.url }, { cf: SYDNEY })
        await edge.post('/api/edge/heartbeat', { worker_id: 'two', url: other.url }, { cf: LONDON })
        const from = async (cf: typeof LONDON): Promise<unknown> =>
          ((await (await edge.fetch('/whoami', { cf })).json()) as { relay: string }).relay
        assert.equal(await from(LONDON), 'two')
        assert.equal(await from(SYDNEY), 'one')
        assert.equal(await from({ latitude: '-37.8', longitude: '145' }), 'one')
        assert.equal(await from({ latitude: '53.5', longitude: '-2.2' }), 'two')
      } finally {
        await other.stop()
      }
    })
  })

describe('a registry in a Durable Object', () => {
  it('ends a relay after 120 s of silence', async () => {
    const relay = new FakeRelay('one')
    await relay.start()
    const edge = await EdgeRun.start({ registry: 'durable' })
    try {
      await edge.post('/api/worker/register', { worker_id: 'one', url: relay.url })
      for (let i = 0; i < 6; i++) {
        await edge.advance(30)
        assert.equal((await edge.post('/api/edge/heartbeat', { worker_id: 'one' })).status, 200)
      }
      await edge.advance(119)
      assert.equal((await edge.fetch('/health')).status, 200)
      await edge.advance(1)
      // Also for a copy of the Worker that read of it a second ago.
      assert.equal((await edge.fetch('/health')).status, 503)
      await edge.restart()
      assert.equal((await edge.fetch('/health')).status, 503)
      assert.equal((await edge.post('/api/edge/heartbeat', { worker_id: 'one' })).status, 404)
    } finally {
      await edge.dispose()
      await relay.stop()
    }
  })
})

describe('a seed list in KV', () => {
  let edge: EdgeRun

  beforeEach(async () => {
    edge = await EdgeRun.start()
  })

  afterEach(async () => {
    await edge?.dispose()
  })

  it('takes a day of heartbeats within the free tier', async () => {
    const relay = (id: string, url: string, every: number): unknown => ({ id, url, every, headers: AUTH })
    const plan = {
      interval: 30_000,
      // To the end of the day, and one more.
      rounds: 2881,
      relays: [
        relay('steady', 'https://steady.example.org', 1),
        relay('hourly', 'https://h{n}.example.org', 120),
        relay('restless', 'https://r{n}.example.org', 1),
        relay('wild', 'https://w{n}.example.org', 1)
      ]
    }
    const day = (await (await edge.post('/test/heartbeats', plan)).json()) as {
      kv: { get: number; put: number }
      statuses: Record<number, number>
      seeds: Record<string, Record<string, number>>
      lastOf: Record<string, string>
    }
    assert.deepEqual(day.statuses, { 200: 4 * 2881 })
    // One each of these is at midnight, when the next day's share begins.
    assert.deepEqual(day.seeds.steady, { written: 2, unchanged: 2879 })
    assert.deepEqual(day.seeds.hourly, { written: 25, unchanged: 2856 })
    assert.deepEqual(day.seeds.restless, { written: 251, deferred: 2630 })
    assert.deepEqual(day.seeds.wild, { written: 251, deferred: 2630 })
    assert.equal(Object.values(day.lastOf).filter(seed => seed === 'written').length, 4)
    assert.equal(day.kv.put, 2 + 25 + 251 + 251)
    assert.ok(day.kv.put < 1000)
    assert.ok(day.kv.get <= 4 * 2881)
  }).timeout(300_000)

  it('has 1,000 writes for all, however many relays there are', async () => {
    const relays = Array.from({ length: 10 }, (_, i) => ({
      id: `r${i}`,
      url: `https://r${i}x{n}.example.org`,
      every: 1,
      headers: AUTH
    }))
    const answer = await edge.post('/test/heartbeats', { interval: 30_000, rounds: 105, relays })
    const { kv } = (await answer.json()) as { kv: { put: number } }
    assert.equal(kv.put, 1000)
  }).timeout(300_000)

  it('is what stands there, by hand or of another time', async () => {
    await edge.post('/api/edge/heartbeat', { worker_id: 'one', url: 'http://127.0.0.1:1' })
    const stored = (await edge.stored()) as { relays: { id: string; url: string; writes: number }[]; writes: number }
    assert.deepEqual(
      stored.relays.map(({ id, url, writes }) => ({ id, url, writes })),
      [{ id: 'one', url: 'http://127.0.0.1:1', writes: 1 }]
    )
    assert.equal(stored.writes, 1)
  })

  it('may be out of reach: heartbeats say so, requests go on to the relays that are known', async () => {
    const relay = new FakeRelay('one')
    await relay.start()
    try {
      await edge.post('/api/worker/register', { worker_id: 'one', url: relay.url })
      assert.equal((await edge.fetch('/health')).status, 200)
      await edge.breakKv(true)
      const answer = await edge.post('/api/edge/heartbeat', { worker_id: 'one' })
      assert.equal(answer.status, 503)
      assert.equal(answer.headers.get('retry-after'), '60')
      await edge.advance(3600)
      assert.equal((await edge.fetch('/health')).status, 200)
      await edge.restart()
      assert.equal((await edge.fetch('/health')).status, 503)
      await edge.breakKv(false)
      assert.equal((await edge.fetch('/health')).status, 200)
    } finally {
      await relay.stop()
    }
  })
})

describe('an edge without a secret', () => {
  for (const token of ['', 'short'])
    it(`lets nobody register (EDGE_TOKEN is "${token}")`, async () => {
      const edge = await EdgeRun.start({ bindings: { EDGE_TOKEN: token } })
      try {
        for (const authorization of ['Bearer ', `Bearer ${token}`, '']) {
          const answer = await edge.post(
            '/api/worker/register',
            { worker_id: 'one', url: 'http://127.0.0.1:1' },
            { headers: { authorization } }
          )
          assert.equal(answer.status, 401)
        }
      } finally {
        await edge.dispose()
      }
    })

  it('keeps no relay without a place for them', async () => {
    const edge = await EdgeRun.start({ registry: 'none' })
    try {
      assert.equal(
        (await edge.post('/api/worker/register', { worker_id: 'one', url: 'http://127.0.0.1:1' })).status,
        503
      )
    } finally {
      await edge.dispose()
    }
  })
})
