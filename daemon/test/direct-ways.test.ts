import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { Multiaddr } from '@multiformats/multiaddr'
import { DirectWays, reach } from '../src/discovery/index.ts'

const never = new Promise<never>(() => {})

describe('ways to a peer', () => {
  let peer: PeerId
  let relay: string
  let connections: Array<Pick<Connection, 'status' | 'limits'>>
  let dialled: string[]
  /** what comes of dialling one address */
  let outcome: (addr: string) => Promise<Connection>
  let dial: () => Promise<Connection>
  let now: number

  before(async () => {
    const [one, two] = await Promise.all([generateKeyPair('Ed25519'), generateKeyPair('Ed25519')])
    peer = peerIdFromPrivateKey(one)
    relay = `/ip4/127.0.0.1/tcp/1/p2p/${peerIdFromPrivateKey(two)}`
  })

  beforeEach(() => {
    connections = []
    dialled = []
    now = 0
    outcome = async () => connection('over a relay')
    dial = () => never
  })

  const connection = (name: string): Connection => ({ name }) as unknown as Connection
  const components = () => {
    const circuit = `${relay}/p2p-circuit`
    const addrs = ['/ip4/10.0.0.1/tcp/1', circuit, `${circuit}/webrtc`, `${relay}/p2p-circuit/webrtc/p2p/${peer}`]
    return {
      node: {
        getConnections: () => connections as Connection[],
        dial: () => dial(),
        services: {
          transports: {
            dial: (addr: Multiaddr) => {
              dialled.push(addr.toString())
              return outcome(addr.toString())
            }
          }
        }
      },
      view: { peer: () => ({ advert: { addrs } }) as never },
      log: { info() {}, debug() {} },
      now: () => now,
      random: () => 0.5
    }
  }
  const signal = (): AbortSignal => AbortSignal.timeout(5000)

  it('are tried over relays beside a dial that takes long, and at once when that has failed', async () => {
    assert.deepEqual(await reach(components(), peer, { signal: signal() }), connection('over a relay'))
    assert.deepEqual(dialled, [`${relay}/p2p-circuit`])
    dial = () => Promise.reject(new Error('nobody answers'))
    assert.deepEqual(await reach(components(), peer, { signal: signal() }), connection('over a relay'))
    dial = () => Promise.resolve(connection('direct'))
    assert.deepEqual(await reach(components(), peer, { signal: signal() }), connection('direct'))
  })

  it('end with what the dial says when there is none, and when nobody waits any more', async () => {
    dial = () => Promise.reject(new Error('nobody answers'))
    outcome = () => Promise.reject(new Error('no place there'))
    await assert.rejects(reach(components(), peer, { signal: signal() }), /nobody answers/)
    dial = () => sleep(20).then(() => Promise.reject(new Error('given up')))
    await assert.rejects(reach(components(), peer, { signal: AbortSignal.timeout(20) }), /given up/)
  })

  it('are what is open, before anything is dialled', async () => {
    connections = [{ status: 'open' }]
    assert.equal(await reach(components(), peer, { signal: signal() }), connections[0])
    assert.deepEqual(dialled, [])
  })

  it('become direct where that works: asked for once, and not again while it is so', async () => {
    connections = [{ status: 'open', limits: {} }]
    outcome = async () => {
      connections.push({ status: 'open' })
      return connection('direct')
    }
    const ways = new DirectWays(components())
    for (let i = 0; i < 3; i++) ways.want(peer)
    await sleep(0)
    assert.deepEqual(dialled, [`${relay}/p2p-circuit/webrtc`])
    now += 3_600_000
    ways.want(peer)
    assert.equal(dialled.length, 1)
    ways.stop()
  })

  it('are looked for ever more rarely where there is none, and no more after the end', async () => {
    connections = [{ status: 'open', limits: {} }]
    outcome = () => Promise.reject(new Error('no way'))
    const ways = new DirectWays(components())
    const tries = async (): Promise<number> => {
      const before = dialled.length
      ways.want(peer)
      await sleep(0)
      return dialled.length - before
    }
    assert.equal(await tries(), 2)
    assert.equal(await tries(), 0)
    now += 30_000
    assert.equal(await tries(), 2)
    now += 30_000
    assert.equal(await tries(), 0)
    now += 30_000
    assert.equal(await tries(), 2)
    ways.stop()
    now += 3_600_000
    assert.equal(await tries(), 0)
  })
})
