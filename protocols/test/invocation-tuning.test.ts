import assert from 'node:assert/strict'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { ConnectionEncrypter, MessageStream, StreamMuxerFactory } from '@libp2p/interface'
import { defaultLogger } from '@libp2p/logger'
import { noise } from '@libp2p/noise'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { yamux } from '@libp2p/yamux'
import fc from 'fast-check'
import { createLibp2p, type Libp2p } from 'libp2p'
import { pEvent } from 'p-event'
import { Uint8ArrayList } from 'uint8arraylist'
import { encryption, multiplexing } from '../src/invocation/node/index.ts'
import { type Pair, type Served, serve, textOf, until } from './support/nodes.ts'

/** What one side of a connection hands to its transport, encrypted. */
interface Counted {
  sends: number
}

function counting(counted: Counted): (components: Parameters<ReturnType<typeof encryption>>[0]) => ConnectionEncrypter {
  return components => {
    const encrypter = encryption()(components)
    const count = (connection: MessageStream): MessageStream => {
      const send = connection.send.bind(connection)
      connection.send = data => {
        counted.sends++
        assert.ok(data instanceof Uint8Array, 'more than one piece')
        return send(data)
      }
      return connection
    }
    return {
      protocol: encrypter.protocol,
      secureInbound: (connection, options) => encrypter.secureInbound(count(connection), options),
      secureOutbound: (connection, options) => encrypter.secureOutbound(count(connection), options)
    }
  }
}

describe('what leaves together', () => {
  const asked: Counted = { sends: 0 }
  const answered: Counted = { sends: 0 }
  let pair: Pair
  let served: Served

  before(async () => {
    const create = (counted: Counted, listen: string[]): Promise<Libp2p> =>
      createLibp2p({
        addresses: { listen },
        transports: [tcp()],
        connectionEncrypters: [counting(counted)],
        streamMuxers: [multiplexing()],
        connectionMonitor: { enabled: false }
      })
    const client = await create(asked, [])
    const server = await create(answered, ['/ip4/127.0.0.1/tcp/0'])
    const connect: Pair['connect'] = () => client.dial(server.getMultiaddrs())
    await connect()
    pair = {
      client,
      server,
      connect,
      peer: server.peerId.toString(),
      stop: async () => {
        await Promise.all([client.stop(), server.stop()])
      }
    }
    served = await serve(pair, (request, response) => {
      const chunks: Buffer[] = []
      request.on('data', chunk => chunks.push(chunk))
      request.on('end', () => {
        const body = Buffer.concat(chunks)
        response.writeHead(200, { 'content-length': body.length }).end(body)
      })
    })
  })

  after(async () => {
    await served?.stop()
    await pair?.stop()
  })

  async function exchanges(concurrency: number, count: number): Promise<void> {
    let left = count
    const worker = async (): Promise<void> => {
      while (left-- > 0) await textOf(await served.ask({ method: 'POST', body: Buffer.alloc(1024, 'x') }))
    }
    await Promise.all(Array.from({ length: concurrency }, worker))
  }

  it('is a request with its body in one write, and its answer in one, with nothing else', async () => {
    await exchanges(1, 5)
    asked.sends = 0
    answered.sends = 0
    await exchanges(1, 50)
    assert.equal(asked.sends, 50)
    assert.equal(answered.sends, 50)
  })

  it('is several requests in one write when there are several', async () => {
    await exchanges(32, 64)
    asked.sends = 0
    answered.sends = 0
    await exchanges(32, 640)
    assert.ok(asked.sends < 640 / 3, `${asked.sends} writes for 640 requests`)
    assert.ok(answered.sends < 640 / 2, `${answered.sends} writes for 640 answers`)
  })

  it('loses no window: more passes than the first window holds', async () => {
    await exchanges(4, 1200)
  })
})

describe('our multiplexing', () => {
  const close: (() => Promise<void>)[] = []

  afterEach(async () => {
    for (const one of close.splice(0)) await one()
  })

  function muxers(inboundFactory: StreamMuxerFactory, outboundFactory: StreamMuxerFactory) {
    const [outbound, inbound] = multiaddrConnectionPair({ delay: 0, capacity: 100 })
    const far = inboundFactory.createStreamMuxer(inbound)
    const near = outboundFactory.createStreamMuxer(outbound)
    close.push(async () => {
      near.abort(new Error('done'))
      far.abort(new Error('done'))
    })
    return { near, far }
  }

  it('forgets the window updates of streams that are gone', async () => {
    const { near, far } = muxers(multiplexing()(), yamux()())
    let received = 0
    far.addEventListener('stream', ({ detail: stream }) => {
      stream.addEventListener('message', ({ data }) => {
        received += data.byteLength
      })
    })
    // more than are remembered at once, and none is closed in a way that the receiver sends anything
    for (let i = 1; i <= 1200; i++) {
      const stream = await near.createStream()
      stream.send(new Uint8Array(100))
      await until(() => received === i * 100)
      stream.abort(new Error('gone'))
    }
    const stream = await near.createStream()
    const size = 3_000_000
    stream.send(new Uint8Array(size))
    await until(() => received === 1200 * 100 + size)
  })

  it('delivers what was sent just before the connection is closed', async () => {
    const { near, far } = muxers(yamux()(), multiplexing()())
    const opened = pEvent<'stream', CustomEvent>(far, 'stream')
    const stream = await near.createStream()
    const { detail: arrived } = await opened
    const pieces = new Uint8ArrayList()
    arrived.addEventListener('message', ({ data }: { data: Uint8Array }) => pieces.append(data))
    stream.send(Buffer.from('last words'))
    await near.close()
    await until(() => arrived.status !== 'open' || arrived.remoteWriteStatus === 'closed')
    assert.equal(Buffer.from(pieces.subarray()).toString(), 'last words')
  })
})

