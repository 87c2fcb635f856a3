import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import { openVouch } from '@hedgerow/protocols/vouch'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import pino from 'pino'
import { MAX_DIAL_BACKS } from '../src/dial-back/constants.ts'
import { DialBack, type DialBackComponents, networkKindOf, readTarget, seenAt } from '../src/dial-back/index.ts'
import { type Asker, judgeTarget } from '../src/dial-back/target.ts'
import { createNode, type Node } from '../src/node/index.ts'

const PUBLIC = '11.0.0.1'
const NOBODY: Asker = { seenAt: new Set(), announced: [] }
const seen = (...ips: string[]): Asker => ({ seenAt: new Set(ips), announced: [] })

function judge(addr: string, asker: Asker, resolved?: string[], own: string[] = []): string {
  const target = readTarget(addr)
  return target == null ? 'refused' : judgeTarget(target, addr, resolved ?? [target.host], asker, new Set(own))
}

describe('what a peer dials for another', () => {
  it('is told apart by where it is', () => {
    const kinds: Record<string, string[]> = {
      public: [PUBLIC, '8.8.8.8', '2606:4700::1111'],
      private: ['10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', 'fd00::1'],
      loopback: ['127.0.0.1', '127.9.9.9', '::1'],
      special: [
        '0.0.0.0',
        '169.254.169.254',
        '192.0.2.1',
        '198.18.0.1',
        '224.0.0.1',
        '255.255.255.255',
        '::',
        'fe80::1',
        'ff02::1',
        '::ffff:10.0.0.1',
        '::ffff:7f00:1',
        '64:ff9b::a00:1',
        '2002:a00:1::',
        '2001:db8::1',
        '::127.0.0.1'
      ]
    }
    for (const [kind, ips] of Object.entries(kinds)) for (const ip of ips) assert.equal(networkKindOf(ip), kind, ip)
    for (const none of ['', 'localhost', '127.1', '0x7f.1', 'fe80::1%eth0', '2130706433'])
      assert.equal(networkKindOf(none), undefined, none)
  })

  it('is TCP, or a WebSocket at /, and no port of other servers', () => {
    assert.deepEqual(readTarget('/ip4/11.0.0.1/tcp/4001'), { host: PUBLIC, port: 4001, by: 'tcp' })
    assert.deepEqual(readTarget('/dns4/a.example/tcp/443/tls/ws'), { host: 'a.example', port: 443, by: 'wss' })
    assert.deepEqual(readTarget('/ip6/2606:4700::1/tcp/8080/ws'), { host: '2606:4700::1', port: 8080, by: 'ws' })
    assert.equal(readTarget('/dns4/A.Example./tcp/443/tls/ws')?.host, 'A.Example.')
    for (const addr of [
      '',
      '/ip4/11.0.0.1/udp/4001/webrtc-direct',
      '/ip4/11.0.0.1/tcp/25',
      '/ip4/11.0.0.1/tcp/22/ws',
      '/ip4/11.0.0.1/tcp/70000',
      '/ip4/localhost/tcp/4001',
      '/ip4/127.1/tcp/4001',
      '/ip4/11.0.0.1/tcp/4001/http-path/x/ws',
      '/ip4/11.0.0.1/tcp/4001/p2p/12D3KooWCKzhGAiuHpLm52SX32mWcZWwviGqMGELSR9vWHeZZqSq/p2p-circuit',
      '/dns4/11.0.0.1/tcp/443/tls/ws',
      // In a URL these are IP addresses, or no host at all.
      '/dns4/127.0.0.1./tcp/8080/ws',
      '/dns4/0x7f.1/tcp/8080/ws',
      '/dns4/2130706433/tcp/8080/ws',
      '/dns4/a.0x10/tcp/443/tls/ws',
      '/dns4/a.example/tcp/443',
      '/dnsaddr/a.example/tcp/443/tls/ws',
      `/dns4/${'a'.repeat(300)}/tcp/443/tls/ws`
    ])
      assert.equal(readTarget(addr), undefined, addr)
  })

  it('is an address of the internet that the asker has to do with', () => {
    const addr = `/ip4/${PUBLIC}/tcp/4001`
    assert.equal(judge(addr, NOBODY), 'refused')
    assert.equal(judge(addr, seen('11.0.0.2')), 'refused')
    assert.equal(judge(addr, seen(PUBLIC)), 'public')
    assert.equal(judge(addr, { seenAt: new Set(), announced: [addr] }), 'public')
    assert.equal(judge('/dns4/a.example/tcp/443/tls/ws', NOBODY, [PUBLIC]), 'public')
    assert.equal(judge(addr, seen(PUBLIC), undefined, [PUBLIC]), 'same-address')
  })

  it('is nothing inside its own network, unless the asker is seen there', () => {
    for (const [ip, family] of [
      ['127.0.0.1', 'ip4'],
      ['10.0.0.7', 'ip4'],
      ['192.168.1.1', 'ip4'],
      ['169.254.169.254', 'ip4'],
      ['::1', 'ip6'],
      ['fd00::7', 'ip6']
    ] as const) {
      const addr = `/${family}/${ip}/tcp/8080/ws`
      assert.equal(judge(addr, seen(PUBLIC)), 'refused', ip)
      assert.equal(judge(addr, { seenAt: new Set([PUBLIC]), announced: [addr] }), 'refused', ip)
      assert.equal(judge('/dns4/a.example/tcp/443/tls/ws', seen(PUBLIC), [ip]), 'refused', ip)
      assert.equal(judge('/dns4/a.example/tcp/443/tls/ws', seen(PUBLIC), [PUBLIC, ip]), 'refused', ip)
    }
    assert.equal(judge('/ip4/10.0.0.7/tcp/8080/ws', seen('10.0.0.7')), 'local')
    assert.equal(judge('/ip4/10.0.0.8/tcp/8080/ws', seen('10.0.0.7')), 'refused')
    assert.equal(judge('/ip4/127.0.0.1/tcp/8080/ws', seen('127.0.0.5')), 'local')
    assert.equal(judge('/ip4/169.254.169.254/tcp/80/ws', seen('169.254.169.254')), 'refused')
  })

  it('is not believed where a proxy or the own HTTP port brings everybody', () => {
    const connection = (addr: string, direction: 'inbound' | 'outbound') =>
      ({ remoteAddr: multiaddr(addr), direction, status: 'open' }) as const
    const circuit = '/ip4/11.0.0.9/tcp/1/p2p/12D3KooWCKzhGAiuHpLm52SX32mWcZWwviGqMGELSR9vWHeZZqSq/p2p-circuit'
    assert.deepEqual([...seenAt([connection('/ip4/127.0.0.1/tcp/5/ws', 'inbound')])], [])
    assert.deepEqual([...seenAt([connection(circuit, 'inbound')])], [])
    assert.deepEqual([...seenAt([connection('/ip4/127.0.0.1/tcp/5', 'inbound')])], ['127.0.0.1'])
    assert.deepEqual([...seenAt([connection('/ip4/127.0.0.1/tcp/5/ws', 'outbound')])], ['127.0.0.1'])
    assert.deepEqual([...seenAt([connection('/ip4/11.0.0.1/tcp/5/ws', 'inbound')])], [PUBLIC])
  })
})

