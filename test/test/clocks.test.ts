import assert from 'node:assert/strict'
import { fakeTime } from '../src/clock.ts'
import { getJson, postJson, type TestMesh, testMesh, until } from '../src/harness.ts'

const HOUR = 3600

describe('a mesh whose clocks differ by hours', function () {
  this.timeout(180_000)
  const envOf: Record<string, Record<string, string>> = {}
  let mesh: TestMesh

  before(async function () {
    const library = fakeTime()
    if (library == null) {
      if (process.env.CI === 'true') throw new Error('libfaketime is not installed')
      process.stderr.write('skipped: libfaketime is not installed\n')
      this.skip()
    }
    const at = (seconds: number): Record<string, string> => ({
      LD_PRELOAD: library,
      FAKETIME: `${seconds >= 0 ? '+' : ''}${seconds}`,
      // Only what people call time; what measures waits goes on as it is.
      FAKETIME_DONT_FAKE_MONOTONIC: '1'
    })
    Object.assign(envOf, { 'worker-1': at(5 * HOUR), 'worker-2': at(-26 * HOUR) })
    mesh = await testMesh({ workers: 3, envOf })
  })

  after(() => mesh?.stop())

  it('has clocks that differ', async () => {
    const dates = await Promise.all(
      mesh.workers.map(async ({ url }) => Date.parse((await fetch(`${url}/health`)).headers.get('date') ?? ''))
    )
    const off = dates.map(date => ((date - Date.now()) / 1000 / HOUR).toFixed(0).replace('-0', '0'))
    assert.deepEqual(off, ['5', '-26', '0'])
  })

  it('has everybody know everybody, and asks all', async () => {
    for (const { url } of [mesh.relay, ...mesh.workers]) {
      await until('it knows all', async () => {
        const { workers } = await getJson<{ workers: Array<{ silent: boolean }> }>(`${url}/api/admin/workers`)
        return workers.length === 3 && workers.every(({ silent }) => !silent)
      })
      const answered = new Set<string | null>()
      for (let i = 0; i < 100 && answered.size < 3; i++) {
        const response = await postJson(`${url}/service/lab`, {}, { 'hedgerow-timeout': '10' })
        assert.equal(response.status, 200, await response.text())
        answered.add(response.headers.get('hedgerow-worker'))
      }
      assert.equal(answered.size, 3)
    }
  })

  it('finds providers in the DHT', async () => {
    await until('all are found', async () => {
      const { count } = await getJson<{ count: number }>(`${mesh.relay.url}/api/dht/providers/lab`)
      return count === 3
    })
  })

  it('goes on with a worker that was away', async () => {
    const [ahead] = mesh.workers
    ahead?.child.kill('SIGTERM')
    await until('it has ended', async () => ahead?.child.exitCode === 0)
    // The same worker, its clock set right meanwhile: hours behind what the others remember of it.
    delete envOf['worker-1']
    const again = await mesh.startWorker('worker-1')
    assert.equal(again.peerId, ahead?.peerId)
    await until(
      'it answers',
      async () =>
        (await postJson(`${mesh.relay.url}/service/lab`, {}, { 'hedgerow-worker': again.peerId })).status === 200
    )
  })
})
