import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { RequestListener, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import Fastify from 'fastify'
import { HTTP_PROTOCOL } from '../src/ids/index.ts'
import { InvocationError } from '../src/invocation/index.ts'
import {
  createInvoker,
  createStreamServer,
  remotePeerOf,
  serveHttp,
  streamDuplex
} from '../src/invocation/node/index.ts'
import { bytesOf, createPair, type Pair, type Served, serve, textOf, until } from './support/nodes.ts'

describe('HTTP over streams', () => {
  let pair: Pair
  let served: Served
  let handler: RequestListener

  before(async () => {
    pair = await createPair('memory')
    served = await serve(pair, (request, response) => handler(request, response))
  })

  after(async () => {
    await served?.stop()
    await pair?.stop()
  })

  /** Sends bytes on a stream of its own, and reads until the server closes it. */
  async function raw(bytes: string, end = false): Promise<string> {
    const [connection] = pair.client.getConnections()
    assert.ok(connection != null)
    const duplex = streamDuplex(await connection.newStream(HTTP_PROTOCOL), connection)
    duplex.write(bytes)
    if (end) duplex.end()
    const answer = String(await buffer(duplex))
    duplex.end()
    return answer
  }

  async function stillOneStream(): Promise<void> {
    handler = (_request, response) => response.end('next')
    assert.equal(await textOf(await served.ask()), 'next')
    assert.equal(served.invoker.streams(pair.peer).open, 1)
  }

  it('answers HEAD with headers alone, and keeps the stream', async () => {
    handler = (_request, response) => response.writeHead(200, { 'content-length': 5, 'x-head': 'yes' }).end('12345')
    const answer = await served.ask({ method: 'HEAD' })
    assert.equal(answer.headers['content-length'], '5')
    assert.equal((await bytesOf(answer)).length, 0)
    await stillOneStream()
  })

  for (const status of [204, 304]) {
    it(`answers ${status} without a body, and keeps the stream`, async () => {
      handler = (_request, response) => response.writeHead(status, { etag: '"1"' }).end()
      const answer = await served.ask()
      assert.equal(answer.status, status)
      assert.equal(answer.headers.etag, '"1"')
      assert.equal((await bytesOf(answer)).length, 0)
      await stillOneStream()
    })
  }

  it('passes over 1xx to the answer', async () => {
    handler = (_request, response) => {
      response.writeProcessing()
      response.writeEarlyHints({ link: '</style.css>; rel=preload' }, () => response.end('the answer'))
    }
    const answer = await served.ask()
    assert.equal(answer.status, 200)
    assert.equal(await textOf(answer), 'the answer')
    await stillOneStream()
  })

  it('sends the length of a body that is known, and chunks one that is not', async () => {
    handler = async (request, response) => {
      const { 'content-length': length = 'none', 'transfer-encoding': encoding = 'none' } = request.headers
      await buffer(request)
      response.end(`${length} ${encoding}`)
    }
    const ask = async (request: Parameters<Served['ask']>[0]): Promise<string> =>
      textOf(await served.ask({ method: 'POST', ...request }))
    async function* pieces(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('abc')
      yield Buffer.from('de')
    }
    assert.equal(await ask({ body: Buffer.from('12345') }), '5 none')
    assert.equal(await ask({ body: pieces() }), 'none chunked')
    assert.equal(await ask({ body: pieces(), headers: { 'content-length': '5' } }), '5 none')
    assert.equal(await ask({ body: null }), '0 none')
    // the body is what is sent, whatever the caller's headers say
    assert.equal(await ask({ body: Buffer.from('12345'), headers: { 'content-length': '7' } }), '5 none')
    assert.equal(await ask({ body: null, headers: { 'content-length': '7' } }), '0 none')
  })

  it('fails when a body is not as long as announced', async () => {
    handler = (request, response) => {
      request.resume()
      request.on('end', () => response.end())
    }
    async function* pieces(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('abc')
    }
    const asked = served.ask({ method: 'POST', headers: { 'content-length': '9' }, body: pieces() })
    await assert.rejects(asked, { name: 'InvocationError', phase: 'send' })
    await stillOneStream()
  })

  it('tells an answer that the peer breaks off from one that the caller does', async () => {
    const breaks: Array<(response: ServerResponse) => void> = [
      response => response.destroy(new Error('the backend broke off')),
      response => response.socket?.end()
    ]
    for (const breakOff of breaks) {
      let responding: ServerResponse | undefined
      handler = (_request, response) => {
        responding = response
        response.writeHead(200, { 'content-length': 100 }).write('abc')
      }
      const answer = await served.ask()
      const body = answer.body[Symbol.asyncIterator]()
      assert.equal((await body.next()).value?.byteLength, 3)
      if (responding != null) breakOff(responding)
      await assert.rejects(body.next(), { name: 'InvocationError', phase: 'receive', byPeer: true })
    }
    handler = (_request, response) => response.writeHead(200, { 'content-length': 100 }).write('abc')
    const gone = new AbortController()
    const answer = await served.ask({}, gone.signal)
    gone.abort()
    await assert.rejects(textOf(answer), { name: 'InvocationError', phase: 'receive', byPeer: false })
  })

  it('fails when the body does, and says why', async () => {
    handler = request => request.resume()
    const cause = new Error('disk on fire')
    async function* broken(pieces: number): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < pieces; i++) yield Buffer.from('abc')
      throw cause
    }
    for (const pieces of [0, 1, 2]) {
      const asked = served.ask({ method: 'POST', body: broken(pieces) })
      await assert.rejects(asked, { name: 'InvocationError', phase: 'send', cause })
    }
    await stillOneStream()
  })

  it('closes the body when the exchange ends before all of it was sent', async () => {
    handler = (_request, response) => response.writeHead(413, { connection: 'close' }).end('too large')
    let closed = false
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.alloc(10_000)
      } finally {
        closed = true
      }
    }
    const answer = await served.ask({ method: 'POST', body: endless() })
    assert.equal(answer.status, 413)
    assert.equal(await textOf(answer), 'too large')
    await until(() => closed)
    await stillOneStream()
  })

  it('keeps to itself what concerns one hop', async () => {
    handler = (request, response) => {
      response.writeHead(200, {
        'keep-alive': 'timeout=5',
        'x-passed': 'yes',
        connection: 'keep-alive, x-dropped',
        'x-dropped': '1'
      })
      response.end(JSON.stringify(request.headers))
    }
    const answer = await served.ask({
      headers: {
        connection: 'close, x-private',
        'x-private': '1',
        te: 'trailers',
        upgrade: 'h2c',
        expect: '100-continue',
        'keep-alive': 'timeout=1',
        'transfer-encoding': 'chunked',
        'x-public': '1'
      }
    })
    assert.deepEqual(JSON.parse(await textOf(answer)), { host: pair.peer, connection: 'keep-alive', 'x-public': '1' })
    assert.equal(answer.headers['x-passed'], 'yes')
    for (const name of ['connection', 'keep-alive', 'x-dropped', 'transfer-encoding'])
      assert.equal(answer.headers[name], undefined)
  })

  it('passes on the host that the caller names', async () => {
    handler = (request, response) => response.end(request.headers.host)
    assert.equal(await textOf(await served.ask({ headers: { host: 'example.org' } })), 'example.org')
  })

  it('has a small answer complete at once', async () => {
    handler = (_request, response) => response.end('small')
    const answer = await served.ask()
    assert.equal(Buffer.from(answer.complete ?? []).toString(), 'small')
    assert.equal(await textOf(answer), 'small')
  })

  it('does not claim that an answer is complete when it is not', async () => {
    let response: ServerResponse | undefined
    handler = (_request, res) => {
      response = res
      res.write('first')
    }
    const answer = await served.ask()
    assert.equal(answer.complete, undefined)
    response?.end(' second')
    assert.equal(await textOf(answer), 'first second')
  })

  it('refuses what is not HTTP before anything is sent, and goes on', async () => {
    handler = (_request, response) => response.end('fine')
    await assert.rejects(served.ask({ headers: { 'x-bad': 'a\r\nx-smuggled: 1' } }), TypeError)
    await assert.rejects(served.ask({ method: 'GET / HTTP/1.1\r\n' }), TypeError)
    await assert.rejects(served.ask({ path: '/a b' }), TypeError)
    assert.equal(await textOf(await served.ask()), 'fine')
  })

  it('answers a client that closes its side after the request', async () => {
    handler = async (request, response) => response.end(`got ${await buffer(request)}`)
    const answer = await raw('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi', true)
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/)
    assert.match(answer, /got hi$/)
  })

  it('says on an idle stream that it closes it, and executes nothing that arrives afterwards', async () => {
    let executed = 0
    handler = (_request, response) => {
      executed++
      response.end('done')
    }
    const [connection] = pair.client.getConnections()
    assert.ok(connection != null)
    const duplex = streamDuplex(await connection.newStream(HTTP_PROTOCOL), connection)
    const request = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'
    duplex.write(request)
    await once(duplex, 'readable')
    served.httpServer.closeIdleConnections()
    duplex.end(request)
    const [, farewell] = String(await buffer(duplex)).split('done')
    assert.match(String(farewell), /^HTTP\/1\.1 408 /)
    assert.match(String(farewell), /\r\nhedgerow-error: StreamClosed\r\n/)
    assert.match(String(farewell), /\r\nconnection: close\r\n/)
    assert.equal(executed, 1)
  })

  for (const [what, bytes, status] of [
    ['what is not HTTP', 'Good evening\r\n\r\n', '400'],
    ['headers beyond the limit', `GET / HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(40_000)}\r\n\r\n`, '431'],
    ['a request without a host', 'GET / HTTP/1.1\r\n\r\n', '400']
  ] as const) {
    it(`answers ${what} with ${status}, and closes the stream`, async () => {
      assert.ok((await raw(bytes)).startsWith(`HTTP/1.1 ${status} `))
    })
  }

  it('gives up on a client that never finishes its headers', async () => {
    const server = createStreamServer(() => {}, {
      headersTimeout: 50,
      requestTimeout: 100,
      connectionsCheckingInterval: 10
    })
    await served.stop()
    const service = await serveHttp(pair.server, server)
    try {
      assert.match(await raw('GET / HTTP/1.1\r\nhost: x\r\nx-slow: '), /^HTTP\/1\.1 408 /)
      assert.match(await raw('G'), /^HTTP\/1\.1 408 /)
      await until(() => service.streams === 0)
    } finally {
      await service.stop()
      server.close()
      served = await serve(pair, (request, response) => handler(request, response))
    }
  })
})

