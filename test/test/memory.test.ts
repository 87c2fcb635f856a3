import assert from 'node:assert/strict'
import { freePort } from '@hedgerow/daemon/startup'
import { Agent, request } from 'undici'
import { type TestMesh, testMesh } from '../src/harness.ts'
import { type Inspected, inspect } from '../src/inspected.ts'

const MIB = 1024 * 1024
const ROUND = 2000
const AT_ONCE = 16

/** What answers well and badly, small and large, at once and in pieces. */
const REQUESTS: Array<['GET' | 'POST', string, string | null]> = [
  ['POST', 'lab', 'x'.repeat(1000)],
  ['POST', 'lab', 'x'.repeat(100_000)],
  ['GET', 'lab/source?bytes=200000', null],
  ['POST', 'lab/slow?ms=5', '{}'],
  ['GET', 'lab/ticks?ms=2&count=3', null],
  ['POST', 'lab/count', '{}'],
  ['POST', 'lab/bad/error', '{}'],
  ['POST', 'lab/nowhere', 'x'],
  ['POST', 'no-such-service', 'x'],
  ['POST', 'lab', 'x'.repeat(2_000_000)]
]

describe('memory', function () {
  this.timeout(180_000)
  const dispatcher = new Agent({ connections: AT_ONCE })
  let mesh: TestMesh
  const inspected: Record<string, Inspected> = {}

  before(async () => {
    const ports = { relay: await freePort(), 'worker-1': await freePort() }
    const envOf = Object.fromEntries(
      Object.entries(ports).map(([name, port]) => [name, { NODE_OPTIONS: `--inspect=127.0.0.1:${port}` }])
    )
    mesh = await testMesh({ workers: 1, env: { LOG_LEVEL: 'warn' }, envOf })
    for (const [name, port] of Object.entries(ports)) inspected[name] = await inspect(port)
  })

  after(async () => {
    for (const one of Object.values(inspected)) one.close()
    await dispatcher.close()
    await mesh?.stop()
  })

  async function round(): Promise<void> {
    let sent = 0
    const client = async (): Promise<void> => {
      while (sent < ROUND) {
        const [method, path, body] = REQUESTS[sent++ % REQUESTS.length] ?? ['GET', 'lab', null]
        const answer = await request(`${mesh.relay.url}/service/${path}`, { method, body, dispatcher })
        await answer.body.dump()
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, client))
  }

  it('is given back: after thousands of requests no more is alive than before', async () => {
    // Decisions are kept for a while, up to a number: the first round fills that.
    await round()
    const before = new Map<string, number>()
    for (const [name, one] of Object.entries(inspected)) before.set(name, await one.liveBytes())
    for (let i = 0; i < 2; i++) await round()
    for (const [name, one] of Object.entries(inspected)) {
      const grown = ((await one.liveBytes()) - (before.get(name) ?? 0)) / MIB
      // Code that was compiled meanwhile takes about one; a kilobyte kept of each request would be four.
      assert.ok(grown < 3, `${name} holds ${grown.toFixed(1)} MiB more`)
    }
  })
})
