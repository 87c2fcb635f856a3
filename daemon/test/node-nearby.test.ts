import assert from 'node:assert/strict'
import type { Connection, MultiaddrConnection, Transport } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { impatientNearby } from '../src/node/nearby.ts'

const CONNECTION = {} as Connection
const NO_SIGNAL = new AbortController().signal
const NEVER = new Promise<never>(() => {})

type Dial = Transport['dial']
type Options = Parameters<Dial>[1]

/** A transport that does only this, and the options of a dial with an upgrade of its own. */
function dialling(connect: (signal: AbortSignal) => Promise<void>, upgrade: () => Promise<Connection>) {
  const inner: Dial = async (_addr, options) => {
    assert.ok(options != null)
    await connect(options.signal ?? NO_SIGNAL)
    return options.upgrader.upgradeOutbound({} as MultiaddrConnection, options)
  }
  const transport = impatientNearby(() => ({ dial: inner }) as Transport, 20)({})
  const options = { signal: NO_SIGNAL, upgrader: { upgradeOutbound: upgrade } }
  return (addr: string): Promise<Connection> => transport.dial(multiaddr(addr), options as unknown as Options)
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('given up'))))

describe('a dial', () => {
  it('gives up soon on a private address where nothing answers', async () => {
    const dial = dialling(untilAborted, () => NEVER)
    for (const addr of ['/ip4/10.1.2.3/tcp/1', '/ip4/192.168.1.2/tcp/1/ws', '/ip6/fd00::1/tcp/1'])
      await assert.rejects(dial(addr), /given up/)
  })

  it('waits for a public address and for a name as long as it is told', async () => {
    for (const addr of ['/ip4/9.9.9.9/tcp/1', '/dns4/relay.example.org/tcp/443/tls/ws']) {
      let aborted = false
      const dial = dialling(
        signal =>
          new Promise(resolve => signal.addEventListener('abort', () => (aborted = true)) ?? setTimeout(resolve, 80)),
        async () => CONNECTION
      )
      assert.equal(await dial(addr), CONNECTION)
      assert.equal(aborted, false)
    }
  })

  it('leaves encryption all its time once it is connected', async () => {
    const slowly = (): Promise<Connection> => new Promise(resolve => setTimeout(resolve, 80, CONNECTION))
    const dial = dialling(async () => {}, slowly)
    assert.equal(await dial('/ip4/10.1.2.3/tcp/1'), CONNECTION)
  })
})
