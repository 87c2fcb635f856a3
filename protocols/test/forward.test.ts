import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import { isMeshErrorCode, MeshError } from '../src/errors/index.ts'
import {
  cutMessage,
  decodeAnswer,
  decodeRequest,
  encodeAnswer,
  encodeRequest,
  type ForwardRequest,
  MAX_MESSAGE
} from '../src/forward/index.ts'
import { readMessage } from '../src/forward/node/read-message.ts'
import { carry, reset, splice } from '../src/forward/splice/index.ts'
import { ForwardAnswer as WireAnswer, ForwardRequest as WireRequest } from '../src/proto/gen/hedgerow.pb.ts'
import { InvalidMessage } from '../src/statement/index.ts'

const REQUEST: ForwardRequest = {
  service: 'postgresql',
  requestId: 'a'.repeat(32),
  dataClass: 'internal',
  traceparent: `00-${'b'.repeat(32)}-${'c'.repeat(16)}-01`,
  caller: 'key/k1'
}

function message(framed: Uint8Array): Uint8Array {
  const cut = cutMessage(framed)
  assert.ok(cut != null && cut.rest.byteLength === 0)
  return cut.message
}

describe('the first messages of a forwarded connection', () => {
  it('arrive as they were said', () => {
    assert.deepEqual(decodeRequest(message(encodeRequest(REQUEST))), REQUEST)
    const least = { service: 'x', requestId: '1' }
    assert.deepEqual(decodeRequest(message(encodeRequest(least))), least)
    assert.equal(decodeAnswer(message(encodeAnswer())), undefined)
    const refusal = decodeAnswer(message(encodeAnswer(new MeshError('Busy', 'full', { retry_after: 2.2 }))))
    assert.deepEqual([refusal?.code, refusal?.message, refusal?.details], ['Busy', 'full', { retry_after: 3 }])
  })

  it('are cut off whatever comes behind them, however they arrive', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(1000), (rest, at) => {
        const framed = encodeRequest(REQUEST)
        const all = Buffer.concat([framed, rest])
        const cut = cutMessage(all)
        assert.deepEqual(Buffer.from(cut?.rest ?? []), Buffer.from(rest))
        assert.equal(cutMessage(framed.subarray(0, at % framed.byteLength)), undefined)
      })
    )
  })

  it('are no larger than any may be', () => {
    const length = MAX_MESSAGE + 1
    assert.throws(() => cutMessage(Uint8Array.of((length & 0x7f) | 0x80, length >> 7)), InvalidMessage)
    assert.throws(() => cutMessage(Uint8Array.of(0xff, 0xff, 0xff, 0xff)), InvalidMessage)
    // What a worker says of itself is cut before it is sent.
    const long = encodeAnswer(new MeshError('Internal', '€'.repeat(5000)))
    assert.ok(long.byteLength <= MAX_MESSAGE + 2)
    assert.equal(decodeAnswer(message(long))?.code, 'Internal')
  })

  for (const [what, fields] of [
    ['a service that is no name', { service: '../x' }],
    ['no request id', { requestId: '' }],
    ['a request id of control characters', { requestId: 'a\nb' }],
    ['a class that is no name', { dataClass: 'A B' }],
    ['an endless trace', { traceparent: 'x'.repeat(200) }],
    ['an endless caller', { caller: 'x'.repeat(400) }]
  ] as const) {
    it(`are refused with ${what}`, () => {
      const wire = { service: 's', requestId: 'r', dataClass: '', traceparent: '', caller: '', ...fields }
      assert.throws(() => decodeRequest(WireRequest.encode(wire).finish()), InvalidMessage)
    })
  }

  it('may refuse for a reason of a later version', () => {
    const refusal = decodeAnswer(WireAnswer.encode({ error: 'Novel', detail: 'x', retryAfter: 0 }).finish())
    assert.equal(isMeshErrorCode('Novel'), false)
    assert.equal(refusal?.code, 'NotServed')
  })

  it('leave what follows to be read', async () => {
    const stream = new PassThrough()
    const framed = encodeRequest(REQUEST)
    stream.write(framed.subarray(0, 10))
    const reading = readMessage(stream, AbortSignal.timeout(5000))
    stream.write(Buffer.concat([framed.subarray(10), Buffer.from('and more')]))
    assert.deepEqual(decodeRequest(await reading), REQUEST)
    stream.end()
    assert.equal(Buffer.concat(await stream.toArray()).toString(), 'and more')
  })

  it('are missed where a stream ends before', async () => {
    const stream = new PassThrough()
    stream.end(Uint8Array.of(50, 1, 2))
    await assert.rejects(readMessage(stream, AbortSignal.timeout(5000)), InvalidMessage)
  })
})

