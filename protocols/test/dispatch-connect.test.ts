import assert from 'node:assert/strict'
import type { ConnectRequest, RawConnection } from '../src/dispatch/index.ts'
import { MeshError, type MeshErrorCode } from '../src/errors/index.ts'
import type { ForwardRequest } from '../src/forward/index.ts'
import { InvocationError } from '../src/invocation/index.ts'
import { settled } from './support/fake-clock.ts'
import { FakeMesh } from './support/fake-mesh.ts'
import { contract } from './support/samples.ts'

const TCP = contract({ name: 'db', aliases: ['sql'], protocol: 'tcp', operations: [] })

interface FakeConnection extends RawConnection {
  worker: string
  end(err?: Error): void
  /** the signal that was to reset it has been aborted */
  reset(): boolean
}

/** Workers that take connections, but for those named. */
class Doors {
  readonly asked: Array<{ peerId: string; request: ForwardRequest }> = []
  readonly refuses = new Map<string, Error>()
  readonly open = async (
    peerId: string,
    request: ForwardRequest,
    { signal }: { signal: AbortSignal }
  ): Promise<FakeConnection> => {
    this.asked.push({ peerId, request })
    const refusal = this.refuses.get(peerId)
    if (refusal != null) throw refusal
    const { promise: closed, resolve, reject } = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => reject(new InvocationError('receive', peerId, 'reset')))
    return {
      worker: peerId,
      route: { path: 'direct', transport: 'tcp' },
      closed,
      end: err => (err == null ? resolve() : reject(err)),
      reset: () => signal.aborted
    }
  }
}

const request = (fields: Partial<ConnectRequest> = {}): ConnectRequest => ({
  service: 'sql',
  signal: new AbortController().signal,
  ...fields
})

async function codeOf(connecting: Promise<unknown>): Promise<MeshErrorCode | undefined> {
  try {
    await connecting
    return undefined
  } catch (err) {
    assert.ok(err instanceof MeshError, String(err))
    return err.code
  }
}

describe('dispatch of connections', () => {
  it('asks its caller whether it may, once the service is known, and before any worker', async () => {
    const mesh = new FakeMesh({ contract: TCP })
    const doors = new Doors()
    const check = ({ name }: { name: string }): void => {
      throw new MeshError('ClassNotAllowed', `not ${name}`)
    }
    assert.equal(await codeOf(mesh.dispatcher.connect(request({ check }), doors.open)), 'ClassNotAllowed')
    assert.equal(doors.asked.length, 0)
  })

  it('opens one at a worker, says what it is for, and keeps the decision until it has ended', async () => {
    const mesh = new FakeMesh({ contract: TCP })
    const doors = new Doors()
    const { connection, worker, requestId, attempts } = await mesh.dispatcher.connect(
      request({ dataClass: 'internal', caller: 'key/k' }),
      doors.open
    )
    assert.deepEqual([connection.worker, attempts], [worker, 1])
    const [{ request: asked } = { request: undefined }] = doors.asked
    assert.deepEqual(
      [asked?.service, asked?.requestId, asked?.dataClass, asked?.caller],
      ['db', requestId, 'internal', 'key/k']
    )
    assert.equal(mesh.dispatcher.explain(requestId)?.outcome, 'pending')
    assert.equal(mesh.dispatcher.stats().per_service.db?.in_flight, 1)
    connection.end()
    await settled()
    assert.equal(mesh.dispatcher.explain(requestId)?.outcome, 'answered')
    assert.equal(mesh.dispatcher.stats().per_service.db?.in_flight, 0)
  })

  for (const refusal of [
    new MeshError('Busy', 'full'),
    new MeshError('BackendFailed', 'it took no connection'),
    new InvocationError('connect', 'x', 'gone')
  ]) {
    it(`asks another worker after ${refusal instanceof MeshError ? refusal.code : 'no connection'}`, async () => {
      const mesh = new FakeMesh({ contract: TCP, workers: ['a', 'b'] })
      const doors = new Doors()
      doors.refuses.set('a', refusal)
      for (let i = 0; i < 4; i++) {
        const { worker } = await mesh.dispatcher.connect(request(), doors.open)
        assert.equal(worker, 'b')
      }
      assert.ok(doors.asked.some(({ peerId }) => peerId === 'a'))
    })
  }

  it('sends many to all', async () => {
    const mesh = new FakeMesh({ contract: TCP })
    const doors = new Doors()
    const taken = new Map<string, number>()
    for (let i = 0; i < 30; i++) {
      const { worker } = await mesh.dispatcher.connect(request(), doors.open)
      taken.set(worker, (taken.get(worker) ?? 0) + 1)
    }
    assert.equal(taken.size, 3)
    for (const count of taken.values()) assert.ok(count >= 5, String([...taken]))
  })

  it('never opens another when one that was open is reset', async () => {
    const mesh = new FakeMesh({ contract: TCP })
    const doors = new Doors()
    const { connection, requestId, worker } = await mesh.dispatcher.connect(request(), doors.open)
    connection.end(new InvocationError('receive', worker, 'reset', { byPeer: true }))
    await settled()
    assert.equal(doors.asked.length, 1)
    assert.equal(mesh.dispatcher.explain(requestId)?.outcome, 'BackendFailed')
  })

  it('resets one whose worker stops responding, however long it was silent before', async () => {
    const mesh = new FakeMesh({ contract: TCP })
    const doors = new Doors()
    const { connection, worker } = await mesh.dispatcher.connect(request(), doors.open)
    await mesh.clock.advance(3_600_000)
    assert.equal(connection.reset(), false)
    mesh.worker(worker).state = 'stopped'
    await mesh.clock.advance(10_000)
    assert.equal(connection.reset(), true)
  })

  it('resets one whose caller leaves, and blames nobody', async () => {
    const mesh = new FakeMesh({ contract: TCP })
    const doors = new Doors()
    const caller = new AbortController()
    const { connection, requestId, worker } = await mesh.dispatcher.connect(
      request({ signal: caller.signal }),
      doors.open
    )
    caller.abort()
    await settled()
    assert.equal(connection.reset(), true)
    assert.equal(mesh.dispatcher.explain(requestId)?.outcome, 'ClientGone')
    assert.equal(mesh.dispatcher.experience(worker)?.consecutive_failures, 0)
  })

  it('is for services that speak TCP, and requests are for those that do not', async () => {
    const tcp = new FakeMesh({ contract: TCP })
    assert.equal(await codeOf(tcp.dispatch()), 'NotHttp')
    const http = new FakeMesh()
    assert.equal(await codeOf(http.dispatcher.connect(request({ service: 'ner' }), new Doors().open)), 'NotTcp')
    assert.equal(await codeOf(http.dispatcher.connect(request({ service: 'no' }), new Doors().open)), 'UnknownService')
  })

  it('passes over workers that mean something else by the name', async () => {
    const mesh = new FakeMesh({ contract: TCP, workers: ['a'] })
    mesh.join('b', [], contract({ name: 'db', version: '0.9.0' }))
    const doors = new Doors()
    for (let i = 0; i < 6; i++) assert.equal((await mesh.dispatcher.connect(request(), doors.open)).worker, 'a')
  })
})
