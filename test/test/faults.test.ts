import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Explanation } from '@hedgerow/protocols/dispatch'
import { explain, getJson, postJson, type TestMesh, testMesh, until } from '../src/harness.ts'

interface Workers {
  workers: Array<{ peer_id: string; ejected_for_ms: number; silent: boolean }>
}

interface Placement {
  instances: Array<{ service: string; backend: { pid?: number } }>
}

interface Result {
  status: number
  worker: string | null
  requestId: string | null
  ms: number
  detail: string
}

interface Load {
  /** who has answered so far */
  readonly workers: ReadonlySet<string | null>
  stop(): Promise<Result[]>
}

/** Sends `rate` requests a second until told to stop, and keeps what each came to, in the order in which they were sent. */
function steady(url: string, rate: number): Load {
  const results: Promise<Result>[] = []
  const workers = new Set<string | null>()
  const send = async (number: number): Promise<Result> => {
    const startedAt = performance.now()
    const elapsed = (): number => performance.now() - startedAt
    try {
      const response = await postJson(`${url}/service/lab`, { number })
      const worker = response.headers.get('hedgerow-worker')
      workers.add(worker)
      const requestId = response.headers.get('hedgerow-request-id')
      return { status: response.status, worker, requestId, ms: elapsed(), detail: await response.text() }
    } catch (err) {
      return { status: 0, worker: null, requestId: null, ms: elapsed(), detail: String(err) }
    }
  }
  const timer = setInterval(() => results.push(send(results.length)), 1000 / rate)
  return {
    workers,
    async stop() {
      clearInterval(timer)
      return Promise.all(results)
    }
  }
}

/** Milliseconds that a slow answer takes: longer than what proxies and clients usually wait. */
const SLOW = 65_000

