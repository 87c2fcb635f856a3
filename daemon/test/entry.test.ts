import assert from 'node:assert/strict'
import type { Advert, EntryPoint } from '@hedgerow/protocols/advert'
import { createLedger, type Ledger } from '@hedgerow/protocols/ledger'
import { sealStatement } from '@hedgerow/protocols/statement'
import { createView, type PeerEntry, type View } from '@hedgerow/protocols/view'
import { type Scope, sealVouch } from '@hedgerow/protocols/vouch'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import pino from 'pino'
import type { DialBackResult } from '../src/dial-back/index.ts'
import {
  FAILURES_TO_LOSE,
  GATHER,
  MAX_GUESS_RETRY,
  MAX_RETRY,
  PROOF_LIFETIME,
  RENEW_INTERVAL
} from '../src/entry/constants.ts'
import {
  bestByPeer,
  type Claim,
  ENTRY_POINT_TTL,
  EntryFinder,
  EntryPoints,
  Prover,
  urlOfAddr
} from '../src/entry/index.ts'
import { FakeClock } from './support/clock.ts'

const log = pino({ level: 'silent' })
const MESH = 'test'
const URL_ADDR = '/dns4/one.example/tcp/443/tls/ws'
const TCP_ADDR = '/ip4/11.0.0.1/tcp/4001'

/** Lets promises that are settled have their effect. */
const settle = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}

function proverWith(fields: { claims?: Claim[]; peers?: string[] } = {}) {
  const clock = new FakeClock()
  const world = {
    claims: fields.claims ?? [{ addr: URL_ADDR, from: 'tunnel' } satisfies Claim],
    peers: fields.peers ?? ['r', 's'],
    asked: [] as string[],
    changes: [] as Array<Record<string, string[]>>,
    answer: (_peer: string): DialBackResult | Error => ({
      outcome: 'reached',
      scope: 'public',
      vouch: Uint8Array.of(7)
    })
  }
  const prover = new Prover({
    claims: () => world.claims,
    askable: () => world.peers,
    async ask(peer) {
      world.asked.push(peer)
      const answer = world.answer(peer)
      if (answer instanceof Error) throw answer
      return answer
    },
    clock,
    random: () => 0,
    log,
    onChange: change => world.changes.push({ ...change })
  })
  const pass = async (milliseconds: number): Promise<void> => {
    clock.advance(milliseconds)
    await settle()
  }
  return { clock, world, prover, pass }
}

