import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RESTART_AFTER } from '../src/runtime/constants.ts'
import type { BackendState, ServiceInstance } from '../src/runtime/index.ts'
import { call, healthy, isAlive, json, TestRuntime, text, until } from './support/runtime.ts'

/** All states that an instance goes through. */
function follow(instance: ServiceInstance): BackendState[] {
  const states: BackendState[] = []
  instance.addListener(() => {
    if (states.at(-1) !== instance.state) states.push(instance.state)
  })
  return states
}

const pidOf = (instance: ServiceInstance): number => instance.inspect().backend.pid ?? assert.fail('it does not run')

describe('a backend process', () => {
  let runtime: TestRuntime
  beforeEach(() => {
    runtime = new TestRuntime()
  })
  afterEach(() => runtime.stop())

  it('starts, becomes healthy, serves and stops', async () => {
    const instance = runtime.host()
    const states = follow(instance)
    assert.equal(instance.state, 'starting')
    await healthy(instance)
    assert.equal(await text(await call(instance, { path: '/', method: 'POST', body: Buffer.from('hello') })), 'hello')
    const pid = pidOf(instance)
    await instance.stop()
    assert.equal(isAlive(pid), false)
    assert.deepEqual(states, ['healthy', 'draining', 'stopped'])
    assert.match(runtime.trace(), /SIGTERM/)
  })

  it('can be started again after it was stopped', async () => {
    const instance = await healthy(runtime.host())
    await instance.stop()
    instance.start()
    await healthy(instance)
    assert.equal((await call(instance, { path: '/status?code=204' })).status, 204)
  })

  it('runs again when it is wanted again while it stops', async () => {
    const instance = await healthy(runtime.host())
    const pid = pidOf(instance)
    const stopping = instance.stop()
    instance.start()
    await stopping
    await healthy(instance)
    assert.notEqual(pidOf(instance), pid)
  })

  it("runs with the daemon's own Node in the folder of its manifest", async () => {
    const instance = await healthy(runtime.host())
    const { execPath, cwd } = await json(await call(instance, { path: '/argv' }))
    assert.equal(execPath, process.execPath)
    assert.equal(`${cwd}/`, fileURLToPath(new URL('fixtures/', import.meta.url)))
  })

  it('gets what it needs to know and none of the secrets of the daemon', async () => {
    process.env.HEDGEROW_TEST_SECRET = 'hunter2'
    process.env.SOME_API_KEY = 'hunter2'
    try {
      const instance = await healthy(
        runtime.host({ env: { SETTING: 'x y' }, manifest: { state: { keyed: 'collection' } } })
      )
      const env = await json(await call(instance, { path: '/env' }))
      const { PATH, PORT, HOME, LANG, TZ, LOG_LEVEL, TMPDIR, MODE, TRACE, ...rest } = env
      assert.deepEqual(rest, {
        SETTING: 'x y',
        HOST: '127.0.0.1',
        HEDGEROW_PARENT: 'stdin',
        HEDGEROW_MESH_URL: 'http://127.0.0.1:1',
        HEDGEROW_SERVICE_CONTEXT: 'context-of-fixture',
        HEDGEROW_PEER_ID: '12D3KooWTest',
        HEDGEROW_STATE_DIR: join(runtime.folder, 'state', 'fixture')
      })
      assert.ok(Number(PORT) > 1024)
      assert.ok(String(PATH).includes(process.env.PATH ?? 'no path'))
    } finally {
      delete process.env.HEDGEROW_TEST_SECRET
      delete process.env.SOME_API_KEY
    }
  })

  it('has a private folder if it keeps state, and none if not', async () => {
    const folder = join(runtime.folder, 'state', 'keeper')
    mkdirSync(folder, { recursive: true, mode: 0o755 })
    await healthy(runtime.host({ manifest: { name: 'keeper', state: { keyed: 'collection' } } }))
    assert.equal(statSync(folder).mode & 0o777, 0o700)
    const stateless = await healthy(runtime.host({ manifest: { name: 'other' } }))
    assert.equal('HEDGEROW_STATE_DIR' in (await json(await call(stateless, { path: '/env' }))), false)
    assert.equal(existsSync(join(runtime.folder, 'state', 'other')), false)
  })

  it('is given time to start', async () => {
    const instance = runtime.host({ mode: 'slow-start' })
    await assert.rejects(call(instance, { path: '/echo' }), { code: 'Loading' })
    await healthy(instance)
    assert.equal(instance.inspect().backend.restarts, 0)
  })

  it('that crashes at its start is started again, later each time, with its last words kept', async () => {
    const instance = runtime.host({ mode: 'crash-at-start' })
    await until('it was started three times', () => instance.inspect().backend.restarts >= 2)
    await until('it backs off', () => instance.state === 'backing-off')
    await assert.rejects(call(instance, { path: '/echo' }), { code: 'NotServed' })
    const { lastError, stderr } = instance.inspect().backend
    assert.match(lastError?.message ?? '', /code 3.*model file is missing/)
    assert.ok(stderr.includes('Error: the model file is missing'))
  })

  it('that crashes later is started again, and the request in hand fails as one that may have been executed', async () => {
    const instance = await healthy(runtime.host())
    const pid = pidOf(instance)
    await assert.rejects(call(instance, { path: '/exit?code=7' }), (err: unknown) => {
      assert.ok(err instanceof Error && 'code' in err && 'details' in err)
      assert.equal(err.code, 'BackendFailed')
      assert.deepEqual(err.details, { service: 'fixture', retry_safe: false })
      return true
    })
    await until('it runs again', () => instance.state === 'healthy' && pidOf(instance) !== pid)
    assert.equal(instance.inspect().backend.restarts, 1)
    assert.equal((await call(instance, { path: '/status?code=200' })).status, 200)
  })

  it('that is killed is started again', async () => {
    const instance = await healthy(runtime.host())
    const pid = pidOf(instance)
    process.kill(pid, 'SIGKILL')
    await until('it runs again', () => instance.state === 'healthy' && pidOf(instance) !== pid)
    assert.match(instance.inspect().backend.lastError?.message ?? '', /SIGKILL/)
  })

  for (const mode of ['never-listens', 'never-answers']) {
    it(`that ${mode.replace('-', ' ')} is ended and started again`, async () => {
      const instance = runtime.host({ mode, manifest: { health: { interval_s: 0.1, timeout_s: 0.2, start_s: 0.5 } } })
      await until('it has a process', () => instance.inspect().backend.pid != null)
      const pid = pidOf(instance)
      await until('it backs off', () => instance.state === 'backing-off')
      await until('the process is gone', () => !isAlive(pid))
      await until('it was started again', () => instance.inspect().backend.restarts >= 1)
      assert.match(instance.inspect().backend.lastError?.message ?? '', /no healthy answer within 0.5 s/)
    })
  }

  it('that hangs later is taken out and started again', async () => {
    const instance = await healthy(runtime.host())
    const pid = pidOf(instance)
    const states = follow(instance)
    await call(instance, { path: '/set-hung' })
    await until('it runs again', () => instance.state === 'healthy' && pidOf(instance) !== pid)
    assert.deepEqual(states, ['unhealthy', 'backing-off', 'starting', 'healthy'])
  })

  it('that was stopped by a signal is killed and started again', async () => {
    const instance = await healthy(runtime.host())
    const pid = pidOf(instance)
    process.kill(pid, 'SIGSTOP')
    await until('it runs again', () => instance.state === 'healthy' && pidOf(instance) !== pid)
    assert.equal(isAlive(pid), false)
  })

  it('that is silent because it works gets nothing more to do, and is left to finish', async () => {
    const instance = await healthy(runtime.host())
    const pid = pidOf(instance)
    const states = follow(instance)
    const long = call(instance, { path: '/sleep-sync?ms=4000' })
    await until('it is taken out', () => instance.state === 'unhealthy')
    await assert.rejects(call(instance, { path: '/echo' }), { code: 'NotServed' })
    assert.equal(await text(await long), 'slept')
    await healthy(instance)
    assert.equal(pidOf(instance), pid)
    assert.deepEqual(states, ['unhealthy', 'healthy'])
  })

  it('that says it is not ready is taken out, and left alone', async () => {
    const instance = await healthy(runtime.host())
    const pid = pidOf(instance)
    await call(instance, { path: '/set-healthy?to=false' })
    await until('it is taken out', () => instance.state === 'unhealthy')
    assert.equal(instance.ready, false)
    const probes = (): number => runtime.trace().split('probed: not ready').length - 1
    await until('it was looked at more often than a hung one would be', () => probes() > RESTART_AFTER + 1)
    assert.equal(instance.state, 'unhealthy')
    assert.equal(pidOf(instance), pid)
  })

  it('that ignores SIGTERM is killed', async () => {
    const instance = await healthy(
      runtime.host({ mode: 'ignores-sigterm', manifest: { health: { interval_s: 0.1, timeout_s: 0.2, start_s: 10 } } })
    )
    const pid = pidOf(instance)
    await call(instance, { path: '/set-hung' })
    await until('it was asked to end', () => runtime.trace().includes('SIGTERM'))
    await until('it runs again', () => instance.state === 'healthy' && pidOf(instance) !== pid)
    assert.equal(isAlive(pid), false)
  })

  it('takes with it what it has started, when it is stopped and when it crashes', async () => {
    const grandchildren = (): number[] =>
      [...runtime.trace().matchAll(/grandchild (\d+)/g)].map(([, pid]) => Number(pid))
    const instance = await healthy(runtime.host({ env: { GRANDCHILD: '1' } }))
    await until('it has a child', () => grandchildren().length === 1)
    process.kill(pidOf(instance), 'SIGKILL')
    await until('it has another', () => grandchildren().length === 2)
    const [first = 0, second = 0] = grandchildren()
    await until('the first is gone', () => !isAlive(first))
    await instance.stop()
    await until('the second is gone', () => !isAlive(second))
  })

  it('leaves no orphan when the daemon is killed, even if it does not watch its input', async () => {
    const host = spawn(
      process.execPath,
      ['--conditions=hedgerow-source', fileURLToPath(new URL('fixtures/host.ts', import.meta.url)), runtime.folder],
      { stdio: ['ignore', 'pipe', 'inherit'] }
    )
    try {
      await once(host.stdout, 'data')
      const pids = [...runtime.trace().matchAll(/(?:started|grandchild) (\d+)/g)].map(([, pid]) => Number(pid))
      assert.equal(pids.length, 2)
      assert.ok(pids.every(isAlive))
      host.kill('SIGKILL')
      await until('all are gone', () => !pids.some(isAlive))
    } finally {
      host.kill('SIGKILL')
    }
  })

  it('that is no program says so', async () => {
    const instance = runtime.host({ manifest: { backend: { process: { command: ['no-such-program'] } } } })
    await until('it backs off', () => instance.state === 'backing-off')
    assert.match(instance.inspect().backend.lastError?.message ?? '', /cannot run no-such-program/)
  })

  it('has its lines in the log with their level and fields, and none too long', async () => {
    const instance = await healthy(runtime.host())
    const said = (line: string): string => `/log?line=${encodeURIComponent(line)}`
    await call(instance, { path: said('{"level":50,"time":1,"pid":2,"msg":"disk full","reqId":"r1"}') })
    await call(instance, { path: said('WARNING: low ink') })
    await call(instance, { path: said('plain') })
    await call(instance, { path: '/log-endless-line' })
    const find = (message: string | RegExp) =>
      runtime.lines.find(({ msg }) => (typeof message === 'string' ? msg === message : message.test(String(msg))))
    await until('all is logged', () => find(/^z+\.\.\. \(\d+ characters more\)$/) != null)
    const json = find('disk full')
    assert.equal(json?.level, 50)
    assert.equal(json?.service, 'fixture')
    assert.deepEqual(json?.backend, { reqId: 'r1' })
    assert.equal(find('WARNING: low ink')?.level, 40)
    assert.equal(find('plain')?.level, 30)
    assert.ok(String(find(/^z/)?.msg).length < 9000)
    assert.ok(instance.inspect().backend.stderr.every(line => line.length <= 1010))
  })

  it('that floods its log is cut short there, and serves on', async () => {
    const instance = await healthy(runtime.host())
    await call(instance, { path: '/log-flood' })
    await until('it is told how much was left out', () => runtime.lines.some(({ dropped }) => Number(dropped) > 10_000))
    assert.ok(runtime.lines.length < 5000)
    assert.equal((await call(instance, { path: '/status?code=200' })).status, 200)
  })
})
