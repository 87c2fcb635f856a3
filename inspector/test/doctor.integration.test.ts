import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EMBEDDED_SERVICES, type Mesh, type MeshInit, startMesh } from '@hedgerow/scripts/mesh'
import { type CheckId, type DoctorInit, type DoctorReport, examine, type Result } from '../src/commands/doctor/index.ts'
import { hedgerow } from './support/hedgerow.ts'
import { listening } from './support/listening.ts'

const SERVICES = fileURLToPath(new URL('./fixtures/services', import.meta.url))
const signal = new AbortController().signal

interface Started {
  mesh: Mesh
  stop(): Promise<void>
}

/** A relay and workers that run the workshop, as processes of their own. */
async function workshops(init: Partial<MeshInit>): Promise<Started> {
  const dataDir = await mkdtemp(join(tmpdir(), 'hedgerow-doctor-test-'))
  const mesh = await startMesh({
    ...{ httpPort: 0, workers: 1, dataDir, logToFile: true, services: ['workshop'] },
    ...init,
    env: {
      HEDGEROW_SERVICES: 'workshop',
      HEDGEROW_FORBID_SERVICES: [...EMBEDDED_SERVICES, 'llm-inference'].join(','),
      HEDGEROW_SERVICES_DIR: SERVICES,
      ...init.env
    }
  })
  const stop = async (): Promise<void> => {
    await mesh.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
  await mesh.ready(AbortSignal.timeout(30_000)).catch(async err => {
    await stop()
    throw err
  })
  return { mesh, stop }
}

const portOf = (url: string): string => new URL(url).port

/** Which checks say that something is wrong, and what. */
const wrong = ({ checks }: Pick<DoctorReport, 'checks'>): string[] =>
  checks.flatMap(({ check, state, found }) => (state === 'wrong' ? [`${check}: ${found}`] : []))

function one({ checks }: DoctorReport, id: CheckId): Result {
  const result = checks.find(({ check }) => check === id)
  assert.ok(result != null, id)
  return result
}

describe('hedgerow doctor in a mesh', function () {
  this.timeout(90_000)
  let started: Started
  let env: Record<string, string>

  before(async () => {
    started = await workshops({})
    // So that the daemon of this machine is this worker.
    env = { HEDGEROW_HTTP_PORT: portOf(started.mesh.workers[0]?.url ?? '') }
  })
  after(() => started?.stop())

  const doctor = (over: Partial<DoctorInit> = {}): Promise<DoctorReport> =>
    examine({ url: started.mesh.relay.url, services: ['ws'], env, dockerSockets: [], ...over }, signal)

  it('finds all well, in order and in time', async () => {
    const told: Result[] = []
    const startedAt = performance.now()
    const report = await doctor({ onResult: result => told.push(result) })
    assert.ok(performance.now() - startedAt < 30_000)
    assert.deepEqual(wrong(report), [])
    assert.deepEqual([report.well, report.exit_code], [true, 0])
    assert.deepEqual(told, report.checks)
    for (const id of [
      'name',
      'relay',
      'websocket',
      'clock',
      'mesh',
      'credential',
      'join',
      'dht',
      'events',
      'reservation',
      'direct',
      'routes'
    ] as const)
      assert.equal(one(report, id).state, 'well', `${id}: ${one(report, id).found}`)
    assert.match(one(report, 'direct').found, /directly: worker-1/)
    assert.match(one(report, 'routes').found, /worker-1 answers, offered by worker-1/)
  })

  it('tells by which way workers reach the daemon of this machine', async () => {
    const report = await doctor({ env: { HEDGEROW_HTTP_PORT: portOf(started.mesh.relay.url) } })
    assert.match(one(report, 'direct').found, /directly: worker-1; the daemon here is reached directly by worker-1$/)
    // Nobody is asked of himself.
    assert.match(one(await doctor(), 'direct').found, /directly: worker-1$/)
  })

  it('finds the relay by the daemon of this machine, and shows people and programs the same', async () => {
    const args = ['doctor', '--services', 'ws']
    const given = { ...env, DOCKER_HOST: 'unix:///nowhere/docker.sock' }
    const shown = await hedgerow(args, { env: given })
    assert.equal(shown.code, 0, shown.out.toString() + shown.err)
    assert.match(shown.out.toString(), /^✓ relay +relay is healthy/m)
    assert.match(shown.out.toString(), /^✓ \/service\/ws +worker-1 answers/m)
    assert.match(shown.out.toString(), /\nall is well/)
    const { code, out } = await hedgerow([...args, '--json'], { env: given })
    assert.equal(code, 0)
    const report: DoctorReport = JSON.parse(out.toString())
    assert.equal(portOf(report.url), portOf(started.mesh.relay.url))
    assert.ok(report.well)
  })

  it('finds a clock that is off, in either direction, and nothing else', async () => {
    for (const [off, says] of [
      [20 * 60_000, /20 min ahead/],
      [-20 * 60_000, /(20|19) min behind/]
    ] as const) {
      const report = await doctor({ now: () => Date.now() + off })
      assert.match(one(report, 'clock').found, says)
      assert.equal(wrong(report).length, 1, wrong(report).join('\n'))
      assert.equal(report.exit_code, 1)
    }
  })

  it('finds a service that nobody runs, and says how to pin it', async () => {
    const report = await doctor({ services: ['ws', 'ner'] })
    assert.deepEqual(wrong(report), ['routes: nobody offers ner-extraction now'])
    const route = report.checks.find(({ title }) => title === '/service/ner')
    assert.ok(route?.state === 'wrong')
    assert.match(route.fix, /HEDGEROW_SERVICES=ner-extraction/)
    assert.equal(report.exit_code, 1)
    const all = await doctor({ services: undefined })
    assert.notEqual(all.checks.find(({ title }) => title === '/entry-points')?.state ?? 'wrong', 'wrong')
    const missing = all.checks.filter(({ check, state }) => check === 'routes' && state === 'wrong')
    assert.deepEqual(missing.map(({ title }) => title).sort(), [
      '/service/ner',
      '/service/notes',
      '/service/ocr',
      '/service/rag',
      '/service/upload'
    ])
  })

  it('finds a relay that is down, and still looks at this machine', async () => {
    const { port, close } = await listening(createServer())
    await close()
    const report = await doctor({ url: `http://127.0.0.1:${port}` })
    assert.deepEqual(
      wrong(report).map(text => text.split(':')[0]),
      ['relay']
    )
    assert.equal(one(report, 'credential').state, 'well')
    assert.equal(one(report, 'join').state, 'none')
    // The daemon of this machine answers; without it, nothing does.
    assert.equal(report.exit_code, 1)
    const alone = await hedgerow(['doctor', `http://127.0.0.1:${port}`], { env: { HEDGEROW_HTTP_PORT: '1' } })
    assert.equal(alone.code, 3, alone.out.toString())
    assert.match(alone.out.toString(), /^✗ relay .*\n +→ start the relay/m)
  })
})

describe('hedgerow doctor at a closed mesh', function () {
  this.timeout(90_000)
  let started: Started
  let tunnel: string
  let home: string

  before(async () => {
    // To what comes by a tunnel the relay is a stranger, though it is on this machine.
    const { port, close } = await listening(createServer())
    await close()
    tunnel = `http://127.0.0.1:${port}`
    home = await mkdtemp(join(tmpdir(), 'hedgerow-doctor-home-'))
    started = await workshops({ closed: true, envOf: { relay: { HEDGEROW_TUNNEL_PORT: String(port) } } })
  })
  after(async () => {
    await started?.stop()
    await rm(home, { recursive: true, force: true })
  })

  const doctor = async (
    args: string[],
    env: Record<string, string> = {}
  ): Promise<DoctorReport & { code: number | null }> => {
    const { code, out, err } = await hedgerow(['doctor', tunnel, '--services', 'ws', '--json', ...args], {
      env: { HEDGEROW_HTTP_PORT: '1', HOME: home, DOCKER_HOST: 'unix:///nowhere/docker.sock', ...env }
    })
    assert.notEqual(out.length, 0, err)
    return { ...JSON.parse(out.toString()), code }
  }

  it('says without an invite that one is needed, and that the route wants a key', async () => {
    const report = await doctor([])
    assert.equal(report.code, 1)
    assert.deepEqual(
      wrong(report).map(text => text.split(':')[0]),
      ['join']
    )
    const join = one(report, 'join')
    assert.ok(join.state === 'wrong')
    assert.match(join.fix, /invite/)
    assert.match(one(report, 'mesh').found, /is closed/)
    assert.equal(one(report, 'dht').state, 'none')
    assert.match(one(report, 'routes').found, /wants a key/)
  })

  it('goes on without an invite where the daemon of this machine is a member', async () => {
    const report = await doctor([], { HEDGEROW_HTTP_PORT: portOf(started.mesh.workers[0]?.url ?? '') })
    assert.deepEqual(wrong(report), [])
    assert.equal(report.code, 0)
    const join = one(report, 'join')
    assert.equal(join.state, 'none')
    assert.match(join.found, /worker-1, which runs here, is; .*--invite/)
    assert.match(one(report, 'credential').found, /^worker-1 is worker; its credential ends in/)
  })

  it('joins where the relay lets programs of its machine in', async () => {
    const { code, out } = await hedgerow(['doctor', started.mesh.relay.url, '--services', 'ws', '--json'], {
      env: {
        HEDGEROW_HTTP_PORT: portOf(started.mesh.workers[0]?.url ?? ''),
        HOME: home,
        DOCKER_HOST: 'unix:///nowhere/docker.sock'
      }
    })
    const report: DoctorReport = JSON.parse(out.toString())
    assert.deepEqual(wrong(report), [])
    assert.equal(code, 0)
    assert.match(one(report, 'credential').found, /^worker-1 is worker; its credential ends in/)
  })
})
