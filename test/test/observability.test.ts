/**
 * What operators watch: everything that the alert rules and the dashboard name is there in a mesh that runs, strangers can't
 * make it grow, and Prometheus's own tool finds nothing wrong with it.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { getJson, postJson, type TestMesh, testMesh, until } from '../src/harness.ts'
import { type Exposed, exposed, hasPromtool, metricsIn, promtool } from '../src/prometheus.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const RULES = join(ROOT, 'docker/prometheus/rules.yml')
const RULES_TEST = join(ROOT, 'docker/prometheus/rules.test.yml')
const DASHBOARD = join(ROOT, 'docker/grafana/dashboard.json')
/** Declared by peers that have a tunnel, and by no others: `tunnel.test.ts` reads them. */
const ELSEWHERE = new Set(['hedgerow_tunnel_up', 'hedgerow_tunnel_restarts_total'])
const MADE_UP = 1000
/** Requests at once. */
const WIDTH = 50

interface Panel {
  id: number
  title: string
  gridPos: { x: number; y: number; w: number; h: number }
}

describe('what operators watch', function () {
  this.timeout(120_000)
  let mesh: TestMesh

  before(async () => {
    mesh = await testMesh({ workers: 1 })
    assert.equal((await postJson(`${mesh.relay.url}/service/lab`, {})).status, 200)
  })
  after(() => mesh?.stop())

  const scrape = async (url: string): Promise<string> => (await fetch(`${url}/metrics`)).text()
  const urls = (): string[] => [mesh.relay.url, ...mesh.workers.map(({ url }) => url)]
  const expressionsOf = async (): Promise<{ rules: string; dashboard: string }> => {
    const rules = (await readFile(RULES, 'utf8')).replace(/^\s*#.*$/gm, '')
    return { rules, dashboard: await readFile(DASHBOARD, 'utf8') }
  }

  it('has every metric that the alert rules and the dashboard name, on every peer', async () => {
    const { rules, dashboard } = await expressionsOf()
    for (const url of urls()) {
      const { types } = exposed(await scrape(url))
      for (const [file, text] of Object.entries({ rules, dashboard })) {
        const named = metricsIn(text, types)
        assert.ok(named.size > 5, `${file} names metrics`)
        const missing = [...named].filter(name => !types.has(name) && !ELSEWHERE.has(name))
        assert.deepEqual(missing, [], `${file}, at ${url}`)
      }
    }
  })

  it('shows or watches every metric that there is', async () => {
    const { rules, dashboard } = await expressionsOf()
    const { types } = exposed(await scrape(mesh.relay.url))
    const used = metricsIn(rules + dashboard, types)
    const unused = [...types.keys(), ...ELSEWHERE].filter(name => name.startsWith('hedgerow_') && !used.has(name))
    assert.deepEqual(unused, [])
  })

  it('has a dashboard whose panels have an id and a place of their own', async () => {
    const { panels } = JSON.parse((await expressionsOf()).dashboard) as { panels: Panel[] }
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
    const overlap = ({ x, y, w, h }: Panel['gridPos'], other: Panel['gridPos']): boolean =>
      x < other.x + other.w && other.x < x + w && y < other.y + other.h && other.y < y + h
    for (const [i, { title, gridPos }] of panels.entries()) {
      assert.ok(gridPos.x + gridPos.w <= 24, title)
      for (const other of panels.slice(i + 1)) assert.ok(!overlap(gridPos, other.gridPos), `${title}, ${other.title}`)
    }
  })

  it('has an entry in the guide for each alert, and links to it', async () => {
    const guide = await readFile(join(ROOT, 'docs/operate.md'), 'utf8')
    const { rules } = await expressionsOf()
    const alerts = Array.from(rules.matchAll(/- alert: (\w+)/g), ([, name = '']) => name)
    assert.deepEqual(
      Array.from(guide.matchAll(/^### (Hedgerow\w+)$/gm), ([, name]) => name),
      alerts
    )
    const links = Array.from(rules.matchAll(/runbook: docs\/operate\.md#(\w+)/g), ([, anchor]) => anchor)
    assert.deepEqual(
      links,
      alerts.map(name => name.toLowerCase())
    )
    // A rule that no test makes fire is a guess.
    const tests = await readFile(RULES_TEST, 'utf8')
    for (const name of alerts) assert.match(tests, new RegExp(`alertname: ${name}\\n +exp_alerts:\\n`), name)
  })

  it('counts what happens', async () => {
    const [worker] = mesh.workers
    assert.ok(worker != null)
    const value = (text: string, sample: RegExp): number =>
      Number(new RegExp(`^${sample.source} (\\S+)$`, 'm').exec(text)?.[1])
    const relay = await scrape(mesh.relay.url)
    assert.ok(value(relay, /hedgerow_requests_total\{service="lab",status="2xx",path="direct"\}/) >= 1)
    assert.ok(value(relay, /hedgerow_request_duration_seconds_count\{service="lab",outcome="answered"\}/) >= 1)
    assert.equal(value(relay, /hedgerow_service_workers\{service="lab"\}/), 1)
    assert.equal(value(relay, /hedgerow_connected_peers\{role="worker"\}/), 1)
    assert.ok(value(relay, /hedgerow_connections\{path="direct",transport="(?:tcp|ws)"\}/) >= 1)
    assert.ok(value(relay, /hedgerow_gossip_messages_total\{topic="adverts",verdict="news"\}/) >= 1)
    assert.equal(value(relay, /hedgerow_membership_refusals_total\{fault="Expired",by="us"\}/), 0)
    await until(
      'the DHT has a peer',
      async () => value(await scrape(worker.url), /hedgerow_dht_routing_table_peers/) >= 1
    )
    const own = await scrape(worker.url)
    assert.equal(value(own, /hedgerow_connected_peers\{role="relay"\}/), 1)
    assert.equal(value(own, /hedgerow_placement_assigned\{service="lab"\}/), 1)
    assert.equal(value(own, /hedgerow_placement_running\{service="lab"\}/), 1)
    assert.equal(value(own, /hedgerow_backend_restarts_total\{service="lab"\}/), 0)
    assert.equal(value(own, /hedgerow_audit_lines_lost_total/), 0)
  })

  it('has a line in the log for each request, with who answered and nothing of what was sent', async () => {
    const secret = 'owes-barclaycard'
    const response = await postJson(`${mesh.relay.url}/service/lab?q=${secret}`, { secret })
    const id = response.headers.get('hedgerow-request-id')
    const line = await until('the line is written', async () => {
      const log = await readFile(join(mesh.dataDir, 'relay/log'), 'utf8')
      return log.split('\n').find(one => one.includes(`"${id}"`))
    })
    const { request, caller, method, service, status, path, worker, ms, msg } = JSON.parse(line)
    assert.deepEqual(
      { request, caller, method, service, status, path, worker, msg },
      {
        ...{ request: id, caller: 'local', method: 'POST', service: 'lab', status: 200, path: 'direct' },
        ...{ worker: mesh.workers[0]?.peerId, msg: 'request' }
      }
    )
    assert.equal(typeof ms, 'number')
    assert.ok(!line.includes(secret))
  })

  it('gains no label and no series from a thousand services that somebody makes up', async () => {
    const made = (i: number): string => (i % 2 === 0 ? `made-up-${i}` : `Made%20up%22}${i}%0A`)
    const ask = async (i: number): Promise<void> => {
      const response = await fetch(`${mesh.relay.url}/service/${made(i)}/path-${i}`, { method: 'POST', body: '{}' })
      await response.body?.cancel()
      assert.equal(response.status, 404, made(i))
    }
    await ask(0)
    await ask(1)
    const before = await scrape(mesh.relay.url)
    const rest = Array.from({ length: MADE_UP - 2 }, (_, i) => i + 2)
    while (rest.length > 0) await Promise.all(rest.splice(0, WIDTH).map(ask))
    const after = await scrape(mesh.relay.url)
    assert.doesNotMatch(after, /made.?up/i)
    assert.deepEqual(valuesOf(exposed(after)), valuesOf(exposed(before)))
    assert.match(
      after,
      new RegExp(`hedgerow_requests_total\\{service="other",status="4xx",path="none"\\} ${MADE_UP}$`, 'm')
    )
    assert.equal((await getJson<{ status: string }>(`${mesh.relay.url}/health`)).status, 'healthy')
  })

  /** `transport` and `path` follow from connections, which come and go. */
  const valuesOf = ({ labels }: Exposed): Record<string, string[]> =>
    Object.fromEntries(
      [...labels]
        .filter(([name]) => name !== 'transport' && name !== 'path')
        .map(([name, values]) => [name, [...values].sort()])
    )

  describe('by promtool', () => {
    before(function () {
      if (hasPromtool()) return
      assert.ok(!process.env.CI, 'promtool could not be installed: apt-get install prometheus')
      console.log("      skipped: no promtool, and this is no Debian where Debian's `prometheus` could be installed")
      this.skip()
    })

    it('has alert rules that are well-formed', () => {
      promtool(['check', 'rules', RULES])
    })

    it('has a configuration that is well-formed', () => {
      // The key's file is on the machine that scrapes.
      promtool(['check', 'config', '--syntax-only', join(ROOT, 'docker/prometheus/prometheus.yml')])
    })

    it('has alert rules that fire when they should', () => {
      promtool(['test', 'rules', RULES_TEST])
    })

    it('has metrics that are named as they should be', async () => {
      for (const url of urls()) promtool(['check', 'metrics'], await scrape(url))
    })
  })
})
