import assert from 'node:assert/strict'
import type { Stream } from '@libp2p/interface'
import { HTTP_PROTOCOL } from '../src/ids/index.ts'
import { type Client, createPair, type Pair, pageClient, textOf, until } from './support/nodes.ts'

/** A worker that answers whatever it likes, byte for byte. */
describe('a page that asks a worker which lies', () => {
  let pair: Pair
  let client: Client<{ stop(): void } & Client['invoker']>
  let streams: Stream[]
  let onRequest: (stream: Stream, text: string) => void

  const send = (stream: Stream, text: string): void => void stream.send(new TextEncoder().encode(text))
  const answer = (body: string): string => `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`

  beforeEach(async () => {
    pair = await createPair('memory')
    streams = []
    await pair.server.handle(HTTP_PROTOCOL, stream => {
      streams.push(stream)
      stream.addEventListener('message', ({ data }) => onRequest(stream, new TextDecoder().decode(data.subarray())))
    })
    client = pageClient(pair)
  })

  afterEach(async () => {
    client?.invoker.stop()
    await pair?.stop()
  })

  it('takes one answer, whatever follows it, and asks on another stream', async () => {
    onRequest = stream => send(stream, answer('asked') + answer('unasked'))
    assert.equal(await textOf(await client.ask()), 'asked')
    assert.equal(await textOf(await client.ask()), 'asked')
    assert.equal(streams.length, 2)
  })

  it('asks on another stream when an answer came that nobody had asked for', async () => {
    onRequest = stream => send(stream, answer('asked'))
    assert.equal(await textOf(await client.ask()), 'asked')
    const [first] = streams
    assert.ok(first != null)
    send(first, answer('unasked'))
    await until(() => first.status !== 'open' || first.remoteWriteStatus === 'closed')
    assert.equal(await textOf(await client.ask()), 'asked')
    assert.equal(streams.length, 2)
  })

  for (const [what, lie] of [
    ['a length that is none', 'HTTP/1.1 200 OK\r\ncontent-length: abc\r\n\r\nhello'],
    ['what is not HTTP', '\u0000\u0001\u0002\r\n\r\n']
  ] as const) {
    it(`fails at ${what}`, async () => {
      onRequest = stream => send(stream, lie)
      await assert.rejects(client.ask(), { name: 'InvocationError' })
    })
  }

  it('fails in mid-answer at a chunk that says no size', async () => {
    onRequest = stream => {
      send(stream, 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n')
      send(stream, '-5\r\nworld')
    }
    await assert.rejects(client.ask().then(textOf), { name: 'InvocationError', phase: 'receive' })
  })
})
