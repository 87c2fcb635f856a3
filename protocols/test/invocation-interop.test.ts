import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { http, HTTP_PROTOCOL as THEIR_PROTOCOL } from '@libp2p/http'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import fc from 'fast-check'
import { createLibp2p } from 'libp2p'
import { HTTP_PROTOCOL } from '../src/ids/index.ts'
import { remotePeerOf } from '../src/invocation/node/index.ts'
import { bytesOf, createNode, type Pair, type Served, serve } from './support/nodes.ts'

describe('a server of ours and the fetch of @libp2p/http', () => {
  it('speak the same protocol', () => {
    assert.equal(THEIR_PROTOCOL, HTTP_PROTOCOL)
  })

  it('understand each other: GET, POST, a large answer', async () => {
    const server = await createNode('tcp', true)
    const client = await createLibp2p({
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services: { http: http() }
    })
    const pair: Pair = {
      client,
      server,
      peer: server.peerId.toString(),
      connect: () => client.dial(server.getMultiaddrs()),
      stop: async () => {
        await Promise.all([client.stop(), server.stop()])
      }
    }
    const large = Buffer.alloc(3_000_000, 'hedgerow')
    const served = await serve(pair, async (request, response) => {
      if (request.url === '/large') return response.end(large)
      response.setHeader('x-from', String(remotePeerOf(request)))
      response.end(`${request.method} ${request.url} ${await buffer(request)}`)
    })
    const fetch: typeof client.services.http.fetch = (...args) => client.services.http.fetch(...args)
    const [address] = server.getMultiaddrs()
    assert.ok(address != null)
    const url = (path: string): string => `${address.toString()}/http-path/${encodeURIComponent(path)}`
    try {
      const got = await fetch(url('some/path'))
      assert.equal(got.status, 200)
      assert.equal(got.headers.get('x-from'), client.peerId.toString())
      assert.equal(await got.text(), 'GET /some/path ')
      const posted = await fetch(url('post'), { method: 'POST', body: 'a body' })
      assert.equal(await posted.text(), 'POST /post a body')
      assert.ok(Buffer.from(await (await fetch(url('large'))).arrayBuffer()).equals(large))
    } finally {
      await served.stop()
      await pair.stop()
    }
  })
})

/** Our settings change what is sent together, not what is sent: peers with the usual ones are none the wiser. */
for (const [name, ourClient, ourServer] of [
  ['a client with the usual settings', false, true],
  ['a server with the usual settings', true, false]
] as const) {
  describe(`our encryption and multiplexing, and ${name}`, () => {
    let pair: Pair
    let served: Served

    before(async () => {
      // but for the window: with yamux's own 16 MiB, a stream whose reader is slow is reset at 4 MiB
      const streamOptions = { maxStreamWindowSize: 4 * 1024 * 1024 }
      const usual = (listen: string[]) =>
        createLibp2p({
          addresses: { listen },
          transports: [tcp()],
          connectionEncrypters: [noise()],
          streamMuxers: [yamux({ streamOptions })]
        })
      const client = ourClient ? await createNode('tcp', false) : await usual([])
      const server = ourServer ? await createNode('tcp', true) : await usual(['/ip4/127.0.0.1/tcp/0'])
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
      served = await serve(pair, (request, response) => request.pipe(response))
    })

    after(async () => {
      await served?.stop()
      await pair?.stop()
    })

    it('understand each other, whatever the sizes', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat({ max: 100_000 }), { minLength: 1, maxLength: 20 }), async sizes => {
          const bodies = sizes.map((size, i) => Buffer.alloc(size, `${i}-`))
          const answers = bodies.map(async body => bytesOf(await served.ask({ method: 'POST', body })))
          for (const [i, answer] of (await Promise.all(answers)).entries()) assert.ok(bodies[i]?.equals(answer))
        }),
        { numRuns: 15 }
      )
    })

    it('never wait for one another in the middle of a large body', async () => {
      const body = Buffer.alloc(20_000_000, 'hedgerow')
      const answer = await served.ask({ method: 'POST', body })
      assert.ok((await bytesOf(answer)).equals(body))
    })
  })
}
