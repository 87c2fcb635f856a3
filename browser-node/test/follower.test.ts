import assert from 'node:assert/strict'
import type { IncomingAnswer, Invoker } from '@hedgerow/protocols/invocation'
import type { Ledger } from '@hedgerow/protocols/ledger'
import { openTrust } from '@hedgerow/protocols/membership'
import { Follower } from '../src/follower.ts'

const PEER = 'peer'

/** A peer whose event stream is whatever `stream` gives. */
function following(stream: () => AsyncIterable<Uint8Array>): { follower: Follower; asked(): number; learnt: string[] } {
  let asked = 0
  const learnt: string[] = []
  const invoker: Pick<Invoker, 'invoke'> = {
    invoke: async () => {
      asked++
      const answer: IncomingAnswer = {
        status: 200,
        headers: {},
        body: stream(),
        route: { path: 'direct', transport: 'ws' }
      }
      return answer
    }
  }
  const ledger: Pick<Ledger, 'learn'> = {
    learn: async sealed => {
      learnt.push(Buffer.from(sealed).toString())
      return undefined as never
    }
  }
  const follower = new Follower({
    trust: openTrust('test'),
    invoker: invoker as Invoker,
    ledger: ledger as Ledger,
    sources: () => [PEER],
    doubt: () => {}
  })
  return { follower, asked: () => asked, learnt }
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const advert = (text: string): string => `event: advert\ndata: ${Buffer.from(text).toString('base64')}\n\n`
const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise(resolve => setImmediate(resolve))
}

describe('the follower of a page', () => {
  it('learns what a stream says, in order, and has caught up when it says so', async () => {
    const { follower, learnt } = following(async function* () {
      yield bytes(advert('one') + advert('two').slice(0, 20))
      yield bytes(`${advert('two').slice(20)}event: caught-up\ndata:\n\n`)
      await new Promise(() => {})
    })
    follower.wake()
    await follower.caughtUp
    assert.deepEqual(learnt, ['one', 'two'])
    follower.stop()
  })

  it('does not ask again at once whom it has heard, and who ended it at once', async () => {
    const { follower, asked } = following(async function* () {
      yield bytes('event: caught-up\ndata:\n\n')
    })
    follower.wake()
    await follower.caughtUp
    await turns(50)
    assert.equal(asked(), 1)
    follower.stop()
  })

  it('leaves a stream with an event that has no end', async () => {
    let sent = 0
    const left = Promise.withResolvers<void>()
    const { follower } = following(async function* () {
      try {
        yield bytes('event: advert\ndata: ')
        for (;;) {
          sent += 1024
          yield bytes('A'.repeat(1024))
          await turns(1)
        }
      } finally {
        left.resolve()
      }
    })
    follower.wake()
    await left.promise
    assert.ok(sent < 256 * 1024, `${sent} bytes`)
    follower.stop()
  })

  it('passes over junk', async () => {
    const { follower, learnt } = following(async function* () {
      yield bytes('\u0000\u0001junk\n\nevent: advert\ndata: ***\n\nevent: other\ndata: x\n\n')
      yield new Uint8Array([0xff, 0xfe, 0x0a, 0x0a])
      yield bytes(`${advert('one')}event: caught-up\ndata:\n\n`)
      await new Promise(() => {})
    })
    follower.wake()
    await follower.caughtUp
    assert.deepEqual(learnt, ['one'])
    follower.stop()
  })
})