describe('dialling back', function () {
  this.timeout(30_000)
  const nodes: Node[] = []
  let dialler: Node
  let asker: Node
  let other: Node
  let key: PrivateKey

  before(async () => {
    key = await generateKeyPair('Ed25519')
    for (const privateKey of [key, await generateKeyPair('Ed25519'), await generateKeyPair('Ed25519')]) {
      const listen = ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws']
      const node = await createNode({ privateKey, mesh: 'test', role: 'worker', listen })
      await node.start()
      nodes.push(node)
    }
    ;[dialler, asker, other] = nodes as [Node, Node, Node]
  })

  after(async () => {
    await Promise.all(nodes.map(node => node.stop()))
  })

  const addrOf = (node: Node, isWebSocket: boolean): string =>
    node
      .getMultiaddrs()
      .map(addr => addr.decapsulate(`/p2p/${node.peerId}`).toString())
      .find(addr => addr.endsWith('/ws') === isWebSocket) ?? ''

  const dialBack = (components: Partial<DialBackComponents> = {}): DialBack =>
    new DialBack(
      {
        dial: (target, peer, resolved, signal) => dialler.services.dialler.dial(target, peer, resolved, signal),
        askerOf: () => seen('127.0.0.1'),
        ownIps: () => new Set(),
        now: () => performance.now(),
        today: () => 1_700_000_000_000,
        log: pino({ level: 'silent' }),
        ...components
      },
      { mesh: 'test', privateKey: key }
    )

  for (const isWebSocket of [false, true])
    it(`finds whoever asks by ${isWebSocket ? 'WebSocket' : 'TCP'}, vouches for it, and leaves no connection`, async () => {
      const addr = addrOf(asker, isWebSocket)
      const opened: unknown[] = []
      asker.addEventListener('connection:open', ({ detail }) => opened.push(detail))
      const result = await dialBack().answer(asker.peerId.toString(), addr)
      assert.ok(result.outcome === 'reached', result.outcome)
      const vouch = await openVouch(result.vouch, 'test')
      assert.deepEqual(vouch, {
        peerId: asker.peerId.toString(),
        addr,
        scope: 'local',
        at: 1_700_000_000,
        by: dialler.peerId.toString()
      })
      assert.deepEqual([opened, dialler.getConnections()], [[], []])
    })

  it('dials what the name server said when it was asked, and asks no second time', async () => {
    let asked = 0
    const [, port] = /tcp\/(\d+)\/ws/.exec(addrOf(asker, true)) ?? []
    const result = await dialBack({
      resolve: async () => {
        asked++
        return ['127.0.0.1']
      }
    }).answer(asker.peerId.toString(), `/dns4/nowhere.invalid/tcp/${port}/ws`)
    assert.deepEqual([result.outcome, asked], ['reached', 1])
  })

  it('is not taken in by another peer at that address, nor by none', async () => {
    for (const addr of [
      addrOf(other, false),
      addrOf(other, true),
      '/ip4/127.0.0.1/tcp/1025',
      '/ip4/127.0.0.1/tcp/1025/ws'
    ])
      assert.equal((await dialBack().answer(asker.peerId.toString(), addr)).outcome, 'unreachable', addr)
  })

  it('gives up on what says nothing, and sends no more than a greeting', async () => {
    const received: Buffer[] = []
    const server = await listening(socket => socket.on('data', chunk => received.push(chunk)))
    try {
      const signal = AbortSignal.timeout(300)
      const { outcome } = await dialBack().answer(asker.peerId.toString(), addrOfServer(server), signal)
      assert.equal(outcome, 'unreachable')
      assert.ok(Buffer.concat(received).byteLength < 64, 'the name of one protocol')
    } finally {
      server.close()
    }
  })

  it('follows no redirect', async () => {
    const redirected: unknown[] = []
    const target = await listening(socket => redirected.push(socket))
    const { port } = Object(target.address())
    const server = await listening(socket =>
      socket.once('data', () =>
        socket.end(`HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:${port}/\r\ncontent-length: 0\r\n\r\n`)
      )
    )
    try {
      const { outcome } = await dialBack().answer(asker.peerId.toString(), `${addrOfServer(server)}/ws`)
      assert.deepEqual([outcome, redirected], ['unreachable', []])
    } finally {
      server.close()
      target.close()
    }
  })

  it('is done a few times for each peer, and for each target whoever asks', async () => {
    let dialled = 0
    const make = (): DialBack => dialBack({ dial: async () => void dialled++, now: () => 0 })
    const one = make()
    const outcomes: string[] = []
    for (let i = 0; i < 50; i++)
      outcomes.push((await one.answer(asker.peerId.toString(), `/ip4/127.0.1.${i}/tcp/4001`)).outcome)
    assert.deepEqual([dialled, outcomes.filter(outcome => outcome === 'busy').length], [6, 44])
    dialled = 0
    const many = make()
    for (let i = 0; i < 30; i++) {
      const { publicKey } = await generateKeyPair('Ed25519')
      await many.answer(peerIdFromPublicKey(publicKey).toString(), addrOf(asker, false))
    }
    assert.equal(dialled, 6)
  })

  it('is done for a few at once', async () => {
    const held = Promise.withResolvers<void>()
    const peers = await Promise.all(Array.from({ length: MAX_DIAL_BACKS + 3 }, () => generateKeyPair('Ed25519')))
    let dialling = 0
    const one = dialBack({
      now: () => 0,
      askerOf: () => seen('127.0.0.1'),
      dial: () => {
        dialling++
        return held.promise
      }
    })
    const answers = peers.map(({ publicKey }, i) =>
      one.answer(peerIdFromPublicKey(publicKey).toString(), `/ip4/127.0.0.${i + 1}/tcp/4001`)
    )
    const late = await Promise.all(answers.slice(MAX_DIAL_BACKS))
    assert.deepEqual(
      late.map(({ outcome }) => outcome),
      ['busy', 'busy', 'busy']
    )
    held.resolve()
    await Promise.all(answers)
    assert.ok(dialling <= MAX_DIAL_BACKS)
  })
})

async function listening(onSocket: (socket: import('node:net').Socket) => void): Promise<Server> {
  const server = createServer(socket => {
    socket.on('error', () => {})
    onSocket(socket)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return server
}

function addrOfServer(server: Server): string {
  return `/ip4/127.0.0.1/tcp/${Object(server.address()).port}`
}
