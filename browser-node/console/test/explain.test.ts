import assert from 'node:assert/strict'
import type { ExplainedAttempt, Explanation } from '@hedgerow/browser-node'
import { reasonsOf } from '../src/logic/explain.ts'

const attempt = (peer_id: string, of: Partial<ExplainedAttempt> = {}): ExplainedAttempt => ({
  peer_id,
  outcome: 'answered',
  path: 'direct',
  transport: 'webrtc',
  reason: 'picked',
  ms: 40,
  ...of
})

const explanation = (of: Partial<Explanation>): Explanation => ({
  request_id: 'r',
  service: 's',
  operation: 'POST /',
  at: '2026-01-01T00:00:00Z',
  source: 'view',
  candidates: [],
  chosen: null,
  attempts: [],
  outcome: 'answered',
  path: 'direct',
  transport: 'webrtc',
  timing: { total_ms: 40, lookup_ms: 0, first_byte_ms: 40 },
  ...of
})

const told = (of: Partial<Explanation>): string => reasonsOf(explanation(of), id => `Computer ${id}`).join(' ')

describe('why this computer', () => {
  it('compares those that could take it', () => {
    const text = told({
      candidates: [
        { peer_id: 'A', score: 12 },
        { peer_id: 'B', score: 40 },
        { peer_id: 'C', score: 90 }
      ],
      attempts: [attempt('A')]
    })
    assert.match(text, /3 computers could take it.*Computer A was the better of them/)
    assert.match(text, /about 12 ms; Computer B in about 40 ms and Computer C in about 90 ms/)
  })

  it('says why not always the fastest', () => {
    const text = told({
      candidates: [
        { peer_id: 'A', score: 12 },
        { peer_id: 'B', score: 40 },
        { peer_id: 'C', score: 90 }
      ],
      attempts: [attempt('B')]
    })
    assert.match(text, /Only two are compared each time/)
  })

  it('says what the chosen one was doing', () => {
    const candidates = [{ peer_id: 'A', score: 12, in_flight: 1, queued: 1, concurrency: 4 }]
    assert.match(
      told({ candidates, attempts: [attempt('A', { reason: 'only' })] }),
      /only computer that could take it.*2 other requests in hand and can do 4 at once/
    )
  })

  it('tells of newcomers, pins, hedges and retries', () => {
    assert.match(told({ attempts: [attempt('A', { reason: 'new' })] }), /hadn’t been tried/)
    assert.match(told({ attempts: [attempt('A', { reason: 'pinned' })] }), /You asked for Computer A/)
    const hedged = told({ attempts: [attempt('A', { outcome: 'abandoned' }), attempt('B', { reason: 'hedge' })] })
    assert.match(hedged, /Computer B was asked as well.*Computer A was let go because another was faster/)
    const retried = told({ attempts: [attempt('A', { outcome: 'WorkerLost' }), attempt('B', { reason: 'retry' })] })
    assert.match(retried, /Computer B stepped in.*Computer A broke off \(after 40 ms\)/)
  })

  it('gathers those left out by reason', () => {
    const text = told({
      candidates: [
        { peer_id: 'A', score: 5 },
        { peer_id: 'B', score: null, rejected: 'ejected: failing, on trial' },
        { peer_id: 'C', score: null, rejected: 'ejected: failing' },
        { peer_id: 'D', score: null, rejected: 'silent: missed several load reports' }
      ],
      attempts: [attempt('A', { reason: 'only' })]
    })
    assert.match(text, /Computer B and Computer C were left out: failed several times/)
    assert.match(text, /Computer D was left out: hasn’t been heard from/)
  })

  it('speaks no jargon', () => {
    for (const outcome of ['Busy', 'Unreachable', 'WorkerWedged', 'NotServed', 'Draining', 'SomethingNew']) {
      const text = told({ attempts: [attempt('A', { outcome }), attempt('B', { reason: 'retry' })] })
      assert.doesNotMatch(text, /peer|worker|dispatch|eject|wedged|score/i)
    }
  })

  it('says so when nobody took it', () => {
    assert.match(told({}), /No computer offers this/)
    assert.match(
      told({ candidates: [{ peer_id: 'A', score: null, rejected: 'missed a ping' }] }),
      /could take it just now/
    )
  })
})
