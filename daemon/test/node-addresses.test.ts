import assert from 'node:assert/strict'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { multiaddr } from '@multiformats/multiaddr'
import pino from 'pino'
import { parsers } from '../src/config/index.ts'
import { loadCertificate } from '../src/identity/index.ts'
import { announced, byDialOrder } from '../src/node/addresses.ts'
import { IceServers, parseIceServer, readIceServers } from '../src/node/ice-servers.ts'
import { defaultListen } from '../src/startup/index.ts'

const RELAY = '12D3KooWCRjtLcBjUrpkVykoigzPFJovxtaDY1GZrtPKxRsthu6X'
const HASH = 'uEiAP26PwqVRhPDLzMeOxwo-AsVO20EYIPJx6s3h70-6S-Q'
const TCP = '/ip4/192.168.1.2/tcp/4001'
const WS = '/ip4/192.168.1.2/tcp/4002/ws'
const DIRECT = `/ip4/192.168.1.2/udp/4003/webrtc-direct/certhash/${HASH}`
const CIRCUIT = `/dns4/relay.example.org/tcp/443/tls/ws/p2p/${RELAY}/p2p-circuit`
const WEBRTC = `${CIRCUIT}/webrtc`

describe('addresses of a peer', () => {
  it('are dialled by TCP first and by WebRTC last, wherever they lead', () => {
    const [publicTcp, publicWs, loopback] = [
      '/ip4/9.9.9.9/tcp/4001',
      '/ip4/9.9.9.9/tcp/1/ws',
      '/ip4/127.0.0.1/tcp/4001'
    ]
    const addresses = [WEBRTC, DIRECT, CIRCUIT, WS, loopback, TCP, publicWs, publicTcp].map(addr => ({
      multiaddr: multiaddr(addr),
      isCertified: addr === WEBRTC
    }))
    assert.deepEqual(
      addresses.sort(byDialOrder).map(address => address.multiaddr.toString()),
      [publicTcp, TCP, loopback, publicWs, CIRCUIT, WS, DIRECT, WEBRTC]
    )
  })

  it('are announced in every way, however many there are of one', () => {
    const bridges = Array.from({ length: 40 }, (_, i) => `/ip4/172.${i}.0.1/tcp/4001`)
    const all = ['/ip4/127.0.0.1/tcp/4001', ...bridges, WS, DIRECT, CIRCUIT, WEBRTC].map(addr => multiaddr(addr))
    const told = announced(all, 24).map(String)
    assert.equal(told.length, 24)
    for (const addr of [WS, DIRECT, CIRCUIT, WEBRTC]) assert.ok(told.includes(addr), addr)
    assert.ok(!told.includes('/ip4/127.0.0.1/tcp/4001'), 'loopback is what is left out')
    const few = all.slice(0, 20)
    assert.deepEqual(announced(few, 24), few)
  })

  it('are announced over every relay, however many names each has', () => {
    const relays = [
      'QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC',
      RELAY,
      '12D3KooWNvSZnPi3RrhrTwEY4LuuBeB6K6facKUCJcyWG1aoDd2p'
    ]
    const circuits = relays.flatMap(relay =>
      Array.from({ length: 20 }, (_, i) => `/ip4/172.${i}.0.1/tcp/8080/ws/p2p/${relay}/p2p-circuit`)
    )
    const all = [TCP, WS, DIRECT, ...circuits, ...circuits.map(circuit => `${circuit}/webrtc`)]
    const told = announced(
      all.map(addr => multiaddr(addr)),
      24
    ).map(String)
    for (const relay of relays) {
      assert.ok(told.some(addr => addr.includes(relay) && addr.endsWith('/p2p-circuit')))
      assert.ok(told.some(addr => addr.includes(relay) && addr.endsWith('/webrtc')))
    }
  })

  it('stay the same over a restart, ports and certificate', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'hedgerow-addresses-'))
    const log = pino({ level: 'silent' })
    try {
      const listen = await defaultListen(dir)
      assert.ok(listen.some(addr => /^\/ip4\/0\.0\.0\.0\/udp\/\d+\/webrtc-direct$/.test(addr)))
      assert.deepEqual(await defaultListen(dir), listen)
      const certificate = await loadCertificate(dir, log)
      assert.deepEqual(await loadCertificate(dir, log), certificate)
      const file = join(dir, 'webrtc-certificate.pem')
      assert.equal((await stat(file)).mode & 0o777, 0o600)
      await writeFile(file, 'rubbish')
      assert.notEqual((await loadCertificate(dir, log)).certhash, certificate.certhash)
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  })
})

describe('STUN and TURN servers', () => {
  it('are read from a setting', () => {
    assert.deepEqual(parseIceServer('stun:stun.example.org:3478'), { urls: 'stun:stun.example.org:3478' })
    assert.deepEqual(parseIceServer('stun:[2001:db8::1]'), { urls: 'stun:[2001:db8::1]' })
    assert.deepEqual(parseIceServer('turn:ada:p%40ss%2Fword@192.0.2.1:3478?transport=udp'), {
      urls: 'turn:192.0.2.1:3478?transport=udp',
      username: 'ada',
      credential: 'p@ss/word'
    })
    assert.equal(parseIceServer('turns:1700000000%3Aada:x@turn.example.org')?.username, '1700000000:ada')
    for (const wrong of [
      'stun.example.org:3478',
      'stun:',
      'stun:host:0',
      'stun:host:65536',
      'stun:a:b@host',
      'stun://host:3478',
      'stun:host?transport=udp',
      'turn:host:3478',
      'turn:ada@host:3478',
      'turn:ada:%ZZ@host:3478',
      'https://host'
    ])
      assert.throws(() => parsers.iceServers(wrong), { code: 'commander.invalidArgument' }, wrong)
  })

  it('are taken from a relay as far as they are such', () => {
    assert.deepEqual(
      readIceServers([
        { urls: ['stun:a:1', 'https://b'] },
        { urls: 'turn:c:2', username: 'u:1', credential: 'p' },
        { urls: 'turn:d:2' },
        { urls: 7 },
        null
      ]),
      [{ urls: 'stun:a:1' }, { urls: 'turn:c:2', username: 'u:1', credential: 'p' }]
    )
    for (const nothing of [undefined, null, {}, 'stun:a:1']) assert.deepEqual(readIceServers(nothing), [])
  })

  it('come from the settings, else from the relay, and are never left for libp2p to choose', () => {
    const servers = new IceServers()
    assert.deepEqual(servers.rtcConfiguration(), { iceServers: [] })
    servers.learn([{ urls: 'turn:c:2', username: 'u:1', credential: 'p@' }])
    assert.deepEqual(servers.rtcConfiguration(), {
      iceServers: [{ urls: ['turn:c:2'], username: 'u%3A1', credential: 'p%40' }]
    })
    const own = new IceServers([{ urls: 'stun:a:1' }])
    own.learn([{ urls: 'stun:b:1' }])
    assert.deepEqual(own.current(), [{ urls: 'stun:a:1' }])
  })
})
