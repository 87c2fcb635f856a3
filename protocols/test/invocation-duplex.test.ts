import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Connection, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { type StreamDuplex, streamDuplex } from '../src/invocation/node/index.ts'
import { createNode, createPair, type Pair, until } from './support/nodes.ts'

const PROTOCOL = '/hedgerow/test/1'
const MIB = 1024 * 1024

interface Ends {
  near: Stream
  far: Stream
  nearDuplex(): StreamDuplex
  farDuplex(): StreamDuplex
}

describe('a stream as a socket', () => {
  let pair: Pair

  before(async () => {
    pair = await createPair('tcp')
  })

  after(() => pair?.stop())

  const duplexes: StreamDuplex[] = []

  afterEach(() => {
    for (const duplex of duplexes.splice(0)) duplex.destroy()
  })

  /** Errors concern the tests that look for them. */
  function tracked(stream: Stream, connection: Connection): StreamDuplex {
    const duplex = streamDuplex(stream, connection)
    duplex.on('error', () => {})
    duplexes.push(duplex)
    return duplex
  }

  async function open(): Promise<Ends> {
    const [connection] = pair.client.getConnections()
    assert.ok(connection != null)
    const arrived = Promise.withResolvers<{ stream: Stream; connection: Connection }>()
    await pair.server.handle(PROTOCOL, (stream, connection) => arrived.resolve({ stream, connection }), { force: true })
    const near = await connection.newStream(PROTOCOL)
    // the handler is called when the first bytes arrive, or the protocol is agreed on
    const far = await arrived.promise
    return {
      near,
      far: far.stream,
      nearDuplex: () => tracked(near, connection),
      farDuplex: () => tracked(far.stream, far.connection)
    }
  }

  it('sends what is written together as one message', async () => {
    const { far, nearDuplex } = await open()
    const messages: string[] = []
    far.addEventListener('message', ({ data }) => messages.push(Buffer.from(data.subarray()).toString()))
    const near = nearDuplex()
    near.cork()
    near.write('head ', 'latin1')
    near.write(Buffer.from('body '))
    near.write('tail')
    near.uncork()
    await until(() => messages.length > 0)
    near.end('end')
    await once(far, 'remoteCloseWrite')
    assert.deepEqual(messages, ['head body tail', 'end'])
  })

  it('goes on listening after it has ended its own side', async () => {
    const { nearDuplex, farDuplex } = await open()
    const [near, far] = [nearDuplex(), farDuplex()]
    near.end('question')
    assert.equal(await text(far), 'question')
    far.end('answer')
    assert.equal(await text(near), 'answer')
    await until(() => near.destroyed && far.destroyed)
    assert.equal(near.errored, null)
    assert.equal(far.errored, null)
  })

  it('delivers what was sent and closed before anyone listened', async () => {
    const { near, far, farDuplex } = await open()
    near.send(Buffer.from('early'))
    await near.close()
    await until(() => far.remoteWriteStatus === 'closed')
    assert.equal(await text(farDuplex()), 'early')
  })

  it('notices that the stream was closed before anyone listened, with nothing sent', async () => {
    const { near, far, farDuplex } = await open()
    await near.close()
    await until(() => far.remoteWriteStatus === 'closed')
    assert.equal(await text(farDuplex()), '')
  })

  it('fails at once on a stream that is reset already', async () => {
    const { near, far, farDuplex } = await open()
    near.abort(new Error('no'))
    await until(() => far.status === 'reset')
    const [error] = await once(farDuplex(), 'error')
    assert.equal(error.code, 'ECONNRESET')
  })

  it('lets everything arrive when it is destroyed without an error', async () => {
    const { near, nearDuplex, farDuplex } = await open()
    const [nearSocket, far] = [nearDuplex(), farDuplex()]
    const payload = 'x'.repeat(200_000)
    nearSocket.write(payload)
    nearSocket.destroy()
    assert.equal(await text(far), payload)
    far.end()
    await until(() => near.status === 'closed')
  })

  it('resets the stream when it is destroyed with an error', async () => {
    const { near, far, nearDuplex, farDuplex } = await open()
    const [nearSocket, farSocket] = [nearDuplex(), farDuplex()]
    nearSocket.destroy(new Error('changed my mind'))
    const [error] = await once(farSocket, 'error')
    assert.equal(error.code, 'ECONNRESET')
    assert.equal(near.status, 'aborted')
    assert.equal(far.status, 'reset')
  })

  it('does not take a lost connection for the end', async () => {
    // libp2p reports a TCP connection that was closed under it as streams that just end
    const [direct] = pair.server.getMultiaddrs()
    const port = Number(direct?.getComponents().find(({ name }) => name === 'tcp')?.value)
    const between = createServer(inbound => {
      const outbound = connect(port, '127.0.0.1')
      inbound.pipe(outbound).pipe(inbound)
    }).listen(0, '127.0.0.1')
    await once(between, 'listening')
    const client = await createNode('tcp', false)
    try {
      const address = between.address()
      assert.ok(address != null && typeof address === 'object')
      const arrived = Promise.withResolvers<StreamDuplex>()
      await pair.server.handle(PROTOCOL, (stream, connection) => arrived.resolve(tracked(stream, connection)), {
        force: true
      })
      const sockets: Socket[] = []
      between.on('connection', socket => sockets.push(socket))
      const connection = await client.dial(multiaddr(`/ip4/127.0.0.1/tcp/${address.port}/p2p/${pair.peer}`))
      const near = tracked(await connection.newStream(PROTOCOL), connection)
      const far = await arrived.promise
      far.write('a beginning')
      await once(near, 'readable')
      for (const socket of sockets) socket.end()
      await assert.rejects(text(near), { code: 'ECONNRESET' })
    } finally {
      await client.stop()
      between.close()
    }
  })

  it('stops the sender while nobody reads, and lets it go on afterwards', async () => {
    const { near, far, nearDuplex, farDuplex } = await open()
    const [writer, reader] = [nearDuplex(), farDuplex()]
    let sent = 0
    const write = (): void => {
      while (sent < 16 * MIB) {
        sent += 65_536
        if (!writer.write(Buffer.alloc(65_536))) return
      }
      writer.end()
    }
    writer.on('drain', write)
    write()
    await until(() => far.readStatus === 'paused' && near.writableNeedsDrain)
    assert.ok(sent < 3 * MIB, `${sent} bytes were taken`)
    let received = 0
    for await (const chunk of reader) {
      received += chunk.length
      // what is under way is bounded all the time, not only at first
      const buffered = near.writeBufferLength + far.readBufferLength + reader.readableLength
      assert.ok(buffered < 3 * MIB, `${buffered} bytes lie about`)
      if (received % (64 * 65_536) === 0) await new Promise(resolve => setTimeout(resolve, 5))
    }
    assert.equal(received, 16 * MIB)
  })

  it('counts the bytes that have left and arrived', async () => {
    const { nearDuplex, farDuplex } = await open()
    const [near, far] = [nearDuplex(), farDuplex()]
    near.end('12345')
    await text(far)
    assert.equal(near.bytesWritten, 5)
    assert.equal(far.bytesRead, 5)
    far.end()
  })

  it('emits timeout when nothing moves, and not while something does', async () => {
    const { nearDuplex, farDuplex } = await open()
    const [near, far] = [nearDuplex(), farDuplex()]
    far.resume()
    let timedOut = false
    near.setTimeout(60, () => {
      timedOut = true
    })
    for (let i = 0; i < 6; i++) {
      near.write('x')
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    assert.equal(timedOut, false)
    await once(near, 'timeout')
    assert.equal(timedOut, true)
    near.setTimeout(0)
    near.destroy()
    far.destroy()
  })

  it('knows both ends', async () => {
    const { nearDuplex, farDuplex } = await open()
    const [near, far] = [nearDuplex(), farDuplex()]
    assert.equal(near.remotePeer, pair.server.peerId.toString())
    assert.equal(far.remotePeer, pair.client.peerId.toString())
    assert.equal(far.remoteAddress, '127.0.0.1')
    assert.equal(far.remoteFamily, 'IPv4')
    assert.ok(Number(far.remotePort) > 0)
    assert.equal(near.readyState, 'open')
    near.destroy()
    far.destroy()
    assert.equal(near.readyState, 'closed')
  })
})