describe('our encryption', () => {
  type Create = ReturnType<typeof encryption>

  async function secured(createOutbound: Create, createInbound: Create): Promise<[MessageStream, MessageStream]> {
    const components = async () => {
      const privateKey = await generateKeyPair('Ed25519')
      const upgrader = { getStreamMuxers: () => new Map(), getConnectionEncrypters: () => new Map() }
      return { privateKey, peerId: peerIdFromPrivateKey(privateKey), logger: defaultLogger(), upgrader }
    }
    const [near, far] = await Promise.all([components(), components()])
    const [outbound, inbound] = multiaddrConnectionPair({ delay: 0, capacity: 1000 })
    const options = { skipStreamMuxerNegotiation: true }
    // @ts-expect-error the part of an upgrader that is asked for muxers
    const created = [createOutbound(near), createInbound(far)] as const
    const results = await Promise.all([
      created[0].secureOutbound(outbound, { ...options, remotePeer: far.peerId }),
      created[1].secureInbound(inbound, options)
    ])
    return [results[0].connection, results[1].connection]
  }

  for (const [name, near, far] of [
    ['itself', encryption(), encryption()],
    ['usual Noise that listens', encryption(), noise()],
    ['usual Noise that dials', noise(), encryption()]
  ] as const) {
    it(`understands ${name}, whatever the sizes and pieces`, async () => {
      const [outbound, inbound] = await secured(near, far)
      const received = { outbound: new Uint8ArrayList(), inbound: new Uint8ArrayList() }
      outbound.addEventListener('message', ({ data }) => received.outbound.append(data))
      inbound.addEventListener('message', ({ data }) => received.inbound.append(data))
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.oneof(fc.nat({ max: 1000 }), fc.nat({ max: 200_000 })), { minLength: 1, maxLength: 5 }),
          fc.boolean(),
          async (sizes, there) => {
            const list = new Uint8ArrayList(...sizes.map((size, i) => Buffer.alloc(size, `${i}${size}`)))
            const expected = Buffer.from(list.subarray())
            const [from, to] = there ? [outbound, received.inbound] : [inbound, received.outbound]
            from.send(list)
            await until(() => to.byteLength === expected.length)
            assert.ok(expected.equals(to.subarray()))
            to.consume(to.byteLength)
          }
        ),
        { numRuns: 30 }
      )
    })
  }

  it('refuses what was changed on the way', async () => {
    for (const size of [100, 5000, 50_000]) {
      const [outbound, inbound] = await secured(encryption(), encryption())
      const closed = pEvent(inbound, 'close')
      assert.ok('stream' in outbound)
      const raw = outbound.stream
      assert.ok(raw != null && typeof raw === 'object' && 'send' in raw && typeof raw.send === 'function')
      const send = raw.send.bind(raw)
      Object.assign(raw, {
        send: (data: Uint8ArrayList) => {
          const changed = Uint8Array.from(data.subarray())
          changed[size >> 1] = (changed[size >> 1] ?? 0) ^ 1
          return send(changed)
        }
      })
      inbound.addEventListener('message', () => assert.fail('it was delivered'))
      outbound.send(new Uint8Array(size))
      await closed
      assert.equal(inbound.status, 'aborted')
    }
  })

  it('finds the decoder that it makes faster', async () => {
    const [connection] = await secured(encryption(), encryption())
    assert.ok('decoder' in connection && connection.decoder != null)
    const decode: unknown = Reflect.get(connection.decoder, 'lengthDecoder')
    assert.ok(typeof decode === 'function')
    const thrown = [1, 2].map(() => {
      try {
        return decode(new Uint8Array(1))
      } catch (err) {
        return err
      }
    })
    assert.ok(thrown[0] instanceof RangeError)
    assert.equal(thrown[0], thrown[1], 'an exception of its own each time')
    assert.equal(decode(Uint8Array.of(1, 2)), 258)
  })
})
