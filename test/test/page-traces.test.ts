/** Traces that begin in a page, with the SDK of its frontend, and go on at relays, workers and backends. */
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import type * as Entry from '../fixtures/page/traced.ts'
import { type CollectedSpan, type Collector, startCollector } from '../src/collector.ts'
import { type PageMesh, pageMesh } from '../src/page-mesh.ts'

declare const entry: typeof Entry

const ENTRY = fileURLToPath(new URL('../fixtures/page/traced.ts', import.meta.url))

describe('traces of a page', function () {
  this.timeout(120_000)
  let all: PageMesh
  let collector: Collector

  before(async function () {
    all = await pageMesh(
      this,
      async ({ address }) => {
        collector = await startCollector(address)
        return { workers: 1, env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } }
      },
      ENTRY
    )
  })
  after(async () => {
    await all?.stop()
    await collector?.close()
  })

  async function joinedPage(before?: () => void): Promise<Page> {
    const page = await all.open(before == null ? {} : { before })
    const { relay } = all.mesh
    await page.evaluate(([url, to]) => entry.join(url, to), [relay.url, collector.url] as const)
    return page
  }

  /** The trace of one request, from the page on. @param count spans that it has */
  async function traced(page: Page, count: number): Promise<CollectedSpan[]> {
    const { headers, text } = await page.evaluate(() => entry.ask('/service/lab/headers?q=in-the-query'))
    const spans = await collector.trace(headers.traceparent ?? null, count)
    const ordered: CollectedSpan[] = []
    for (let id = ''; ordered.length < spans.length; id = ordered.at(-1)?.spanId ?? '') {
      const [next, ...others] = spans.filter(({ parentId }) => parentId === id)
      assert.ok(next != null && others.length === 0, `below ${id}`)
      ordered.push(next)
    }
    const last = ordered.at(-1)
    assert.equal(JSON.parse(text).headers.traceparent, `00-${last?.traceId}-${last?.spanId}-01`, "the backend's")
    assert.ok(!Buffer.concat(collector.bytes).includes('in-the-query'))
    return ordered
  }

  const shown = (spans: CollectedSpan[]): string[] =>
    spans.map(({ resource, kind, name }) => `${resource['service.name']}: ${kind} ${name}`)

  it('go straight on at the worker', async () => {
    const page = await joinedPage()
    await page.evaluate(() => entry.reached(1))
    const spans = await traced(page, 4)
    assert.deepEqual(shown(spans), [
      'frontend: internal GET /headers',
      'frontend: client GET /headers',
      'hedgerow-daemon: server GET /headers',
      'hedgerow-daemon: client GET /headers'
    ])
    assert.equal(spans[1]?.attributes['hedgerow.path'], 'direct')
    assert.match(String(spans[1]?.attributes['hedgerow.transport']), /^webrtc/)
  })

  it('go on at the relay where the page has only its bridge', async () => {
    const page = await joinedPage(() => {
      // Neither libp2p's WebSocket nor WebRTC gets through here.
      for (const name of ['WebSocket', 'RTCPeerConnection'])
        Object.defineProperty(globalThis, name, {
          value: class {
            constructor() {
              throw new Error('forbidden here')
            }
          }
        })
    })
    const spans = await traced(page, 6)
    assert.deepEqual(shown(spans), [
      'frontend: internal GET',
      'frontend: client GET',
      'hedgerow-relay: server GET /service/lab/headers',
      'hedgerow-relay: client GET /headers',
      'hedgerow-daemon: server GET /headers',
      'hedgerow-daemon: client GET /headers'
    ])
    assert.equal(spans[0]?.attributes['hedgerow.path'], 'bridged')
  })
})
