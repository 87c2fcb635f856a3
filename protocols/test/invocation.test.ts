import assert from 'node:assert/strict'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { InvocationError, type Route } from '../src/invocation/index.ts'
import { remotePeerOf } from '../src/invocation/node/index.ts'
import {
  bytesOf,
  type Client,
  createPair,
  createRelayedPair,
  type Pair,
  pageClient,
  type Served,
  serve,
  textOf,
  until
} from './support/nodes.ts'

const MIB = 1024 * 1024

/** What every client must do over every transport. */
function compliance(transport: string, createPair: () => Promise<Pair>, route: Route, who: 'a peer' | 'a page'): void {
  describe(`an HTTP exchange of ${who} over ${transport}`, () => {
    let pair: Pair
    let served: Served
    let client: Client
    let handler: RequestListener

    before(async () => {
      pair = await createPair()
      served = await serve(pair, (request, response) => handler(request, response))
      client = who === 'a peer' ? served : pageClient(pair)
    })

    after(async () => {
      if (client != null && 'stop' in client.invoker && typeof client.invoker.stop === 'function') client.invoker.stop()
      await served?.stop()
      await pair?.stop()
    })

    it('carries method, path, headers and body there, and status, headers and body back', async () => {
      handler = async (request, response) => {
        const body = await buffer(request)
        response.writeHead(207, { 'content-type': 'text/x', 'set-cookie': ['a=1', 'b=2'] })
        response.end(`${request.method} ${request.url} ${request.headers['x-one']} ${body}`)
      }
      const answer = await client.ask({
        method: 'PUT',
        path: '/some/path?q=1',
        headers: { 'x-one': ['1', '2'] },
        body: Buffer.from('payload')
      })
      assert.equal(answer.status, 207)
      assert.equal(answer.headers['content-type'], 'text/x')
      assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2'])
      assert.equal(await textOf(answer), 'PUT /some/path?q=1 1, 2 payload')
    })

    it('says which way it took', async () => {
      handler = (_request, response) => response.end()
      const answer = await client.ask()
      assert.deepEqual(answer.route, route)
      assert.deepEqual(client.invoker.route(pair.peer), route)
    })

    it('tells the server who asks', async () => {
      handler = (request, response) => response.end(remotePeerOf(request))
      assert.equal(await textOf(await client.ask()), pair.client.peerId.toString())
    })

    it('carries arbitrary bodies in arbitrary pieces, both ways', async () => {
      handler = (request, response) => request.pipe(response)
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 12 }),
          fc.boolean(),
          async (pieces, knownLength) => {
            const whole = Buffer.concat(pieces)
            const answer = await client.ask({
              method: 'POST',
              headers: knownLength ? { 'content-length': String(whole.length) } : {},
              body: iterate(pieces)
            })
            assert.deepEqual(await bytesOf(answer), whole)
          }
        ),
        { numRuns: 40 }
      )
    })

    it('carries megabytes both ways at once', async () => {
      handler = (request, response) => request.pipe(response)
      const whole = Buffer.alloc(8 * MIB, 'hedgerow')
      const answer = await client.ask({ method: 'POST', body: whole })
      assert.ok((await bytesOf(answer)).equals(whole))
    })

    it('leaves the sender waiting when the reader of an answer is slow', async () => {
      let written = 0
      const source = function* () {
        for (; written < 64 * MIB; written += 65_536) yield Buffer.alloc(65_536)
      }
      handler = (_request, response) => pipeline(source, response, () => {})
      const answer = await client.ask()
      await settled(() => written)
      assert.ok(written < 12 * MIB, `${written} bytes were sent though nobody read`)
      let read = 0
      for await (const chunk of answer.body) {
        read += chunk.byteLength
        if (read > 20 * MIB) break
      }
      assert.ok(written >= 20 * MIB, 'the sender did not go on')
      assert.ok(written < 36 * MIB, `${written} bytes were sent for ${read} that were read`)
    })

    it('leaves the sender waiting when the reader of a request is slow', async () => {
      let go: (() => void) | undefined
      handler = async (request, response) => {
        await new Promise<void>(resolve => {
          go = resolve
        })
        response.end(String((await buffer(request)).length))
      }
      let sent = 0
      const source = async function* () {
        for (; sent < 32 * MIB; sent += 65_536) yield Buffer.alloc(65_536)
      }
      const asked = client.ask({ method: 'POST', body: source() })
      await settled(() => sent)
      assert.ok(sent < 12 * MIB, `${sent} bytes were sent though nobody read`)
      await until(() => go != null)
      go?.()
      assert.equal(await textOf(await asked), String(32 * MIB))
    })

    it('delivers server-sent events as they are written', async () => {
      let response: ServerResponse | undefined
      handler = (_request, res) => {
        response = res
        res.writeHead(200, { 'content-type': 'text/event-stream' })
        res.flushHeaders()
      }
      const answer = await client.ask()
      const events = answer.body[Symbol.asyncIterator]()
      for (const event of ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']) {
        response?.write(event)
        const { value } = await events.next()
        assert.equal(Buffer.from(value ?? []).toString(), event)
      }
      response?.end()
      assert.equal((await events.next()).done, true)
    })

    it('tells the server when the caller leaves before the answer', async () => {
      let closed = false
      let arrived = false
      handler = (_request, response) => {
        arrived = true
        response.once('close', () => {
          closed = true
        })
      }
      const controller = new AbortController()
      const asked = client.ask({}, controller.signal)
      await until(() => arrived)
      controller.abort()
      await assert.rejects(asked, failure('send'))
      await until(() => closed)
    })

    it('tells the server when the caller leaves in the middle of the answer', async () => {
      let response: ServerResponse | undefined
      handler = (_request, res) => {
        response = res
        res.write('a beginning')
      }
      for await (const _chunk of (await client.ask()).body) break
      await until(() => response?.destroyed === true)
      assert.equal(response?.writableFinished, false)
    })

    it('tells the reader that an answer broke off', async () => {
      handler = (_request, response) => {
        response.write('a beginning')
        setImmediate(() => response.destroy())
      }
      const answer = await client.ask()
      await assert.rejects(bytesOf(answer), failure('receive'))
    })

    it('tells the caller that no answer came', async () => {
      handler = request => request.socket.destroy(new Error('crashed'))
      await assert.rejects(client.ask({ method: 'POST', body: Buffer.from('x') }), failure('send'))
    })

    it('works again after all that', async () => {
      handler = (_request, response) => response.end('fine')
      assert.equal(await textOf(await client.ask()), 'fine')
    })

    it('says that the connection was lost, and finds the peer again', async () => {
      let arrived: IncomingMessage | undefined
      handler = request => {
        arrived = request
      }
      const asked = client.ask()
      await until(() => arrived != null)
      for (const connection of pair.server.getConnections()) {
        if (connection.remotePeer.equals(pair.client.peerId)) connection.abort(new Error('cut'))
      }
      await assert.rejects(asked, failure('send'))
      handler = (_request, response) => response.end('back')
      assert.equal(await textOf(await client.ask()), 'back')
    })
  })
}

for (const who of ['a peer', 'a page'] as const) {
  compliance('TCP', () => createPair('tcp'), { path: 'direct', transport: 'tcp' }, who)
  compliance('WebSocket', () => createPair('ws'), { path: 'direct', transport: 'ws' }, who)
  compliance('memory', () => createPair('memory'), { path: 'direct', transport: 'memory' }, who)
  compliance('a circuit relay', createRelayedPair, { path: 'relayed', transport: 'tcp' }, who)
  compliance('WebRTC', () => createPair('webrtc-direct'), { path: 'direct', transport: 'webrtc-direct' }, who)
}

function failure(phase: InvocationError['phase']): (err: unknown) => boolean {
  return err => {
    assert.ok(err instanceof InvocationError, String(err))
    assert.equal(err.phase, phase)
    return true
  }
}

async function* iterate(pieces: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces
}

/** Resolves when a number has not changed for a while. */
async function settled(read: () => number): Promise<void> {
  let last = -1
  while (last !== read()) {
    last = read()
    await new Promise(resolve => setTimeout(resolve, 150))
  }
}
