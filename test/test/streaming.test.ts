import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { request } from 'undici'
import { getJson, memoryOf, type TestMesh, testMesh, until } from '../src/harness.ts'

const MIB = 1024 * 1024
const SIZE = 100 * MIB

async function* pieces(total: number): AsyncGenerator<Buffer> {
  const piece = Buffer.alloc(64 * 1024, 'y')
  for (let sent = 0; sent < total; sent += piece.length) yield piece.subarray(0, Math.min(piece.length, total - sent))
}

describe('streams through a mesh', function () {
  this.timeout(120_000)
  let mesh: TestMesh

  before(async () => {
    mesh = await testMesh({ workers: 1 })
    // A process that has never carried a body grows by its compiled code and first buffers; that isn't what is asked.
    await request(`${mesh.relay.url}/service/lab/sink`, { method: 'POST', body: Readable.from(pieces(10 * MIB)) }).then(
      ({ body }) => body.dump()
    )
    await fetch(`${mesh.relay.url}/service/lab/source?bytes=${10 * MIB}`).then(response => response.arrayBuffer())
  })

  after(() => mesh?.stop())

  /** How much each process grew while `work` ran, at its highest. */
  async function growth(work: () => Promise<void>): Promise<Record<string, number>> {
    const peers = [mesh.relay, ...mesh.workers]
    const before = await Promise.all(peers.map(({ pid }) => memoryOf(pid)))
    const peak = [...before]
    const sample = setInterval(() => {
      peers.forEach(({ pid }, i) => void memoryOf(pid).then(now => (peak[i] = Math.max(peak[i] ?? 0, now))))
    }, 50)
    try {
      await work()
    } finally {
      clearInterval(sample)
    }
    return Object.fromEntries(peers.map(({ name }, i) => [name, Math.round(((peak[i] ?? 0) - (before[i] ?? 0)) / MIB)]))
  }

  it('takes 100 MB up without holding them', async () => {
    const grown = await growth(async () => {
      const { statusCode, body } = await request(`${mesh.relay.url}/service/lab/sink`, {
        method: 'POST',
        body: Readable.from(pieces(SIZE))
      })
      assert.equal(statusCode, 200)
      assert.deepEqual(((await body.json()) as { bytes: number }).bytes, SIZE)
    })
    for (const [name, mib] of Object.entries(grown)) assert.ok(mib < 100, `${name} grew by ${mib} MiB`)
  })

  it('takes 100 MB down without holding them, however slow the reader', async () => {
    const grown = await growth(async () => {
      const { statusCode, body } = await request(`${mesh.relay.url}/service/lab/source?bytes=${SIZE}`)
      assert.equal(statusCode, 200)
      let bytes = 0
      for await (const chunk of body) {
        bytes += chunk.length
        if (bytes % (10 * MIB) < 64 * 1024) await new Promise(resolve => setTimeout(resolve, 50))
      }
      assert.equal(bytes, SIZE)
    })
    for (const [name, mib] of Object.entries(grown)) assert.ok(mib < 100, `${name} grew by ${mib} MiB`)
  })

  it('passes server-sent events on as they come', async () => {
    const response = await fetch(`${mesh.relay.url}/service/lab/ticks?ms=100&count=5`)
    const times: number[] = []
    assert.ok(response.body != null)
    for await (const _ of response.body) times.push(performance.now())
    assert.ok(times.length >= 4, `${times.length} pieces`)
    assert.ok((times.at(-1) ?? 0) - (times[0] ?? 0) > 200, 'they were not held back')
  })

  it("stops the backend's work when the client leaves", async () => {
    const ticking = async (): Promise<number> =>
      (await getJson<{ ticking: number }>(`${mesh.relay.url}/service/lab/ticking`)).ticking
    const leave = new AbortController()
    const response = await fetch(`${mesh.relay.url}/service/lab/ticks?ms=50`, { signal: leave.signal })
    const reader = response.body?.getReader()
    await reader?.read()
    assert.equal(await ticking(), 1)
    leave.abort()
    await until('the backend has stopped', async () => (await ticking()) === 0)
  })
})