describe('a peer that would be an entry point', () => {
  it('is one when another has reached it, and not before', async () => {
    const { prover, world, pass } = proverWith()
    prover.start()
    assert.deepEqual(prover.entries(), [])
    await pass(GATHER)
    assert.deepEqual(prover.entries(), [{ kind: 'tunnel', addr: URL_ADDR, vouch: Uint8Array.of(7) }])
    assert.deepEqual([world.asked, world.changes], [['r'], [{ proved: [URL_ADDR], lost: [], failed: [] }]])
    prover.stop()
  })

  it('is one of its own network where a proxy brings it no further than that', async () => {
    const addr = '/ip4/10.0.0.1/tcp/8080/ws'
    const { prover, world, pass } = proverWith({ claims: [{ addr, from: 'tunnel' }] })
    world.answer = () => ({ outcome: 'reached', scope: 'local', vouch: Uint8Array.of(7) })
    prover.start()
    await pass(GATHER)
    assert.deepEqual(prover.entries(), [{ kind: 'local', addr, vouch: Uint8Array.of(7) }])
    prover.stop()
  })

  it('asks another when one has nothing to say, is busy, or does not get through', async () => {
    const { prover, world, pass } = proverWith({ peers: ['a', 'b', 'c', 'd'] })
    const answers: Record<string, DialBackResult | Error> = {
      a: new Error('an older version'),
      b: { outcome: 'refused' },
      c: { outcome: 'unreachable' }
    }
    world.answer = peer => answers[peer] ?? { outcome: 'reached', scope: 'local', vouch: Uint8Array.of(1) }
    prover.start()
    await pass(GATHER)
    assert.deepEqual(world.asked, ['a', 'b', 'c', 'd'])
    assert.equal(prover.entries().length, 1)
    prover.stop()
  })

  it('is not known by what nobody could try, waits for somebody, and asks at once', async () => {
    const { prover, world, pass } = proverWith({ peers: [] })
    prover.start()
    await pass(GATHER)
    assert.deepEqual(prover.report(), [
      { addr: URL_ADDR, verified: false, problem: 'there is no other peer to try it yet' }
    ])
    world.peers = ['r']
    prover.met()
    await pass(1000)
    assert.equal(prover.entries().length, 1)
    prover.stop()
  })

  it('has it proved again every few minutes, and is none when others fail to reach it twice', async () => {
    const { prover, world, pass } = proverWith({ peers: ['r'] })
    prover.start()
    await pass(GATHER)
    await pass(RENEW_INTERVAL)
    assert.equal(world.asked.length, 2)
    world.answer = () => ({ outcome: 'unreachable' })
    await pass(RENEW_INTERVAL)
    assert.equal(prover.entries().length, 1, 'others have their own troubles')
    await pass(MAX_RETRY)
    assert.equal(FAILURES_TO_LOSE, 2)
    assert.deepEqual(prover.entries(), [])
    assert.deepEqual(world.changes.at(-1), { proved: [], lost: [URL_ADDR], failed: [] })
    world.answer = () => ({ outcome: 'reached', scope: 'public', vouch: Uint8Array.of(2) })
    await pass(MAX_RETRY)
    assert.equal(prover.entries().length, 1)
    prover.stop()
  })

  it('is none when nobody could be asked for ten minutes', async () => {
    const { prover, world, pass } = proverWith({ peers: ['r'] })
    prover.start()
    await pass(GATHER)
    world.answer = () => new Error('gone')
    for (let time = 0; time < PROOF_LIFETIME - 1000; time += 10_000) {
      assert.equal(prover.entries().length, 1)
      await pass(10_000)
    }
    for (let time = 0; time < MAX_RETRY; time += 10_000) await pass(10_000)
    assert.deepEqual(prover.entries(), [])
    prover.stop()
  })

  it('asks anew when its address is another, or whoever vouched for it has left', async () => {
    const { prover, world, pass } = proverWith({ peers: ['r'] })
    prover.start()
    await pass(GATHER)
    world.peers = ['s']
    prover.left('r')
    await pass(GATHER)
    assert.deepEqual(world.asked, ['r', 's'])
    world.claims = [{ addr: '/dns4/two.example/tcp/443/tls/ws', from: 'tunnel' }]
    prover.changed()
    assert.deepEqual(prover.entries(), [], 'at once')
    await pass(GATHER)
    assert.deepEqual(
      prover.entries().map(({ addr }) => addr),
      ['/dns4/two.example/tcp/443/tls/ws']
    )
    world.claims = []
    prover.changed()
    assert.deepEqual(prover.entries(), [])
    prover.stop()
  })

  it('asks ever less often for what was never reached, least of all for a guess', async () => {
    for (const [from, most, times] of [
      ['setting', MAX_RETRY, 20],
      ['guess', MAX_GUESS_RETRY, 13]
    ] as const) {
      const { prover, world, pass } = proverWith({ peers: ['r'], claims: [{ addr: TCP_ADDR, from }] })
      world.answer = () => ({ outcome: 'unreachable' })
      prover.start()
      const end = from === 'setting' ? 65 * 60_000 : 3 * most
      for (let time = 0; time < end; time += 5000) await pass(5000)
      assert.ok(world.asked.length <= times, `${from}: ${world.asked.length}`)
      assert.equal(world.changes.filter(({ failed }) => failed?.includes(TCP_ADDR)).length, 1)
      assert.equal(prover.report().length, from === 'guess' ? 0 : 1)
      prover.stop()
    }
  })

  it('leaves nothing behind when it stops', async () => {
    const { prover, clock, world, pass } = proverWith()
    prover.start()
    await pass(GATHER)
    prover.stop()
    assert.equal(clock.pending, 0)
    prover.changed()
    await pass(RENEW_INTERVAL * 2)
    assert.equal(world.asked.length, 1)
  })
})

