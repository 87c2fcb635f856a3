import assert from 'node:assert/strict'
import pino from 'pino'
import { FakeClock } from '../../../daemon/test/support/clock.ts'
import { DAILY_WRITES, EdgeRegistration, FIRST_BACKOFF, INTERVAL, MAX_BACKOFF } from '../../src/edge-registration.ts'
import { EdgeRun, TOKEN } from './edge-run.ts'
import { FakeRelay, json } from './fake-relay.ts'

const DAY = 86_400_000

interface Said {
  worker_id: string
  peer_id: string
  url: string
  may_write: boolean
}

describe('a relay at its edge', () => {
  let clock: FakeClock
  let url: string | undefined
  let date: number
  let lines: { level: number; msg: string; reason?: string }[]
  let registration: EdgeRegistration

  const register = (edge: string, token = TOKEN): EdgeRegistration => {
    const log = pino({}, { write: line => void lines.push(JSON.parse(line)) })
    registration = new EdgeRegistration(
      { edge, token, name: 'the relay of Ada', peerId: '12D3KooWada', url: () => url },
      { clock, random: () => 0, today: () => date, log }
    )
    registration.start()
    return registration
  }
  /** Until the last question is answered, and the next one is set. */
  const settled = async (): Promise<void> => {
    while (clock.pending === 0) await new Promise(resolve => setTimeout(resolve, 5))
  }
  const after = async (milliseconds: number): Promise<void> => {
    clock.advance(milliseconds)
    await settled()
  }

  beforeEach(() => {
    clock = new FakeClock()
    url = 'https://relay.example.org'
    date = Date.UTC(2026, 0, 15)
    lines = []
  })

  afterEach(() => registration?.stop())

  it('registers with a real edge, moves, and is refused with another secret', async () => {
    const relay = new FakeRelay('one')
    await relay.start()
    const edge = await EdgeRun.start({ registry: 'durable' })
    try {
      url = relay.url
      register((await edge.port()).origin)
      await settled()
      assert.equal((await edge.fetch('/whoami')).headers.get('hedgerow-relay'), new URL(relay.url).host)
      for (let i = 0; i < 5; i++) {
        await edge.advance(60)
        await after(INTERVAL)
      }
      assert.equal((await edge.fetch('/whoami')).status, 200)
      url = 'http://127.0.0.1:1'
      registration.changed()
      await settled()
      assert.equal((await edge.fetch('/whoami')).status, 503)
      registration.stop()
      assert.equal(clock.pending, 0)
      assert.deepEqual(
        lines.map(({ msg }) => msg),
        ['the edge knows this relay']
      )
      register((await edge.port()).origin, 'quite another secret')
      await settled()
      assert.match(lines.at(-1)?.msg ?? '', /HEDGEROW_EDGE_TOKEN/)
    } finally {
      await edge.dispose()
      await relay.stop()
    }
  })

  describe('that is a stand-in', () => {
    let edge: FakeRelay
    let status: number
    let headers: Record<string, string>
    let seed: string

    beforeEach(async () => {
      edge = new FakeRelay('edge')
      status = 200
      headers = {}
      seed = 'unchanged'
      for (const path of ['/api/worker/register', '/api/edge/heartbeat'])
        edge.routes.set(path, (_request, response) => {
          for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
          json(response, status, { seed, detail: 'why not' })
        })
      await edge.start()
    })

    afterEach(async () => {
      registration?.stop()
      await edge.stop()
    })

    const paths = (): string[] => edge.seen.map(({ url }) => url)
    const last = (): Said => JSON.parse(edge.seen.at(-1)?.body ?? '') as Said

    it('registers once, then sends a heartbeat every 30 s', async () => {
      register(edge.url)
      await settled()
      await after(INTERVAL)
      await after(INTERVAL)
      assert.deepEqual(paths(), ['/api/worker/register', '/api/edge/heartbeat', '/api/edge/heartbeat'])
      assert.equal(edge.seen[0]?.headers.authorization, `Bearer ${TOKEN}`)
      assert.deepEqual(last(), {
        worker_id: 'the relay of Ada',
        peer_id: '12D3KooWada',
        url: 'https://relay.example.org',
        may_write: true
      })
      registration.start()
      assert.equal(paths().length, 3)
    })

    it('registers again when the edge has forgotten it', async () => {
      register(edge.url)
      await settled()
      status = 404
      await after(INTERVAL)
      status = 200
      await after(FIRST_BACKOFF)
      assert.deepEqual(paths(), ['/api/worker/register', '/api/edge/heartbeat', '/api/worker/register'])
    })

    it('waits longer each time while the edge is out of reach, and says so once', async () => {
      await edge.stop()
      register(edge.url)
      await settled()
      for (let wait = FIRST_BACKOFF; wait < MAX_BACKOFF; wait *= 2) {
        clock.advance(wait - 1)
        assert.equal(clock.pending, 1)
        await after(1)
      }
      await after(MAX_BACKOFF)
      assert.deepEqual(
        lines.map(({ level }) => level),
        [40]
      )
      await edge.start()
      await after(MAX_BACKOFF)
      assert.deepEqual(paths(), ['/api/worker/register'])
      await after(INTERVAL)
      assert.deepEqual(paths(), ['/api/worker/register', '/api/edge/heartbeat'])
      assert.equal(lines.at(-1)?.msg, 'the edge knows this relay')
    })

    it('waits as long as it is told, and long where a maintainer has something to do', async () => {
      headers = { 'retry-after': '60' }
      status = 503
      register(edge.url)
      await settled()
      clock.advance(59_999)
      assert.equal(clock.pending, 1)
      assert.equal(paths().length, 1)
      status = 401
      headers = {}
      await after(1)
      assert.equal(paths().length, 2)
      clock.advance(MAX_BACKOFF - 1)
      assert.equal(paths().length, 2)
      await after(1)
      assert.equal(paths().length, 3)
      assert.deepEqual(
        lines.map(({ level, reason }) => [level, reason]),
        [
          [40, 'why not'],
          [50, 'why not']
        ]
      )
    })

    it('shows its secret to nobody else', async () => {
      status = 307
      headers = { location: '/elsewhere' }
      register(edge.url)
      await settled()
      assert.deepEqual(paths(), ['/api/worker/register'])
    })

    it(`asks for no more than ${DAILY_WRITES} writes a day`, async () => {
      seed = 'written'
      register(edge.url)
      await settled()
      for (let i = 1; i < DAILY_WRITES; i++) await after(INTERVAL)
      assert.equal(last().may_write, true)
      await after(INTERVAL)
      assert.equal(last().may_write, false)
      date += DAY
      await after(INTERVAL)
      assert.equal(last().may_write, true)
    })

    it('waits for a URL', async () => {
      url = undefined
      register(edge.url)
      await settled()
      await after(INTERVAL)
      assert.deepEqual(paths(), [])
      url = 'https://relay.example.org'
      await after(INTERVAL)
      assert.deepEqual(paths(), ['/api/worker/register'])
    })

    it('takes no answer for more than it is', async () => {
      for (const body of ['', 'null', '[]', '<html>', `"${'x'.repeat(100_000)}"`]) {
        edge.routes.set('/api/worker/register', (_request, response) => void response.end(body))
        register(edge.url)
        await settled()
        registration.stop()
        assert.equal(clock.pending, 0)
      }
      edge.routes.set('/api/worker/register', (_request, response) => void response.destroy())
      register(edge.url)
      await settled()
      assert.equal(lines.at(-1)?.level, 40)
    })

    it('stops while it asks', async () => {
      let asked = (): void => {}
      const isAsked = new Promise<void>(resolve => {
        asked = resolve
      })
      const closed = new Promise<void>(resolve => {
        edge.routes.set('/api/worker/register', (_request, response) => {
          response.once('close', resolve)
          asked()
        })
      })
      register(edge.url)
      await isAsked
      registration.stop()
      await closed
      assert.equal(clock.pending, 0)
    })
  })
})
