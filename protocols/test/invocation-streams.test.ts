import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import type { RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'
import { InvocationError } from '../src/invocation/index.ts'
import { createInvoker, encryption, multiplexing } from '../src/invocation/node/index.ts'
import { createHttpStreams, openBest } from '../src/invocation/streams/index.ts'
import {
  createNode,
  createPair,
  type Pair,
  type Served,
  type ServedInit,
  serve,
  textOf,
  until
} from './support/nodes.ts'

describe('the streams to a peer', () => {
  let pair: Pair
  let served: Served | undefined

  before(async () => {
    pair = await createPair('memory')
  })

  afterEach(async () => {
    await served?.stop()
    served = undefined
  })

  after(() => pair?.stop())

  async function start(listener: RequestListener, init?: ServedInit): Promise<Served> {
    served = await serve(pair, listener, init)
    return served
  }

  /** A server that answers when it is told to. */
  function held(): { listener: RequestListener; waiting: ServerResponse[] } {
    const waiting: ServerResponse[] = []
    return { waiting, listener: (_request, response) => waiting.push(response) }
  }

  it('are used again and again', async () => {
    const sockets = new Set<Socket>()
    const { ask, invoker, service } = await start((request, response) => {
      sockets.add(request.socket)
      request.pipe(response)
    })
    for (let i = 0; i < 50; i++) {
      assert.equal(await textOf(await ask({ method: 'POST', body: Buffer.from(`${i}`) })), `${i}`)
    }
    assert.equal(sockets.size, 1)
    assert.deepEqual(invoker.streams(pair.peer), { open: 1, idle: 1, waiting: 0 })
    assert.equal(service.streams, 1)
  })

  it('are used again after an answer that began before the request was sent', async () => {
    const { ask, invoker } = await start((request, response) => {
      response.flushHeaders()
      request.pipe(response)
    })
    for (let i = 0; i < 3; i++) {
      let answered: () => void = () => {}
      const begun = new Promise<void>(resolve => {
        answered = resolve
      })
      const body = async function* () {
        yield Buffer.from('first ')
        await begun
        yield Buffer.from('second')
      }
      const answer = await ask({ method: 'POST', body: body() })
      answered()
      assert.equal(await textOf(answer), 'first second')
      assert.deepEqual(invoker.streams(pair.peer), { open: 1, idle: 1, waiting: 0 })
    }
  })

  it('carry one request at a time each, are limited in number, and let others wait', async () => {
    const { listener, waiting } = held()
    const busy = new Set<Socket>()
    const { ask, invoker } = await start(
      (request, response) => {
        assert.ok(!busy.has(request.socket), 'a second request on a stream that is busy')
        busy.add(request.socket)
        response.once('finish', () => busy.delete(request.socket))
        listener(request, response)
      },
      { invoker: { maxStreamsPerPeer: 3 } }
    )
    const answers = Array.from({ length: 8 }, async () => textOf(await ask()))
    await until(() => waiting.length === 3 && invoker.streams(pair.peer).waiting === 5)
    assert.equal(busy.size, 3)
    let answered = 0
    while (answered < 8) {
      await until(() => waiting.length > 0)
      waiting.shift()?.end('done')
      answered++
      assert.ok(invoker.streams(pair.peer).open <= 3)
    }
    assert.deepEqual(await Promise.all(answers), Array(8).fill('done'))
    assert.deepEqual(invoker.streams(pair.peer), { open: 3, idle: 3, waiting: 0 })
  })

  it('have no room for one more than may wait', async () => {
    const { listener, waiting } = held()
    const { ask } = await start(listener, { invoker: { maxStreamsPerPeer: 1, maxWaitingPerPeer: 1 } })
    const first = ask()
    const second = ask()
    await assert.rejects(ask(), isFailure('connect'))
    for (const asked of [first, second]) {
      await until(() => waiting.length > 0)
      waiting.shift()?.end('done')
      assert.equal(await textOf(await asked), 'done')
    }
  })

  it('are limited by the server, too', async () => {
    const { listener, waiting } = held()
    const { ask, service } = await start(listener, { serve: { maxStreamsPerPeer: 2 } })
    const asked = [ask(), ask()]
    await until(() => waiting.length === 2)
    await assert.rejects(ask(), InvocationError)
    assert.equal(service.streams, 2)
    for (const response of waiting) response.end('done')
    for (const one of asked) assert.equal(await textOf(await one), 'done')
  })

  it('are closed when nobody uses them, on both sides', async () => {
    const { ask, invoker, service } = await start((_request, response) => response.end(), {
      invoker: { idleTimeout: 20 }
    })
    await textOf(await ask())
    assert.equal(service.streams, 1)
    await until(() => invoker.streams(pair.peer).open === 0 && service.streams === 0)
  })

  it('are opened anew when the server has closed them', async () => {
    const { ask, invoker } = await start((_request, response) => response.end('fine'), {
      http: { keepAliveTimeout: 1, keepAliveTimeoutBuffer: 1 }
    })
    await textOf(await ask())
    await until(() => invoker.streams(pair.peer).open === 0)
    assert.equal(await textOf(await ask()), 'fine')
  })

  it('may be closed while a request is on its way, which is sent again because it was not executed', async () => {
    let executed = 0
    const { ask, httpServer } = await start((request, response) => {
      executed++
      request.pipe(response)
    })
    for (let i = 1; i <= 20; i++) {
      const asked = ask({ method: 'POST', body: Buffer.from(`${i}`) })
      // after an idle stream was taken, before the request on it arrives
      if (i > 1) {
        setImmediate(() => httpServer.closeIdleConnections())
        queueMicrotask(() => httpServer.closeIdleConnections())
      }
      assert.equal(await textOf(await asked), `${i}`)
      assert.equal(executed, i)
    }
  })

  it('are not trusted with a request twice when its body has been read', async () => {
    const { ask, httpServer } = await start((_request, response) => response.end('fine'))
    await textOf(await ask())
    let started = false
    async function* body(): AsyncGenerator<Uint8Array> {
      started = true
      yield Buffer.from('once')
    }
    const asked = ask({ method: 'POST', body: body() })
    await until(() => started)
    httpServer.closeIdleConnections()
    await asked.then(
      // the request was faster
      async answer => assert.equal(await textOf(answer), 'fine'),
      err => isFailure('send')(err)
    )
  })

  it('free their place when the caller leaves', async () => {
    const { listener, waiting } = held()
    const { ask, invoker } = await start(listener, { invoker: { maxStreamsPerPeer: 1 } })
    const controller = new AbortController()
    const first = ask({}, controller.signal)
    await until(() => waiting.length === 1)
    const second = ask()
    await until(() => invoker.streams(pair.peer).waiting === 1)
    controller.abort(new Error('bored'))
    await assert.rejects(first, isFailure('send'))
    await until(() => waiting.length === 2)
    waiting[1]?.end('done')
    assert.equal(await textOf(await second), 'done')
  })

  it('leave no listener on the signal, however an exchange ends', async () => {
    const { listener, waiting } = held()
    const { ask, invoker } = await start(listener, { invoker: { maxStreamsPerPeer: 1 } })
    const controller = new AbortController()
    const count = (): number => getEventListeners(controller.signal, 'abort').length
    const complete = ask({}, controller.signal)
    await until(() => waiting.length === 1)
    waiting.shift()?.end('done')
    await textOf(await complete)
    assert.equal(count(), 0, 'after a complete answer')

    const left = ask({}, controller.signal)
    await until(() => waiting.length === 1)
    waiting.shift()?.write('a beginning')
    for await (const _chunk of (await left).body) break
    assert.equal(count(), 0, 'after the reader has left')

    const broken = ask({}, controller.signal)
    await until(() => waiting.length === 1)
    waiting.shift()?.destroy()
    await assert.rejects(broken, isFailure('send'))
    assert.equal(count(), 0, 'after a failure')

    const busy = ask()
    await until(() => waiting.length === 1)
    const queued = ask({}, controller.signal)
    await until(() => invoker.streams(pair.peer).waiting === 1)
    waiting.shift()?.end()
    await textOf(await busy)
    await until(() => waiting.length === 1)
    waiting.shift()?.end()
    await textOf(await queued)
    assert.equal(count(), 0, 'after waiting')
  })

  it('are not even opened for a caller who has left', async () => {
    const { ask, invoker } = await start((_request, response) => response.end())
    await assert.rejects(ask({}, AbortSignal.abort()), isFailure('connect'))
    assert.equal(invoker.streams(pair.peer).open, 0)
  })

  it('are waited for no longer than the caller wants', async () => {
    const { listener, waiting } = held()
    const { ask, invoker } = await start(listener, { invoker: { maxStreamsPerPeer: 1 } })
    const busy = ask()
    await until(() => waiting.length === 1)
    const controller = new AbortController()
    const queued = ask({}, controller.signal)
    await until(() => invoker.streams(pair.peer).waiting === 1)
    controller.abort()
    await assert.rejects(queued, isFailure('connect'))
    assert.equal(invoker.streams(pair.peer).waiting, 0)
    waiting[0]?.end()
    await textOf(await busy)
  })

  it('are cut off when the invoker stops', async () => {
    const { listener, waiting } = held()
    const { ask, invoker, service } = await start(listener)
    const asked = ask()
    await until(() => waiting.length === 1)
    invoker.stop()
    await assert.rejects(asked, isFailure('send'))
    await assert.rejects(ask(), isFailure('connect'))
    await until(() => service.streams === 0)
  })

  it('are not given to those who wait, nor opened for them, when the invoker stops', async () => {
    const { listener, waiting } = held()
    const { ask, invoker, service } = await start(listener, { invoker: { maxStreamsPerPeer: 2 } })
    const busy = ask()
    await until(() => waiting.length === 1)
    const opening = ask()
    const queued = ask()
    assert.equal(invoker.streams(pair.peer).waiting, 1)
    invoker.stop()
    await Promise.all([
      assert.rejects(busy, isFailure('send')),
      assert.rejects(opening, InvocationError),
      assert.rejects(queued, isFailure('connect'))
    ])
    await until(() => service.streams === 0)
    assert.equal(waiting.length, 1)
  })

  it('go to the next who waits when one leaves at the moment that it is served', async () => {
    const { listener, waiting } = held()
    const { ask, invoker } = await start(listener, { invoker: { maxStreamsPerPeer: 1 } })
    const first = ask()
    await until(() => waiting.length === 1)
    const controller = new AbortController()
    const leaving = ask({}, controller.signal)
    const patient = ask()
    await until(() => invoker.streams(pair.peer).waiting === 2)
    // the stream is handed over within the iteration of the event loop in which the answer arrives
    first.then(() => controller.abort())
    waiting.shift()?.end('done')
    await assert.rejects(leaving, InvocationError)
    await until(() => waiting.some(response => !response.destroyed))
    waiting.find(response => !response.destroyed)?.end('done')
    assert.equal(await textOf(await patient), 'done')
  })

  it('are kept to so many peers, and let go of the one not used for longest', async () => {
    const { ask, invoker } = await start((_request, response) => response.end('fine'), { invoker: { maxPeers: 1 } })
    const other = await createNode('memory', true)
    try {
      await pair.client.dial(other.getMultiaddrs())
      await textOf(await ask())
      assert.equal(invoker.streams(pair.peer).open, 1)
      await assert.rejects(
        invoker.invoke(
          other.peerId.toString(),
          { method: 'GET', path: '/', headers: {}, body: null },
          { signal: new AbortController().signal }
        ),
        isFailure('connect')
      )
      assert.deepEqual(invoker.streams(pair.peer), { open: 0, idle: 0, waiting: 0 })
      await until(() => served?.service.streams === 0)
      assert.equal(await textOf(await ask()), 'fine')
    } finally {
      await other.stop()
    }
  })
})

describe('a peer that cannot be reached', () => {
  let pair: Pair

  before(async () => {
    pair = await createPair('memory')
  })

  after(() => pair?.stop())

  async function ask(peer: string): Promise<unknown> {
    const invoker = createInvoker(pair.client)
    try {
      const { signal } = new AbortController()
      return await invoker.invoke(peer, { method: 'GET', path: '/', headers: {}, body: null }, { signal })
    } finally {
      invoker.stop()
    }
  }

  it('is reported as such, and nothing as sent, when it is unknown', async () => {
    const unknown = peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString()
    await assert.rejects(ask(unknown), isFailure('connect'))
  })

  it('is reported as such when its name is no peer id', async () => {
    await assert.rejects(ask('nobody'), isFailure('connect'))
  })

  it('is reported as such when it does not serve HTTP', async () => {
    await assert.rejects(ask(pair.peer), isFailure('connect'))
  })

  it('has no route', () => {
    const invoker = createInvoker(pair.client)
    assert.equal(invoker.route('nobody'), undefined)
    assert.equal(invoker.route(pair.server.peerId.toString())?.path, 'direct')
    invoker.stop()
  })
})

describe('a way to a peer that was lost', () => {
  it('is given up when it comes again, and not tried without end', async () => {
    const pair = await createPair('memory')
    try {
      const connection = await pair.connect()
      connection.abort(new Error('lost'))
      let asked = 0
      const reach = async () => {
        asked++
        return connection
      }
      const signal = AbortSignal.timeout(5000)
      await assert.rejects(
        openBest(createHttpStreams(multiplexing()()), { best: () => undefined, reach }, { signal }),
        {
          name: 'ConnectionClosedError'
        }
      )
      assert.equal(asked, 2)
    } finally {
      await pair.stop()
    }
  })
})

describe('a server that leaves', () => {
  let pair: Pair
  let served: Served

  beforeEach(async () => {
    pair = await createPair('memory')
  })

  afterEach(async () => {
    await served?.stop()
    await pair?.stop()
  })

  it('answers what it has begun, closes what is idle, and takes nothing new', async () => {
    const waiting: ServerResponse[] = []
    served = await serve(pair, (request, response) => {
      if (request.url === '/slow') waiting.push(response)
      else response.end('quick')
    })
    const slow = served.ask({ path: '/slow' })
    await until(() => waiting.length === 1)
    await textOf(await served.ask())
    assert.equal(served.service.streams, 2)
    let drained = false
    const draining = served.service.drain().then(() => {
      drained = true
    })
    await until(() => served.service.streams === 1)
    await assert.rejects(served.ask(), isFailure('connect'))
    assert.equal(drained, false)
    waiting[0]?.end('after all')
    assert.equal(await textOf(await slow), 'after all')
    await draining
    assert.equal(served.service.streams, 0)
  })

  it('refuses a request that crosses with its leaving, so that it can be sent to someone else', async () => {
    let executed = 0
    served = await serve(pair, (_request, response) => {
      executed++
      response.end()
    })
    await textOf(await served.ask())
    const asked = served.ask({ method: 'POST', body: Buffer.from('x') })
    queueMicrotask(() => void served.service.drain())
    await assert.rejects(asked, isFailure('connect'))
    assert.equal(executed, 1)
  })

  it('waits for the last answer no longer than it is told', async () => {
    const waiting: ServerResponse[] = []
    served = await serve(pair, (_request, response) => waiting.push(response))
    const asked = served.ask()
    await until(() => waiting.length === 1)
    await assert.rejects(served.service.drain({ signal: AbortSignal.timeout(20) }))
    await served.service.stop()
    await assert.rejects(asked, isFailure('send'))
  })

  it('cuts off what is under way when it stops, on both sides', async () => {
    const waiting: ServerResponse[] = []
    served = await serve(pair, (_request, response) => waiting.push(response))
    const asked = served.ask()
    await until(() => waiting.length === 1)
    await served.service.stop()
    await assert.rejects(asked, isFailure('send'))
    await until(() => waiting[0]?.destroyed === true)
    await served.service.stop()
  })
})

describe('a peer that was reached over a relay', () => {
  it('is asked directly as soon as there is a direct connection', async () => {
    const base = {
      transports: [tcp(), circuitRelayTransport()],
      connectionEncrypters: [encryption()],
      streamMuxers: [multiplexing()],
      connectionMonitor: { enabled: false },
      services: { identify: identify() }
    }
    const listen = '/ip4/127.0.0.1/tcp/0'
    const relay = await createLibp2p({
      ...base,
      addresses: { listen: [listen] },
      services: { identify: identify(), relay: circuitRelayServer() }
    })
    const relayAddress = String(relay.getMultiaddrs()[0])
    const server = await createLibp2p({ ...base, addresses: { listen: [listen, `${relayAddress}/p2p-circuit`] } })
    const client = await createLibp2p(base)
    const relayed = (): string | undefined =>
      server
        .getMultiaddrs()
        .map(String)
        .find(address => address.includes('p2p-circuit'))
    const pair: Pair = {
      client,
      server,
      peer: server.peerId.toString(),
      connect: () => client.dial(server.getMultiaddrs()),
      stop: async () => {
        await Promise.all([client.stop(), server.stop(), relay.stop()])
      }
    }
    let served: Served | undefined
    try {
      await until(() => relayed() != null)
      const addresses = server.getMultiaddrs()
      await client.dial(addresses.filter(address => String(address).includes('p2p-circuit')))
      served = await serve(pair, (_request, response) => response.end())
      const first = await served.ask()
      assert.deepEqual(first.route, { path: 'relayed', transport: 'tcp' })
      await textOf(first)
      await client.dial(addresses.filter(address => !String(address).includes('p2p-circuit')))
      const second = await served.ask()
      assert.deepEqual(second.route, { path: 'direct', transport: 'tcp' })
      await textOf(second)
      const { invoker, service } = served
      await until(() => invoker.streams(pair.peer).open === 1 && service.streams === 1)
    } finally {
      await served?.stop()
      await pair.stop()
    }
  })
})

function isFailure(phase: InvocationError['phase']): (err: unknown) => boolean {
  return err => {
    assert.ok(err instanceof InvocationError, String(err))
    assert.equal(err.phase, phase, err.message)
    return true
  }
}
