import assert from 'node:assert/strict'
import { runTop } from '../src/cli/live.ts'
import type { MeshSource } from '../src/source/index.ts'
import { capture } from './support/io.ts'

describe('top on a terminal', () => {
  const source = {
    via: { mode: 'daemon', url: 'http://127.0.0.1:1', name: 'worker-1' },
    peers: async () => [],
    services: async () => [],
    stats: async () => ({ routing: { failed_requests: 0, retried_requests: 0 }, per_service: {} })
  } as unknown as MeshSource

  it('leaves a number of looks that was asked for below the prompt', async () => {
    const io = capture()
    Object.assign(io.stdout, { isTTY: true, columns: 80, rows: 24 })
    await runTop(source, { interval: 1, count: 2, json: false }, io, AbortSignal.timeout(5000))
    assert.equal(io.out().match(/hedgerow top/g)?.length, 2)
    assert.ok(!io.out().includes('\x1b[?1049h'))
  })
})
