import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { systemClock } from '../src/clock/index.ts'
import { CONNECTIONS_DRAIN } from '../src/runtime/constants.ts'
import type { ServiceInstance } from '../src/runtime/index.ts'
import { fails } from './support/fails.ts'
import { healthy, TestRuntime, until } from './support/runtime.ts'

/** An instance of a service that speaks TCP, and the server behind it. */
describe('a service instance that speaks TCP', () => {
  let runtime: TestRuntime
  let server: Server
  let accepted: Socket[]
  const caller = (): AbortSignal => new AbortController().signal

  beforeEach(async () => {
    runtime = new TestRuntime()
    accepted = []
    server = createServer({ allowHalfOpen: true }, socket => {
      socket.on('error', () => {})
      accepted.push(socket)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterEach(async () => {
    await runtime.stop()
    for (const socket of accepted) socket.destroy()
    server.close()
  })

  const portOf = (): number => (server.address() as AddressInfo).port
  const host = (manifest: Record<string, unknown> = {}): ServiceInstance =>
    runtime.host({
      manifest: {
        protocol: 'tcp',
        backend: { tcp: `127.0.0.1:${portOf()}` },
        operations: undefined,
        timeouts: undefined,
        admission: { concurrency: 2 },
        ...manifest
      }
    })
  const open = (instance: ServiceInstance, signal = caller()) => instance.connect({ signal, requestId: 'r' })
  /** the server's end of a connection, among those of probes */
  const farOf = async ({ localPort }: Socket): Promise<Socket> => {
    let far: Socket | undefined
    await until('it has arrived', () => {
      far = accepted.find(({ remotePort }) => remotePort === localPort)
      return far != null
    })
    return far as Socket
  }

  it('is healthy while its backend takes connections', async () => {
    const instance = await healthy(host())
    assert.equal(instance.inspect().backend.origin, `tcp://127.0.0.1:${portOf()}`)
    server.close()
    for (const socket of accepted) socket.destroy()
    await until('it is known', () => instance.state === 'unhealthy')
    await assert.rejects(open(instance), fails('NotServed'))
  })

  it('counts a connection as in hand until both directions have ended', async () => {
    const instance = await healthy(host())
    const { socket, ended } = await open(instance)
    const far = await farOf(socket)
    assert.equal(instance.load().inFlight, 1)
    socket.end('question')
    assert.equal(Buffer.concat(await far.toArray()).toString(), 'question')
    assert.equal(instance.load().inFlight, 1)
    far.end('answer')
    assert.equal(Buffer.concat(await socket.toArray()).toString(), 'answer')
    assert.equal(await ended, 'answered')
    assert.equal(instance.load().inFlight, 0)
  })

  it('takes so many, and refuses one more at once', async () => {
    const instance = await healthy(host())
    await open(instance)
    await open(instance)
    await assert.rejects(open(instance), fails('Busy'))
    assert.equal(instance.load().queued, 0)
  })

  it('tells how a connection was broken off', async () => {
    const instance = await healthy(host())
    const byBackend = await open(instance)
    ;(await farOf(byBackend.socket)).resetAndDestroy()
    assert.equal(await byBackend.ended, 'BackendFailed')
    const gone = new AbortController()
    const byCaller = await open(instance, gone.signal)
    gone.abort()
    assert.equal(await byCaller.ended, 'ClientGone')
    assert.equal(instance.load().inFlight, 0)
  })

  it('resets a connection that carries nothing for too long', async () => {
    const instance = await healthy(host({ timeouts: { idle_s: 0.1 } }))
    const { ended } = await open(instance)
    assert.equal(await ended, 'IdleTimeout')
  })

  it('resets what is open when it is stopped', async () => {
    const instance = await healthy(host())
    const { ended } = await open(instance)
    await instance.stop()
    assert.equal(await ended, 'Draining')
  })

  it('lets connections go on for a while when it drains, and takes no new one', async () => {
    const instance = await healthy(host())
    const { socket, ended } = await open(instance)
    const far = await farOf(socket)
    const drained = instance.drain()
    await assert.rejects(open(instance), fails('Draining'))
    socket.end('late')
    assert.equal(Buffer.concat(await far.toArray()).toString(), 'late')
    far.end()
    socket.resume()
    assert.equal(await ended, 'answered')
    await drained
  })

  it('does not wait for ever for connections that nobody ends', async () => {
    const timers: Array<() => void> = []
    const clock = {
      ...systemClock,
      setTimeout: (callback: () => void, ms: number) =>
        ms === CONNECTIONS_DRAIN ? timers.push(callback) : systemClock.setTimeout(callback, ms)
    }
    const instance = await healthy(
      runtime.host({
        clock,
        manifest: {
          protocol: 'tcp',
          backend: { tcp: `127.0.0.1:${portOf()}` },
          operations: undefined,
          timeouts: undefined,
          admission: {}
        }
      })
    )
    const { ended } = await open(instance)
    const drained = instance.drain()
    timers[0]?.()
    assert.equal(await ended, 'Draining')
    await drained
  })

  it('speaks no HTTP, nor do others speak TCP', async () => {
    const instance = await healthy(host())
    const request = { method: 'GET', path: '/', headers: {}, body: null }
    const operation = {
      method: 'GET',
      path: '/',
      main: true,
      idempotent: true,
      internal: false,
      firstByteTimeout: 1000,
      chunkTimeout: 1000,
      bodyLimit: 0
    }
    await assert.rejects(instance.invoke({ ...request, operation }, { signal: caller() }), fails('NotHttp'))
    const http = await healthy(runtime.host())
    await assert.rejects(open(http), fails('NotTcp'))
  })
})
