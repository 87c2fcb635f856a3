import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { MeshError } from '../src/errors/index.ts'
import type { ForwardRequest } from '../src/forward/index.ts'
import { createForwarder, type Forwarder, type ForwardService, serveForwards } from '../src/forward/node/index.ts'
import { forwardProtocol } from '../src/ids/index.ts'
import { createPair, type Pair, type TransportName, until } from './support/nodes.ts'

const MESH = 'test'
const MEBIBYTE = 1024 * 1024
const REQUEST: ForwardRequest = { service: 'db', requestId: 'r', caller: 'key/k' }
const signal = new AbortController().signal

/** The same over every transport. */
for (const transport of ['tcp', 'ws', 'memory', 'webrtc-direct'] satisfies TransportName[]) {
  describe(`a forwarded connection over ${transport}`, function () {
    this.timeout(30_000)
    let pair: Pair
    let backend: Server
    let service: ForwardService
    let forwarder: Forwarder
    /** the backend's ends, the last one last */
    let accepted: Socket[]
    let asked: Array<{ peer: string; request: ForwardRequest }>
    let refusal: MeshError | undefined

    before(async () => {
      pair = await createPair(transport)
      backend = createServer({ allowHalfOpen: true }, socket => {
        socket.on('error', () => {})
        accepted.push(socket)
      })
      backend.listen(0, '127.0.0.1')
      await once(backend, 'listening')
      const { port } = backend.address() as AddressInfo
      service = await serveForwards(pair.server, {
        mesh: MESH,
        maxStreamsPerPeer: 4,
        async open(peer, request) {
          asked.push({ peer, request })
          if (refusal != null) throw refusal
          const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
          await once(socket, 'connect')
          return { duplex: socket }
        }
      })
      forwarder = createForwarder(
        {
          getConnections: peer => pair.client.getConnections(peer),
          dial: (_peer, options) => pair.client.dial(pair.server.getMultiaddrs(), options)
        },
        { mesh: MESH }
      )
    })
    beforeEach(() => {
      accepted = []
      asked = []
      refusal = undefined
    })
    afterEach(async () => {
      for (const socket of accepted) socket.destroy()
      await until(() => service.streams === 0)
    })
    after(async () => {
      await service?.stop()
      backend?.close()
      await pair?.stop()
    })

    const open = async () => {
      const connection = await forwarder.open(pair.peer, REQUEST, { signal })
      const far = accepted.at(-1)
      assert.ok(far != null)
      return { ...connection, far }
    }

    it('says for which service and by whom, and carries both directions to their own ends', async () => {
      const { duplex, far, closed } = await open()
      assert.deepEqual(asked, [{ peer: pair.client.peerId.toString(), request: REQUEST }])
      duplex.end('question')
      assert.equal(Buffer.concat(await far.toArray()).toString(), 'question')
      far.end('answer')
      assert.equal(Buffer.concat(await duplex.toArray()).toString(), 'answer')
      await closed
    })

    it('is refused with the reason', async () => {
      refusal = new MeshError('Busy', 'full', { retry_after: 3 })
      await assert.rejects(forwarder.open(pair.peer, REQUEST, { signal }), {
        code: 'Busy',
        message: 'full',
        details: { retry_after: 3 }
      })
    })

    it('is reset when its backend breaks off, also when we had said all', async () => {
      const { duplex, far, closed } = await open()
      duplex.end('all')
      assert.equal(Buffer.concat(await far.toArray()).toString(), 'all')
      far.write('a part')
      assert.equal(String((await once(duplex, 'data'))[0]), 'a part')
      far.resetAndDestroy()
      await assert.rejects(closed, { name: 'InvocationError', phase: 'receive' })
      assert.equal(duplex.readableEnded, false)
    })

    it('resets its backend when the caller leaves, also when that had said all', async () => {
      const caller = new AbortController()
      const { duplex, closed } = await forwarder.open(pair.peer, REQUEST, { signal: caller.signal })
      const [far] = accepted
      assert.ok(far != null)
      duplex.write('half')
      assert.equal(String((await once(far, 'data'))[0]), 'half')
      const reset = once(far, 'error')
      caller.abort()
      await reset
      await assert.rejects(closed)
    })

    it('carries much without holding it', async () => {
      const size = 24 * MEBIBYTE
      const piece = Buffer.alloc(64 * 1024, 'x')
      const { duplex, far } = await open()
      const pieces = function* () {
        for (let sent = 0; sent < size; sent += piece.length) yield piece
      }
      const hash = createHash('sha256')
      let received = 0
      const reading = (async () => {
        for await (const chunk of far) {
          hash.update(chunk)
          received += chunk.length
        }
      })()
      await pipeline(Readable.from(pieces()), duplex, { end: false })
      duplex.end()
      await reading
      const expected = createHash('sha256')
      for (const one of pieces()) expected.update(one)
      assert.equal(received, size)
      assert.equal(hash.digest('hex'), expected.digest('hex'))
      far.end()
      duplex.resume()
    })

    it('stops who sends faster than is read', async () => {
      const { duplex, far } = await open()
      far.pause()
      const piece = Buffer.alloc(64 * 1024)
      let sent = 0
      // The buffers of two kernels and ours are full long before a quarter of a gigabyte.
      while (sent < 256 * MEBIBYTE) {
        sent += piece.length
        if (duplex.write(piece)) continue
        const drained = once(duplex, 'drain').then(() => true)
        if (!(await Promise.race([drained, new Promise(resolve => setTimeout(() => resolve(false), 1000))]))) break
      }
      assert.ok(sent < 128 * MEBIBYTE, `${sent} bytes were taken`)
      assert.equal(duplex.destroyed, false)
      far.resume()
      duplex.end()
      await once(far, 'end')
      far.end()
      duplex.resume()
    })

    it('is one of so many of a peer', async () => {
      const held = []
      for (let i = 0; i < 4; i++) held.push(await open())
      await assert.rejects(forwarder.open(pair.peer, REQUEST, { signal }), {
        name: 'InvocationError',
        phase: 'connect'
      })
      for (const { duplex } of held) duplex.destroy(new Error('done'))
    })

    it('is not opened for who says nothing that can be read', async () => {
      const [connection] = pair.client.getConnections()
      assert.ok(connection != null)
      const stream = await connection.newStream(forwardProtocol(MESH))
      const closed = once(stream, 'close')
      stream.send(Uint8Array.of(0xff, 0xff, 0xff))
      await closed
      assert.deepEqual(asked, [])
    })
  })
}