describe('the list of entry points', () => {
  let keys: PrivateKey[]
  let ids: string[]

  before(async () => {
    keys = await Promise.all(Array.from({ length: 4 }, () => generateKeyPair('Ed25519')))
    keys.sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1))
    ids = keys.map(idOf)
  })

  const idOf = (key: PrivateKey): string => peerIdFromPrivateKey(key).toString()

  interface Relay {
    view: View
    ledger: Ledger
    points: EntryPoints
  }

  const relay = (clock: FakeClock, today = 1_700_000_000_000): Relay => {
    const now = (): number => clock.now()
    const view = createView({ now })
    const ledger = createLedger({ mesh: MESH, view, now })
    return {
      view,
      ledger,
      points: new EntryPoints({ mesh: MESH, ledger, view, now, today: () => today + clock.now() })
    }
  }

  const vouched = async (
    subject: number,
    by: number,
    {
      kind = 'tunnel',
      addr = URL_ADDR,
      scope = 'public' as Scope,
      at = 1_700_000_000
    }: Partial<EntryPoint> & { scope?: Scope; at?: number } = {}
  ): Promise<EntryPoint> => ({
    kind,
    addr,
    vouch: await sealVouch(
      { peerId: ids[subject] ?? '', addr, scope, at },
      { mesh: MESH, privateKey: keys[by] as PrivateKey }
    )
  })

  const says = async (i: number, entries: EntryPoint[], fields: Partial<Advert> = {}): Promise<Uint8Array> =>
    sealStatement(
      {
        type: 'advert',
        advert: {
          peerId: ids[i] ?? '',
          sequence: 1n,
          role: 'relay',
          name: `relay-${i}`,
          version: '1',
          addrs: [],
          capabilities: { cores: 0, memory: 0, disk: 0, gpus: [], arch: 'x64', platform: 'linux' },
          services: [],
          eligible: [],
          entries,
          ...fields
        }
      },
      { mesh: MESH, privateKey: keys[i] as PrivateKey }
    )

  const learn = async (relays: Relay[], statements: Uint8Array[]): Promise<void> => {
    for (const { ledger } of relays) for (const bytes of statements) await ledger.learn(bytes)
    await until(() => relays.every(({ ledger }) => [...ledger.adverts()].length > 0))
  }

  const seenBy = ({ points }: Relay): string[] =>
    points.list().map(({ peerId, kind }) => `${ids.indexOf(peerId)} ${kind}`)

  it('is the same everywhere, whatever came first: tunnels, public addresses, local ones, then by peer', async () => {
    const clock = new FakeClock()
    const statements = [
      await says(0, [await vouched(0, 3, { kind: 'local', scope: 'local', addr: '/ip4/10.0.0.1/tcp/8080/ws' })]),
      await says(1, [await vouched(1, 0, { kind: 'public', addr: '/ip4/11.0.0.1/tcp/8080/ws' })]),
      await says(2, [await vouched(2, 0), await vouched(2, 1, { kind: 'public', addr: TCP_ADDR })]),
      await says(3, [await vouched(3, 1)])
    ]
    const relays = [relay(clock), relay(clock), relay(clock)]
    const [a, b, c] = relays as [Relay, Relay, Relay]
    await learn([a], statements)
    await learn([b], statements.toReversed())
    await learn([c], [...statements.slice(2), ...statements.slice(0, 2)])
    await until(() => relays.every(one => one.points.list().length === 5))
    for (const one of relays) assert.deepEqual(seenBy(one), ['2 tunnel', '3 tunnel', '1 public', '2 public', '0 local'])
    assert.deepEqual(
      bestByPeer(a.points.list()).map(({ url }) => url),
      ['https://one.example', 'https://one.example', 'http://11.0.0.1:8080', 'http://10.0.0.1:8080']
    )
  })

  it('names nobody who is silent for 120 s, nor passes on what they said', async () => {
    const clock = new FakeClock()
    const one = relay(clock)
    await learn([one], [await says(0, [await vouched(0, 1)]), await says(1, [])])
    await until(() => one.points.list().length === 1)
    assert.equal(ENTRY_POINT_TTL, 120_000)
    clock.advance(119_999)
    assert.deepEqual([seenBy(one), one.points.isGone(ids[0] ?? '')], [['0 tunnel'], false])
    clock.advance(1)
    assert.deepEqual([seenBy(one), one.points.isGone(ids[0] ?? '')], [[], true])
    await learn([one], [await says(0, [await vouched(0, 1)], { sequence: 2n })])
    await until(() => seenBy(one).length === 1)
  })

  it('names nobody who has said goodbye', async () => {
    const one = relay(new FakeClock())
    await learn([one], [await says(0, [await vouched(0, 1)]), await says(1, [])])
    await until(() => one.points.list().length === 1)
    const goodbye = { type: 'goodbye' as const, goodbye: { peerId: ids[0] ?? '', sequence: 2n } }
    await one.ledger.learn(await sealStatement(goodbye, { mesh: MESH, privateKey: keys[0] as PrivateKey }))
    assert.deepEqual(seenBy(one), [])
  })

  it('believes no peer about itself, no vouch for another or of another place, of nobody, or long past', async () => {
    const old = 1_700_000_000 - 26 * 60
    for (const [what, entry, by] of [
      ['of itself', await vouched(0, 0), 1],
      ['for another peer', await vouched(2, 1), 1],
      ['for another address', { ...(await vouched(0, 1)), addr: '/dns4/bank.example/tcp/443/tls/ws' }, 1],
      ['of somebody who is not in the mesh', await vouched(0, 3), 1],
      ['that is old', await vouched(0, 1, { at: old }), 1],
      ['of the own network only', await vouched(0, 1, { kind: 'public', scope: 'local', addr: TCP_ADDR }), 1],
      [
        'of a private address as a tunnel',
        await vouched(0, 1, { scope: 'local', addr: '/ip4/10.0.0.1/tcp/8080/ws' }),
        1
      ],
      ['of a name that no URL may have', await vouched(0, 1, { addr: '/dns4/one.0x10/tcp/443/tls/ws' }), 1],
      ['that is none', { kind: 'tunnel', addr: URL_ADDR, vouch: Uint8Array.of(1, 2, 3) }, 1]
    ] as const) {
      const one = relay(new FakeClock())
      await learn([one], [await says(0, [entry]), await says(by, [])])
      // A good one behind it shows that this one has been looked at.
      await learn([one], [await says(2, [await vouched(2, 1)])])
      await until(() => seenBy(one).includes('2 tunnel'))
      assert.deepEqual(seenBy(one), ['2 tunnel'], what)
    }
  })

  it('knows where HTTP is spoken', () => {
    assert.equal(urlOfAddr(URL_ADDR), 'https://one.example')
    assert.equal(urlOfAddr('/ip6/2606:4700::1/tcp/8080/ws'), 'http://[2606:4700::1]:8080')
    assert.equal(urlOfAddr(TCP_ADDR), undefined)
  })
})

