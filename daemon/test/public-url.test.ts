import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EntryPoint } from '@hedgerow/protocols/advert'
import type { Provided } from '@hedgerow/protocols/ids'
import { createLedger } from '@hedgerow/protocols/ledger'
import { openStatement } from '@hedgerow/protocols/statement'
import { createView } from '@hedgerow/protocols/view'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import pino from 'pino'
import { OwnHosts } from '../src/access/own-hosts.ts'
import { addrOfUrl, announceAnew, createNode } from '../src/node/index.ts'
import { PublicUrl } from '../src/peer/public-url.ts'
import { Presence, Sequence } from '../src/presence/index.ts'
import { publicWayOf } from '../src/startup/index.ts'

const log = pino({ level: 'silent' })
const URL_ONE = 'https://one.trycloudflare.com'

async function until(what: string, is: () => boolean): Promise<void> {
  for (const end = performance.now() + 10_000; performance.now() < end; await sleep(10)) if (is()) return
  throw new Error(`not within 10 s: ${what}`)
}

describe('the public URL of a peer', function () {
  this.timeout(30_000)

  it('comes down to a multiaddr of a WebSocket', () => {
    for (const [url, addr] of [
      [URL_ONE, '/dns4/one.trycloudflare.com/tcp/443/tls/ws'],
      ['https://mesh.example.org:8443', '/dns4/mesh.example.org/tcp/8443/tls/ws'],
      ['http://192.0.2.1', '/ip4/192.0.2.1/tcp/80/ws'],
      ['https://[2001:db8::1]', '/ip6/2001:db8::1/tcp/443/tls/ws']
    ] as const)
      assert.equal(addrOfUrl(new URL(url)), addr)
  })

  it('is a name of this peer while it has it, and not after', () => {
    const hosts = new OwnHosts([])
    const url = new PublicUrl(undefined)
    assert.deepEqual(url.addrs(), [])
    assert.equal(url.change(undefined, hosts), false)
    assert.equal(url.change(URL_ONE, hosts), true)
    assert.equal(url.change(URL_ONE, hosts), false)
    assert.ok(hosts.has('one.trycloudflare.com'))
    assert.equal(url.change('https://two.trycloudflare.com', hosts), true)
    assert.deepEqual([hosts.has('one.trycloudflare.com'), hosts.has('two.trycloudflare.com')], [false, true])
    assert.deepEqual(url.addrs(), ['/dns4/two.trycloudflare.com/tcp/443/tls/ws'])
  })

  it('is among the addresses of a running node when it comes, and no more when it goes', async () => {
    let addrs: string[] = []
    const node = await createNode({
      privateKey: await generateKeyPair('Ed25519'),
      mesh: 'test',
      role: 'worker',
      listen: ['/ip4/127.0.0.1/tcp/0'],
      publicAddrs: () => addrs
    })
    await node.start()
    try {
      const updates: string[][] = []
      node.addEventListener('self:peer:update', ({ detail }) =>
        updates.push(detail.peer.addresses.map(({ multiaddr }) => multiaddr.toString()))
      )
      const addr = addrOfUrl(new URL(URL_ONE))
      addrs = [addr]
      await announceAnew(node)
      assert.equal(node.getMultiaddrs()[0]?.toString(), `${addr}/p2p/${node.peerId}`)
      await until('others are told', () => updates.at(-1)?.includes(addr) === true)
      addrs = []
      await announceAnew(node)
      await until('others are told again', () => updates.at(-1)?.includes(addr) === false)
      assert.ok(node.getMultiaddrs().every(one => !one.toString().startsWith(addr)))
    } finally {
      await node.stop()
    }
  })

  it('makes a peer an entry point in the DHT for as long as others vouch for it', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'hedgerow-presence-'))
    const privateKey = await generateKeyPair('Ed25519')
    const provided = new Set<Provided>()
    const adverts: Array<number | undefined> = []
    let entries: EntryPoint[] = []
    const presence = new Presence(
      {
        gossip: {
          async publish(_topic, bytes) {
            const statement = await openStatement(bytes, 'test')
            if (statement.type === 'advert') adverts.push(statement.advert.entries?.length)
          }
        },
        directory: {
          provide: async what => void provided.add(what),
          withdraw: async what => void provided.delete(what),
          putAdvert: async () => {}
        },
        ledger: createLedger({ mesh: 'test', view: createView({ now: () => performance.now() }) }),
        sequence: await Sequence.open(dataDir),
        log
      },
      {
        mesh: 'test',
        privateKey,
        peerId: peerIdFromPrivateKey(privateKey).toString(),
        loads: () => [],
        reporters: () => 1,
        describe: () => ({
          role: 'relay',
          name: 'relay',
          version: '1',
          addrs: [],
          url: URL_ONE,
          entries,
          capabilities: { cores: 1, memory: 1, disk: 1, gpus: [], arch: 'x64', platform: 'linux' },
          services: [],
          eligible: []
        })
      }
    )
    try {
      presence.start()
      await until('it has said something', () => adverts.length === 1)
      assert.ok(!provided.has('entry-point'))
      entries = [{ kind: 'tunnel', addr: addrOfUrl(new URL(URL_ONE)), vouch: Uint8Array.of(1) }]
      presence.changed()
      await until('it is an entry point', () => provided.has('entry-point'))
      entries = []
      presence.changed()
      await until('it is none', () => !provided.has('entry-point'))
      assert.deepEqual(adverts, [undefined, 1, undefined])
    } finally {
      presence.stop()
      await rm(dataDir, { recursive: true, force: true })
    }
  })
})

describe('the settings of a tunnel', () => {
  const wrong = (settings: Partial<Parameters<typeof publicWayOf>[0]>, setting: string): Promise<void> =>
    assert.rejects(publicWayOf({ tunnel: 'off', ...settings }, log), { name: 'ConfigError', setting })

  it('make no tunnel unless they say so', async () => {
    assert.deepEqual(await publicWayOf({ tunnel: 'off', url: URL_ONE, tunnelPort: 8090 }, log), {
      url: URL_ONE,
      tunnelPort: 8090
    })
    assert.deepEqual(await publicWayOf({ tunnel: 'off' }, log), {})
  })

  it('find a port for a quick one, whose URL only the tunnel knows', async () => {
    const way = await publicWayOf({ tunnel: 'quick' }, log)
    assert.ok((way.tunnelPort ?? 0) > 0)
    assert.deepEqual([way.url, way.tunnel?.status().state], [undefined, 'stopped'])
    await way.tunnel?.stop()
  })

  it('say which one is missing or wrong', async () => {
    const named = { tunnel: 'named', url: 'https://mesh.example.org', tunnelPort: 8090 } as const
    await wrong({ tunnel: 'quick', url: URL_ONE }, 'HEDGEROW_URL')
    await wrong({ ...named, url: undefined }, 'HEDGEROW_URL')
    await wrong({ ...named, url: 'http://mesh.example.org' }, 'HEDGEROW_URL')
    await wrong({ ...named, tunnelPort: undefined }, 'HEDGEROW_TUNNEL_PORT')
    await wrong(named, 'HEDGEROW_TUNNEL_TOKEN')
    await wrong({ ...named, tunnelTokenFile: '/nowhere/token' }, 'HEDGEROW_TUNNEL_TOKEN_FILE')
    await wrong({ ...named, tunnelTokenFile: '/dev/null' }, 'HEDGEROW_TUNNEL_TOKEN_FILE')
  })
})