describe('two connections that are joined', () => {
  let server: Server
  const sockets: Socket[] = []
  before(async () => {
    server = createServer({ allowHalfOpen: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy()
  })
  after(() => void server.close())

  /** Both ends of a TCP connection. */
  async function pair(): Promise<[Socket, Socket]> {
    const { port } = server.address() as AddressInfo
    const near = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const [far] = (await once(server, 'connection')) as [Socket]
    if (near.connecting) await once(near, 'connect')
    for (const socket of [near, far]) socket.on('error', () => {})
    sockets.push(near, far)
    return [near, far]
  }

  it('pass on bytes and the end of each direction by itself', async () => {
    const [[client, a], [b, backend]] = [await pair(), await pair()]
    const joined = splice(a, { duplex: b })
    client.end('question')
    assert.equal(Buffer.concat(await backend.toArray()).toString(), 'question')
    backend.end('answer')
    assert.equal(Buffer.concat(await client.toArray()).toString(), 'answer')
    await joined
  })

  for (const who of ['client', 'backend'] as const) {
    it(`pass on a reset by the ${who}, also after the other direction has ended`, async () => {
      const [[client, a], [b, backend]] = [await pair(), await pair()]
      const joined = assert.rejects(splice(a, { duplex: b }))
      const [gone, left] = who === 'client' ? [client, backend] : [backend, client]
      left.end('last words')
      assert.equal(Buffer.concat(await gone.toArray()).toString(), 'last words')
      left.resume()
      gone.resetAndDestroy()
      const [error] = await once(left, 'error')
      assert.equal(error.code, 'ECONNRESET')
      await joined
    })
  }

  it('end when what the other side says is believed to be its end, and are reset when it was none', async () => {
    for (const believed of [true, false]) {
      const [[client, a], [b, backend]] = [await pair(), await pair()]
      const verdict = Promise.withResolvers<void>()
      const joined = splice(a, { duplex: b, ending: () => verdict.promise })
      client.end('question')
      backend.end('answer')
      backend.resume()
      assert.equal(String((await once(client, 'data'))[0]), 'answer')
      assert.equal(client.readableEnded, false)
      if (believed) {
        verdict.resolve()
        await joined
        await once(client, 'end')
      } else {
        const reset = once(client, 'error')
        verdict.reject(new Error('it has died'))
        await assert.rejects(joined)
        await reset
      }
    }
  })

  it('can be reset while the end of one direction is on its way, and leave nothing open', async () => {
    const [near] = await pair()
    near.end('last words')
    reset(near)
    await once(near, 'close')
    assert.equal(Reflect.get(near, '_handle'), null)
    // Its other end has stopped reading.
    const [stuck, reader] = await pair()
    reader.pause()
    stuck.end(Buffer.alloc(64 * 1024 ** 2))
    reset(stuck)
    await once(stuck, 'close')
  })

  it('read no faster than the other side takes', async () => {
    const [[client, a], [b, backend]] = [await pair(), await pair()]
    const joined = assert.rejects(splice(a, { duplex: b }))
    const piece = Buffer.alloc(64 * 1024)
    let sent = 0
    // Until the kernel's buffers of two connections and ours are full; a gigabyte would be no bound.
    while (sent < 1024 ** 3 && (client.write(piece) || client.writableLength < 1024 ** 2)) {
      sent += piece.length
      await new Promise(resolve => setImmediate(resolve))
    }
    assert.ok(sent < 256 * 1024 ** 2, `${sent} bytes were taken`)
    assert.ok(b.writableLength < 1024 ** 2)
    backend.resetAndDestroy()
    await joined
  })

  it('have their way reset when the caller leaves before it is open', async () => {
    const [client, a] = await pair()
    let aborted: Promise<unknown> | undefined
    const carried = carry(
      a,
      gone => {
        aborted = once(gone, 'abort')
        client.resetAndDestroy()
        return new Promise((_, reject) => gone.addEventListener('abort', () => reject(gone.reason)))
      },
      new AbortController().signal
    )
    await assert.rejects(carried)
    await aborted
  })
})