describe('looking for entry points in the DHT', () => {
  it('brings back those that answer, and leaves alone those that are dead, known, or this peer', async () => {
    const keys = await Promise.all(Array.from({ length: 4 }, () => generateKeyPair('Ed25519')))
    const [self, known, dead, alive] = keys.map(key => peerIdFromPrivateKey(key))
    const pinged: string[] = []
    const fetched: string[] = []
    let silent = ENTRY_POINT_TTL - 1
    const finder = new EntryFinder({
      directory: {
        async *providers(what) {
          assert.equal(what, 'entry-point')
          for (const id of [self, known, dead, alive]) if (id != null) yield { id, multiaddrs: [] }
        },
        async fetchAdvert(peerId) {
          fetched.push(peerId)
          return true
        }
      },
      view: { peer: peerId => (peerId === String(known) ? entryOf(peerId) : undefined) },
      self: String(self),
      async ping(peerId) {
        pinged.push(peerId)
        if (peerId === String(dead)) throw new Error('nobody is there')
      },
      now: () => silent,
      log
    })
    await finder.look()
    assert.equal(pinged.length, 0, 'not before it is started')
    finder.start()
    await finder.look()
    assert.deepEqual([pinged, fetched], [[String(dead), String(alive)], [String(alive)]])
    silent = ENTRY_POINT_TTL
    await finder.look()
    assert.ok(pinged.includes(String(known)), 'it has been silent for too long')
    finder.stop()
  })

  /** Heard of at the clock's beginning. */
  const entryOf = (peerId: string): PeerEntry => ({
    advert: {
      peerId,
      sequence: 1n,
      role: 'relay',
      name: 'relay',
      version: '1',
      addrs: [],
      capabilities: { cores: 0, memory: 0, disk: 0, gpus: [], arch: 'x64', platform: 'linux' },
      services: [],
      eligible: []
    },
    classes: [],
    lastSeen: 0,
    loads: new Map(),
    silent: false
  })
})

async function until(is: () => boolean): Promise<void> {
  for (const end = performance.now() + 5000; performance.now() < end; ) {
    if (is()) return
    await new Promise(resolve => setImmediate(resolve))
  }
  throw new Error('not within 5 s')
}