describe('a stream server as the server of Fastify', () => {
  it('answers over streams, knows the peer, hears that a caller has left, and closes', async () => {
    const pair = await createPair('memory')
    const app = Fastify({ serverFactory: listener => createStreamServer(listener) })
    let left = false
    app.post('/echo', async request => ({ from: remotePeerOf(request.raw), body: request.body }))
    app.get('/hang', async request => {
      request.raw.once('close', () => {
        left = true
      })
      await new Promise(() => {})
    })
    await app.ready()
    const service = await serveHttp(pair.server, app.server)
    const invoker = createInvoker(pair.client)
    const { signal } = new AbortController()
    try {
      const answer = await invoker.invoke(
        pair.peer,
        {
          method: 'POST',
          path: '/echo',
          headers: { 'content-type': 'application/json' },
          body: Buffer.from('{"a":1}')
        },
        { signal }
      )
      assert.deepEqual(JSON.parse(await textOf(answer)), { from: pair.client.peerId.toString(), body: { a: 1 } })
      const controller = new AbortController()
      const asked = invoker.invoke(pair.peer, { method: 'GET', path: '/hang', headers: {}, body: null }, controller)
      await until(() => service.streams === 1 && invoker.streams(pair.peer).idle === 0)
      setImmediate(() => controller.abort())
      await assert.rejects(asked, InvocationError)
      await until(() => left)
    } finally {
      invoker.stop()
      await service.stop()
      await app.close()
      await pair.stop()
    }
  })
})

describe('a stream server that listens on a port, too', () => {
  it('serves both, and knows a peer only over streams', async () => {
    const pair = await createPair('memory')
    const served = await serve(pair, (request, response) => response.end(remotePeerOf(request) ?? 'nobody'))
    try {
      served.httpServer.listen(0, '127.0.0.1')
      await once(served.httpServer, 'listening')
      const address = served.httpServer.address()
      assert.ok(address != null && typeof address === 'object')
      const socket = connect(address.port, '127.0.0.1')
      socket.end('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
      assert.match(String(await buffer(socket)), /nobody$/)
      assert.equal(await textOf(await served.ask()), pair.client.peerId.toString())
    } finally {
      await served.stop()
      await pair.stop()
    }
  })
})
