import assert from 'node:assert/strict'
import type { BackendState, ServiceInstance } from '../../src/runtime/index.ts'
import { fails } from './fails.ts'
import { call, healthy, type TestRuntime, text, until } from './runtime.ts'

/** A kind of backend that the daemon starts, with the fixtures' server in it. */
export interface Kind {
  runtime(): TestRuntime
  /** the backend of a manifest. @param mode of the fixture */
  backend(mode?: string, program?: string[]): Record<string, unknown>
  /** how many run that this test has started */
  running(): number
  /** ends what an instance runs, without a word */
  kill(instance: ServiceInstance): void
}

const post = async (instance: ServiceInstance, body: string): Promise<string> =>
  text(await call(instance, { path: '/', method: 'POST', body: Buffer.from(body) }))

/** What every backend owes that is started by the daemon, whatever starts it. */
export function complies(kind: Kind): void {
  const host = (mode?: string, manifest: Record<string, unknown> = {}, program?: string[]): ServiceInstance =>
    kind.runtime().host({ manifest: { backend: kind.backend(mode, program), ...manifest } })

  it('starts, becomes healthy, serves, stops, and is gone', async () => {
    const instance = host()
    const states: BackendState[] = []
    instance.addListener(() => states.push(instance.state))
    assert.equal(instance.state, 'starting')
    await healthy(instance)
    assert.equal(await post(instance, 'hello'), 'hello')
    await instance.stop()
    assert.deepEqual(states, ['healthy', 'draining', 'stopped'])
    assert.equal(kind.running(), 0)
  })

  it('starts again after it was stopped', async () => {
    const instance = await healthy(host())
    await instance.stop()
    instance.start()
    await healthy(instance)
    assert.equal(await post(instance, 'again'), 'again')
    assert.equal(kind.running(), 1)
  })

  it('is started again when it is killed', async () => {
    const instance = await healthy(host())
    kind.kill(instance)
    await until('its end is seen', () => instance.state !== 'healthy')
    await healthy(instance)
    assert.equal(await post(instance, 'back'), 'back')
    const { restarts, lastError } = instance.inspect().backend
    assert.equal(restarts, 1)
    // An engine on a busy machine may tell of the death later than three probes do.
    assert.match(lastError?.message ?? '', /killed|health failed: connect ECONNREFUSED/)
    assert.equal(kind.running(), 1)
  })

  it('is started again when it hangs', async () => {
    const instance = await healthy(host())
    await text(await call(instance, { path: '/set-hung' }))
    await until('it is started again', () => instance.inspect().backend.restarts > 0, 30_000)
    await healthy(instance)
    assert.equal(await post(instance, 'back'), 'back')
    assert.equal(kind.running(), 1)
  })

  it('says how it ended, with its last words', async () => {
    const instance = host('crash-at-start')
    await until('it has failed', () => instance.inspect().backend.lastError != null)
    const { lastError, stderr } = instance.inspect().backend
    assert.match(lastError?.message ?? '', /^exited with code 3: Error: the model file is missing$/)
    assert.deepEqual(stderr.slice(-1), ['Error: the model file is missing'])
    await instance.stop()
    assert.equal(kind.running(), 0)
  })

  it('that never listens is given up and tried again', async () => {
    const health = { interval_s: 0.2, timeout_s: 0.4, start_s: 1 }
    const instance = host('never-listens', { health })
    await until('it is given up', () => instance.inspect().backend.lastError != null)
    assert.match(instance.inspect().backend.lastError?.message ?? '', /no healthy answer within 1 s/)
    await until('it is tried again', () => instance.inspect().backend.restarts > 0)
  })

  it('drains without losing what it has in hand', async () => {
    const instance = await healthy(host())
    const slow = await call(instance, { path: '/trickle?n=40' })
    const drained = instance.drain()
    await assert.rejects(call(instance, { path: '/echo', method: 'POST' }), fails('Draining'))
    assert.equal((await text(slow)).length, 40)
    await drained
    await instance.stop()
    assert.equal(kind.running(), 0)
  })

  it('is not left running when it is stopped while it starts', async () => {
    const instance = host('slow-start')
    await instance.stop()
    assert.equal(instance.state, 'stopped')
    assert.equal(kind.running(), 0)
  })

  it('that does not heed SIGTERM is killed', async () => {
    const instance = await healthy(host('ignores-sigterm'))
    await instance.stop()
    assert.equal(kind.running(), 0)
  })

  it('is read into the log, with levels', async () => {
    const runtime = kind.runtime()
    const instance = await healthy(host())
    const line = JSON.stringify({ level: 'warn', msg: 'low on paper', tray: 2 })
    await text(await call(instance, { path: `/log?line=${encodeURIComponent(line)}` }))
    await until('the line is there', () =>
      runtime.lines.some(({ msg, level, service }) => msg === 'low on paper' && level === 40 && service === 'fixture')
    )
  })
}
