import assert from 'node:assert/strict'
import type { PeerInfo } from '@hedgerow/browser-node'
import { dotsOf, loadOf, summaryOf } from '../src/logic/picture.ts'
import { troubleOf, troubleOfError } from '../src/logic/problem.ts'
import { parseServerTiming, segmentsOf } from '../src/logic/server-timing.ts'
import { duration, labelOf, listed, size } from '../src/logic/words.ts'

describe('times and sizes', () => {
  it('are said as people say them', () => {
    assert.deepEqual([0.2, 12.6, 999, 1234, 59_000, 61_000].map(duration), [
      'under 1 ms',
      '13 ms',
      '999 ms',
      '1.2 s',
      '59 s',
      '1 min 1 s'
    ])
    assert.deepEqual([1, 900, 2048, 3_500_000].map(size), ['1 byte', '900 bytes', '2 kB', '3.3 MB'])
    assert.equal(listed(['a', 'b', 'c', 'd', 'e'], 3), 'a, b and 3 others')
    assert.equal(listed(['a', 'b']), 'a and b')
    assert.equal(labelOf('min_confidence'), 'Min confidence')
  })

  it('come from Server-Timing', () => {
    assert.deepEqual(parseServerTiming('queue;dur=0.00, backend;dur=426.5;desc="x", network;dur="34"'), {
      queue: 0,
      backend: 426.5,
      network: 34
    })
    assert.equal(parseServerTiming('cdn-cache; desc=HIT, queue;dur=-1'), undefined)
    assert.equal(parseServerTiming(null), undefined)
  })

  it('add up to the whole on the time line', () => {
    const segments = segmentsOf({ queue: 10, backend: 60, network: 5 }, 100, 130)
    assert.deepEqual(
      segments.map(({ kind, ms }) => [kind, ms]),
      [
        ['queue', 10],
        ['network', 30],
        ['backend', 60],
        ['transfer', 30]
      ]
    )
    const odd = segmentsOf({ queue: 90, backend: 500, network: 0 }, 100, 100)
    assert.equal(
      odd.reduce((sum, { ms }) => sum + ms, 0),
      100
    )
  })
})

describe('what went wrong', () => {
  const trouble = (status: number, body: object, retryAfter: string | null = null) =>
    troubleOf({ status, retryAfter, text: JSON.stringify(body) }, 'Read a scan')

  it('names how long to wait', () => {
    assert.equal(trouble(429, { retry_after: 4 }).retryAfter, 4)
    assert.equal(trouble(429, {}, '17').retryAfter, 17)
    assert.equal(trouble(429, {}, new Date(Date.now() + 3500).toUTCString()).kind, 'busy')
    assert.equal(trouble(503, { retry_after: 5 }).kind, 'nobody')
  })

  it('names the field, without the notation of validators', () => {
    const found = trouble(422, { errors: [{ path: '/top_k' }], detail: 'body/top_k must be <= 50' })
    assert.deepEqual([found.kind, found.field, found.advice], ['input', 'top_k', 'Top k must be at most 50.'])
  })

  it('names the largest size', () => {
    assert.match(trouble(413, { limit: 6 * 1024 * 1024 }).advice, /6\.0 MB/)
  })

  it('survives answers that are no problem details', () => {
    const found = troubleOf({ status: 502, retryAfter: null, text: '<html>' }, 's')
    assert.deepEqual([found.kind, found.detail], ['broken', '<html>'])
  })

  it('tells a stop by hand from a lost connection', () => {
    assert.equal(troubleOfError(new DOMException('x', 'AbortError'), true).kind, 'cancelled')
    const lost = troubleOfError(new TypeError('failed', { cause: { code: 'Unreachable', message: 'no way' } }), false)
    assert.deepEqual([lost.kind, lost.code, lost.detail], ['offline', 'Unreachable', 'failed: no way'])
    const unreadable = troubleOfError(new TypeError('failed', { cause: { code: 'ClientGone' } }), false)
    assert.deepEqual([unreadable.kind, unreadable.title], ['input', 'The file couldn’t be read'])
  })
})

describe('the picture', () => {
  const peer = (peerId: string, of: Partial<PeerInfo> = {}): PeerInfo => ({
    peerId,
    name: peerId,
    role: 'worker',
    version: '1',
    path: 'direct',
    transport: 'webrtc',
    roundTrip: 1,
    silent: false,
    silentFor: 0,
    services: [],
    loads: {},
    capabilities: { cores: 1, memory: 1, disk: 1, gpus: [], arch: 'x', platform: 'x' },
    url: undefined,
    ...of
  })
  const many = (n: number): PeerInfo[] => [
    ...Array.from({ length: n }, (_, i) => peer(`w${i}`)),
    peer('r1', { role: 'relay' }),
    peer('r2', { role: 'relay' }),
    peer('c', { role: 'client' })
  ]

  it('has room for everybody: no two lie on one another', () => {
    for (const n of [0, 1, 2, 3, 4, 7, 12, 30]) {
      const dots = dotsOf(many(n))
      assert.equal(dots.length, n + 3)
      for (const a of dots)
        for (const b of dots)
          if (a !== b) assert.ok(Math.hypot(a.x - b.x, a.y - b.y) > 0.1, `${n} workers: ${a.id} and ${b.id}`)
    }
  })

  it('shows the busiest service of each', () => {
    const loads = {
      a: { inFlight: 1, queued: 0, concurrency: 4, latency: 1 },
      b: { inFlight: 2, queued: 2, concurrency: 4, latency: 1 }
    }
    assert.equal(loadOf({ loads }), 1)
    assert.equal(loadOf({ loads: {} }), 0)
  })

  it('can be said in a sentence', () => {
    assert.equal(summaryOf([]), 'No computer is here yet.')
    assert.equal(summaryOf(many(2)), '2 computers, all reached directly.')
    assert.equal(
      summaryOf([peer('a'), peer('b', { path: 'relayed' }), peer('c', { path: 'none' })]),
      '3 computers: 1 reached directly, 1 through a relay and 1 not connected.'
    )
  })
})
