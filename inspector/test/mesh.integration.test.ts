import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { EMBEDDED_SERVICES, type Mesh, startMesh } from '@hedgerow/scripts/mesh'
import { runTop } from '../src/cli/live.ts'
import { dhtGet, dhtProviders, dhtTopology } from '../src/commands/dht.ts'
import { explainRequest } from '../src/commands/explain.ts'
import { inspectPeer } from '../src/commands/inspect.ts'
import { pingPeer } from '../src/commands/ping.ts'
import { listServices } from '../src/commands/services.ts'
import { type MeshSource, openSource } from '../src/source/index.ts'
import { hedgerow, requestIdIn, start } from './support/hedgerow.ts'
import { capture } from './support/io.ts'

const SERVICES = fileURLToPath(new URL('./fixtures/services', import.meta.url))
const signal = new AbortController().signal

/** One relay and two workers that run the workshop, as processes of their own. */
describe('hedgerow in a mesh', function () {
  this.timeout(60_000)
  let dataDir: string
  let mesh: Mesh
  let env: Record<string, string>
  const json = async (args: string[], given = env) => {
    const { code, out, err } = await hedgerow([...args, '--json'], { env: given })
    assert.equal(code, 0, err)
    return JSON.parse(out.toString())
  }
  const workerIds = (): string[] => mesh.workers.map(({ peerId }) => peerId).sort()
  const idsOf = (peers: Array<{ peer_id: string }>): string[] => peers.map(({ peer_id }) => peer_id).sort()

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'hedgerow-inspector-test-'))
    mesh = await startMesh({
      httpPort: 0,
      workers: 2,
      dataDir,
      logToFile: true,
      services: ['workshop'],
      env: {
        HEDGEROW_SERVICES: 'workshop',
        HEDGEROW_FORBID_SERVICES: [...EMBEDDED_SERVICES, 'llm-inference'].join(','),
        HEDGEROW_SERVICES_DIR: SERVICES
      }
    })
    env = { HEDGEROW_DAEMON: mesh.relay.url }
    await mesh.ready(AbortSignal.timeout(30_000))
  })
  after(async () => {
    await mesh?.stop()
    await rm(dataDir, { recursive: true, force: true })
  })

  describe('through a daemon', () => {
    it('lists peers, for people and for programs', async () => {
      const { code, out, err } = await hedgerow(['peers'], { env })
      assert.equal(code, 0, err)
      assert.match(out.toString(), /^relay +relay .* local /m)
      assert.match(out.toString(), /^worker-1 +worker .* workshop +0 +direct\/tcp +[\d.<]+ m?s /m)
      const { peers, via } = await json(['peers'])
      assert.deepEqual(idsOf(peers), [mesh.relay.peerId, ...workerIds()].sort())
      assert.equal(via.peer_id, mesh.relay.peerId)
    })

    it('finds the daemon of this machine by its port, and counts services', async () => {
      const { services, gaps, via } = await json(['services'], { HEDGEROW_HTTP_PORT: new URL(mesh.relay.url).port })
      assert.equal(via.url, mesh.relay.url)
      const row = services.find(({ name }: { name: string }) => name === 'workshop')
      assert.deepEqual([row.wanted, row.found, row.healthy], [2, 2, 2])
      assert.deepEqual(idsOf(row.workers), workerIds())
      assert.ok(!gaps.includes('workshop'))
    })

    it('inspects a peer that is named by the end of its id', async () => {
      const [worker] = mesh.workers
      const report = await json(['inspect', worker?.peerId.slice(-8) ?? ''])
      assert.equal(report.peer.name, worker?.name)
      assert.equal(report.health.status, 'healthy')
      assert.equal(report.health.peer_id, worker?.peerId)
      assert.equal(report.health.direct_paths, 'local_network')
      const [offer] = report.advert.services
      assert.equal(offer.version, '1.2.3')
      assert.deepEqual(offer.resources, ['collection/default'])
      const echo = offer.operations.find(({ path }: { path: string }) => path === '/echo')
      assert.deepEqual([echo.main, echo.idempotent, echo.body_limit], [true, true, 4 * 1024 * 1024])
    })

    it('carries bytes through a call unchanged, says who answered, and explains it', async () => {
      const input = randomBytes(2 * 1024 * 1024)
      const { code, out, err } = await hedgerow(['call', 'ws', '-d', '@-'], { env, input })
      assert.equal(code, 0, err)
      assert.ok(out.equals(input))
      const [, status, worker, path] = /^(\d+) {2}(worker-\d) …\w{8} {2}(\S+)/.exec(err) ?? []
      assert.deepEqual([status, path], ['200', 'direct/tcp'])
      const id = requestIdIn(err)
      const report = await json(['explain', id])
      assert.equal(report.request_id, id)
      assert.equal(report.names[report.chosen], worker)
      assert.deepEqual(idsOf(report.candidates), workerIds())
      assert.equal(report.attempts.at(-1).status, 200)
      const shown = await hedgerow(['explain', id], { env })
      assert.match(shown.out.toString(), new RegExp(`answered by +${worker}`))
    })

    it('sends method, path, headers and type as they were given, to the worker that was named', async () => {
      const { body, worker, status } = await json([
        'call',
        'ws/show?a=b%20c',
        '-X',
        'PUT',
        '-H',
        'X-Case: 42',
        '-d',
        '{"n":1}',
        '-w',
        'worker-2'
      ])
      assert.equal(status, 200)
      assert.equal(worker.name, 'worker-2')
      assert.deepEqual([body.method, body.url, body.length], ['PUT', '/show?a=b%20c', 7])
      assert.equal(body.headers['x-case'], '42')
      assert.equal(body.headers['content-type'], 'application/json')
    })

    it('shows events as they come, and the request in `top` while it lasts', async () => {
      const call = start(['call', 'ws/events', '-w', 'worker-1'], { env })
      await call.shows('data: 1')
      const top = start(['top', '--json', '-i', '0.3'], { env })
      await top.shows('"in_flight":1')
      const [first] = top.out().toString().split('\n')
      assert.ok(JSON.parse(first ?? '').peers.length === 3)
      assert.ok(!call.out().includes('data: 2'))
      const release = await hedgerow(['call', 'ws/release', '-X', 'POST', '-w', 'worker-1'], { env })
      assert.equal(release.out.toString(), '{"held":1}')
      const ended = await call.ended
      assert.equal(ended.code, 0, ended.err)
      assert.match(ended.out.toString(), /data: 1\n\ndata: 2/)
      top.child.kill('SIGINT')
      assert.equal((await top.ended).code, 0)
    })

    it("says a service's own error in plain words, and leaves stdout empty", async () => {
      const { code, out, err } = await hedgerow(['call', 'ws/refuse', '-d', 'x'], { env })
      assert.equal(code, 1)
      assert.equal(out.byteLength, 0)
      const [line, detail] = err.split('\n')
      assert.match(line ?? '', /^422 {2}worker-/)
      assert.equal(detail, 'the body says nothing of use')
      assert.match(err, /^ *text must be a string$/m)
    })

    it('guesses what was meant by unknown names', async () => {
      const [service, peer] = await Promise.all([
        hedgerow(['call', 'workshp', '-d', 'x'], { env }),
        hedgerow(['inspect', 'wroker-1'], { env })
      ])
      assert.equal(service.code, 1)
      assert.match(service.err, /workshop/)
      assert.equal(peer.code, 1)
      assert.match(peer.err, /worker-1/)
    })

    it('ends with 1 when an answer breaks off, after what did arrive', async () => {
      const { code, out, err } = await hedgerow(['call', 'ws/break'], { env })
      assert.equal(code, 1)
      assert.equal(out.byteLength, 100_000)
      assert.match(err, /100000 bytes/)
      requestIdIn(err)
    })

    it('ends quietly when nobody reads on, and stops the work', async () => {
      const call = start(['call', 'ws/flood', '-w', 'worker-1'], { env })
      await call.shows('xxx')
      call.child.stdout?.destroy()
      const { code, err } = await call.ended
      assert.deepEqual([code, err], [0, ''])
      await nothingHeld()
    })

    it('stops the work on Ctrl-C', async () => {
      const call = start(['call', 'ws/events', '-w', 'worker-1'], { env })
      await call.shows('data: 1')
      call.child.kill('SIGINT')
      assert.equal((await call.ended).code, 130)
      await nothingHeld()
    })

    it('redraws `top` in place and gives the terminal back', async () => {
      const source = await openSource({ daemon: mesh.relay.url }, { env: {}, signal })
      const io = capture()
      const raw: boolean[] = []
      const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (mode: boolean) => raw.push(mode) })
      Object.assign(io.stdout, { isTTY: true, columns: 100, rows: 30 })
      const ended = runTop(source, { interval: 50, json: false }, { ...io, stdin }, signal)
      while (io.out().split('\u001b[H').length < 3) await new Promise(resolve => io.stdout.once('data', resolve))
      stdin.write('q')
      await ended
      await source.close()
      assert.ok(io.out().startsWith('\u001b[?1049h'))
      assert.ok(io.out().endsWith('\u001b[?1049l'))
      assert.ok(io.out().includes('workshop'))
      assert.deepEqual(raw, [true, false])
    })

    it('asks one peer through another, whole ids of known peers only', async () => {
      const ask = async (path: string) => {
        const answer = await fetch(`${mesh.relay.url}/api/peers/${path}`)
        return { status: answer.status, body: await answer.json() }
      }
      const [worker] = mesh.workers
      const self = await ask(`${mesh.relay.peerId}/ping`)
      assert.deepEqual([self.status, self.body.path, self.body.status], [200, 'local', 'healthy'])
      const health = await ask(`${worker?.peerId}/health`)
      assert.deepEqual([health.status, health.body.peer_id], [200, worker?.peerId])
      for (const path of ['nobody', 'nobody/ping', 'nobody/stats', `${workerIds()[0]?.slice(0, -1)}/health`]) {
        const { status, body } = await ask(path)
        assert.deepEqual([status, body.code], [404, 'UnknownPeer'], path)
      }
    })

    async function nothingHeld(): Promise<void> {
      for (;;) {
        const answer = await fetch(`${mesh.relay.url}/service/ws/held`, {
          headers: { 'hedgerow-worker': mesh.workers[0]?.peerId ?? '' }
        })
        if ((await answer.text()) === '{"held":0}') return
      }
    }
  })

  describe('as a peer of its own', () => {
    let source: MeshSource
    let home: string
    const relay = (): string[] => ['--relay', mesh.relay.url]

    before(async () => {
      home = join(dataDir, 'inspector')
      await mkdir(home)
      source = await openSource({ relay: mesh.relay.url }, { env: {}, signal })
    })
    after(async () => source?.close())

    it('asks every peer itself', async () => {
      const { peers, via } = await json(['peers', ...relay()], { TMPDIR: home })
      assert.equal(via.mode, 'peer')
      assert.deepEqual(idsOf(peers), [mesh.relay.peerId, ...workerIds()].sort())
      for (const peer of peers) {
        assert.equal(peer.reachable, true, peer.name)
        assert.equal(peer.path, 'direct', peer.name)
        assert.ok(peer.round_trip_ms > 0, peer.name)
      }
    })

    it('calls a service, through a relay that is named by its multiaddr too', async () => {
      const { host, port } = { host: '127.0.0.1', port: new URL(mesh.relay.url).port }
      const multiaddr = `/ip4/${host}/tcp/${port}/ws/p2p/${mesh.relay.peerId}`
      const input = randomBytes(1024 * 1024)
      const args = ['call', 'ws', '-d', '@-', '-w', 'worker-2', '--explain', '--relay', multiaddr]
      const { code, out, err } = await hedgerow(args, { input, env: { TMPDIR: home } })
      assert.equal(code, 0, err)
      assert.ok(out.equals(input))
      assert.match(err, /^200 {2}worker-2 …\w{8} {2}direct\/tcp/)
      assert.match(err, /worker-1 .*not asked/)
    })

    it('ends on Ctrl-C, and leaves nothing on disk', async () => {
      const call = start(['call', 'ws/events', ...relay()], { env: { TMPDIR: home } })
      await call.shows('data: 1')
      assert.equal((await readdir(home)).length, 1)
      call.child.kill('SIGINT')
      assert.equal((await call.ended).code, 130)
      assert.deepEqual(await readdir(home), [])
    })

    it('knows the services and one peer in full', async () => {
      const { services } = await listServices(source, signal)
      assert.deepEqual(idsOf(services.find(({ name }) => name === 'workshop')?.workers ?? []), workerIds())
      const { health, peer, advert } = await inspectPeer(source, 'worker-2', signal)
      assert.equal(health?.peer_id, mesh.workers[1]?.peerId)
      assert.equal(peer.path, 'direct')
      assert.equal(
        advert.services[0]?.operations.some(({ path }) => path === '/refuse'),
        true
      )
    })

    it('pings', async () => {
      const { sent, answered, min_ms, avg_ms, max_ms } = await pingPeer(
        source,
        'relay',
        { count: 3, interval: 1 },
        signal
      )
      assert.deepEqual([sent, answered], [3, 3])
      assert.ok(min_ms != null && avg_ms != null && max_ms != null)
      assert.ok(min_ms > 0 && min_ms <= avg_ms && avg_ms <= max_ms)
    })

    it('explains a request that entered at another peer', async () => {
      const { err } = await hedgerow(['call', 'ws', '-d', 'x'], { env })
      const report = await explainRequest(source, requestIdIn(err), signal)
      assert.equal(report.service, 'workshop')
      assert.equal(report.outcome, 'answered')
      await assert.rejects(explainRequest(source, 'f'.repeat(32), signal), { problem: 'UnknownRequest' })
    })

    it('looks into the DHT', async () => {
      const { providers, service } = await dhtProviders(source, 'ws', signal)
      assert.equal(service, 'workshop')
      assert.deepEqual(idsOf(providers), workerIds())
      const { advert } = await dhtGet(source, 'worker-1', signal)
      assert.equal(advert.peer_id, mesh.workers[0]?.peerId)
      const { stats, connections } = await dhtTopology(source, signal)
      assert.equal(stats.mode, 'client')
      assert.ok(idsOf(connections).includes(mesh.relay.peerId))
    })

    it('answers as a daemon would when the mesh refuses', async () => {
      const call = { service: 'none', method: 'GET', path: '/', headers: {}, body: null }
      const { status, headers } = await source.call(call, signal)
      assert.equal(status, 404)
      assert.equal(headers['hedgerow-error'], 'UnknownService')
    })

    it('says which peers it cannot reach', async () => {
      const [, worker] = mesh.workers
      worker?.child.kill('SIGKILL')
      await new Promise(resolve => worker?.child.once('exit', resolve))
      const peers = await source.peers(signal)
      assert.deepEqual(
        peers.filter(({ reachable }) => reachable !== true).map(({ name }) => name),
        ['worker-2']
      )
      const { answered, pings } = await pingPeer(source, 'worker-2', { count: 1, interval: 1 }, signal)
      assert.equal(answered, 0)
      assert.ok(pings.every(ping => 'error' in ping))
    })
  })
})