describe('a mesh under faults', function () {
  this.timeout(120_000)
  let mesh: TestMesh
  /** A mesh of its own, in which nothing happens but one slow answer while the other tests run. */
  let patient: TestMesh
  let slow: Promise<{ response: Response; ms: number }>

  before(async () => {
    patient = await testMesh({ workers: 2 })
    const startedAt = performance.now()
    slow = postJson(`${patient.relay.url}/service/lab/slow?ms=${SLOW}`, {}).then(response => ({
      response,
      ms: performance.now() - startedAt
    }))
    slow.catch(() => {})
  })

  after(() => patient?.stop())

  beforeEach(async () => {
    mesh = await testMesh()
  })

  afterEach(async () => {
    for (const { child } of mesh.workers) child.kill('SIGCONT')
    await mesh.stop()
  })

  it('fails no idempotent request when the worker that answers is killed', async () => {
    const load = steady(mesh.relay.url, 50)
    await sleep(2000)
    const victim = mesh.workers[0]
    victim?.child.kill('SIGKILL')
    await sleep(4000)
    const results = await load.stop()
    const failed = results.filter(({ status }) => status !== 200)
    assert.deepEqual(failed, [])
    assert.ok(
      results.some(({ worker }) => worker === victim?.peerId),
      'the victim answered some before'
    )
    assert.ok(
      results.slice(-20).every(({ worker }) => worker !== victim?.peerId),
      'and none at the end'
    )
  })

  it('answers by another worker when one is stopped with SIGSTOP, and routes around it', async () => {
    const load = steady(mesh.relay.url, 50)
    await sleep(1000)
    const victim = mesh.workers[0]
    victim?.child.kill('SIGSTOP')
    const stoppedAt = performance.now()
    await until(
      'the worker is out of routing',
      async () => {
        const { workers } = await getJson<Workers>(`${mesh.relay.url}/api/admin/workers`)
        const row = workers.find(({ peer_id }) => peer_id === victim?.peerId)
        return row == null || row.ejected_for_ms > 0 || row.silent
      },
      10_000
    )
    const outAfter = performance.now() - stoppedAt
    await sleep(2000)
    const results = await load.stop()
    assert.deepEqual(
      results.filter(({ status }) => status !== 200),
      []
    )
    const slowest = Math.max(...results.map(({ ms }) => ms))
    assert.ok(slowest < 6000, `the slowest answer took ${Math.round(slowest)} ms`)
    assert.ok(outAfter < 10_000)
    assert.ok(results.slice(-20).every(({ worker }) => worker !== victim?.peerId))
  })

  it('answers by another worker when a backend stops answering, and starts that anew', async () => {
    const [victim] = mesh.workers
    const backend = async (): Promise<number | undefined> => {
      const { instances } = await getJson<Placement>(`${victim?.url}/api/admin/placement`)
      return instances.find(({ service }) => service === 'lab')?.backend.pid
    }
    const pid = (await backend()) ?? assert.fail('no backend')
    process.kill(pid, 'SIGSTOP')
    // Their time to the first byte is two minutes.
    const answers = await Promise.all(
      Array.from({ length: 12 }, () =>
        postJson(
          `${mesh.relay.url}/service/lab/slow?ms=10`,
          {},
          {},
          {
            signal: AbortSignal.timeout(60_000)
          }
        )
      )
    )
    assert.ok(answers.every(({ status }) => status === 200))
    assert.ok(
      answers.some(answer => answer.headers.get('hedgerow-attempts') === '2'),
      'some were in its hands'
    )
    await until('there is another backend', async () => {
      const now = await backend()
      return now != null && now !== pid
    })
    const { workers } = await getJson<Workers>(`${mesh.relay.url}/api/admin/workers`)
    assert.ok(workers.every(({ ejected_for_ms }) => ejected_for_ms === 0))
  })

  it('sends a new worker one of the first requests for which it could be picked', async () => {
    // At this rate the relay remembers the decisions of the last fifty seconds.
    const load = steady(mesh.relay.url, 20)
    const newcomer = await mesh.startWorker('late')
    const readyAt = await until('the newcomer is ready', async () => {
      const health = await getJson<{ services: string[] }>(`${newcomer.url}/health`)
      return health.services.includes('lab') && performance.now()
    })
    await until('the newcomer has answered a request', async () => load.workers.has(newcomer.peerId))
    const firstAfter = performance.now() - readyAt
    const results = await load.stop()
    assert.deepEqual(
      results.filter(({ status }) => status !== 200),
      []
    )
    // How long that takes is a matter of the machine; how many requests others got meanwhile is not.
    let passedOver = 0
    for (const { requestId } of results.slice(-900)) {
      const { attempts, candidates } = await getJson<Explanation>(`${mesh.relay.url}/explain/${requestId}`)
      if (attempts.some(({ peer_id }) => peer_id === newcomer.peerId)) break
      if (candidates.some(({ peer_id, rejected }) => peer_id === newcomer.peerId && rejected == null)) passedOver++
    }
    assert.ok(passedOver <= 2, `${passedOver} requests went to others first`)
    assert.ok(firstAfter < 10_000, `the first came ${Math.round(firstAfter)} ms after it was ready`)
  })

  it('loses no request when a worker is stopped in order', async () => {
    const load = steady(mesh.relay.url, 50)
    const slow = postJson(`${mesh.relay.url}/service/lab/slow-once?ms=3000`, {})
    await sleep(500)
    const leaver = mesh.workers[1]
    leaver?.child.kill('SIGTERM')
    await until('it has ended', async () => leaver?.child.exitCode === 0)
    await sleep(500)
    assert.deepEqual(
      (await load.stop()).filter(({ status }) => status !== 200),
      []
    )
    assert.equal((await slow).status, 200)
  })

  it('goes on without its relay', async () => {
    const [first, second] = mesh.workers
    await until('the workers know each other', async () => {
      const { workers } = await getJson<Workers>(`${first?.url}/api/admin/workers`)
      return workers.length === 3
    })
    mesh.relay.child.kill('SIGKILL')
    await until('the relay is gone', async () => mesh.relay.child.signalCode === 'SIGKILL')
    for (let i = 0; i < 20; i++) {
      const response = await postJson(`${first?.url}/service/lab`, { i }, { 'hedgerow-worker': second?.peerId ?? '' })
      assert.equal(response.status, 200)
      assert.equal(response.headers.get('hedgerow-worker'), second?.peerId)
    }
  })

  it('takes no worker out for the answers that a service breaks off', async () => {
    for (let i = 0; i < 8; i++) {
      const response = await postJson(`${mesh.relay.url}/service/lab/bad-idempotent/half`, {})
      assert.equal(response.status, 502)
      assert.equal((await response.json()).code, 'BackendFailed')
    }
    const { workers } = await getJson<Workers>(`${mesh.relay.url}/api/admin/workers`)
    assert.deepEqual(
      workers.filter(({ ejected_for_ms }) => ejected_for_ms > 0),
      []
    )
  })

  it('answers 502 with retry_safe when a worker dies with a request that must not be repeated', async () => {
    const [victim] = mesh.workers
    const pending = postJson(
      `${mesh.relay.url}/service/lab/slow-once?ms=8000`,
      {},
      { 'hedgerow-worker': victim?.peerId ?? '' }
    )
    await sleep(1000)
    victim?.child.kill('SIGKILL')
    const response = await pending
    assert.equal(response.status, 502)
    assert.equal((await response.json()).retry_safe, false)
  })

  it('refuses within a second while all workers are wedged, and answers again soon after they are back', async () => {
    for (const { child } of mesh.workers) child.kill('SIGSTOP')
    // Each is found out by a request that it has in hand.
    await until('all are found out', async () => {
      const { status } = await postJson(`${mesh.relay.url}/service/lab`, {})
      return status === 503
    })
    for (let i = 0; i < 10; i++) {
      const startedAt = performance.now()
      const response = await postJson(`${mesh.relay.url}/service/lab`, {})
      assert.equal(response.status, 503)
      assert.ok(Number(response.headers.get('retry-after')) >= 1)
      const ms = performance.now() - startedAt
      assert.ok(ms < 1000, `${Math.round(ms)} ms`)
    }
    for (const { child } of mesh.workers) child.kill('SIGCONT')
    await until('one is back', async () => (await postJson(`${mesh.relay.url}/service/lab`, {})).status === 200, 5000)
  })

  it('has left a slow answer of a healthy worker alone for more than a minute', async () => {
    const { response, ms } = await slow
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('hedgerow-attempts'), '1')
    assert.ok(ms >= SLOW)
    const { attempts } = await explain(patient.relay.url, response)
    assert.deepEqual(
      attempts.map(({ outcome }) => outcome),
      ['answered']
    )
    const { workers } = await getJson<Workers>(`${patient.relay.url}/api/admin/workers`)
    assert.ok(workers.every(({ ejected_for_ms }) => ejected_for_ms === 0))
  })
})
