import assert from 'node:assert/strict'
import { createEngine } from '../src/containers/index.ts'
import { IMAGE, Podman, whyNoPodman } from './support/podman.ts'
import { call, healthy, TestRuntime, text, until } from './support/runtime.ts'

describe('a backend in a container', function () {
  this.timeout(60_000)
  const podman = new Podman()
  let runtime: TestRuntime
  before(async function () {
    this.timeout(120_000)
    const why = whyNoPodman()
    if (why != null) {
      assert.ok(process.env.CI == null, why)
      this.skip()
    }
    await podman.start()
  })
  after(() => podman.stop())
  beforeEach(() => {
    runtime = new TestRuntime(log => createEngine({ socket: podman.socket, env: {}, interval: 100, log }))
  })
  afterEach(async () => {
    await runtime.stop()
    assert.deepEqual(podman.containers(), [])
  })

  const container = (over: Record<string, unknown> = {}, env: Record<string, string> = {}) => ({
    backend: {
      container: {
        image: IMAGE,
        port: 8080,
        command: ['backend.mjs'],
        env,
        memory_mb: 256,
        pull: 'never',
        stop_s: 2,
        ...over
      }
    }
  })

  it('starts, becomes healthy, serves, and is removed when it is stopped', async () => {
    const instance = await healthy(runtime.host({ manifest: container() }))
    assert.equal(await text(await call(instance, { path: '/', method: 'POST', body: Buffer.from('hello') })), 'hello')
    assert.equal(podman.containers().length, 1)
    await instance.stop()
    assert.deepEqual(podman.containers(), [])
  })

  it('that took too much memory is said to have', async () => {
    const instance = runtime.host({
      manifest: container({
        command: ['-e', 'const a=[];setInterval(()=>a.push(Buffer.alloc(2e7,1)),1)'],
        memory_mb: 64
      })
    })
    await until('it failed', () => instance.inspect().backend.lastError != null)
    console.log(instance.inspect().backend)
  })
})
