import { setImmediate as turn } from 'node:timers/promises'
import { readMultiaddr } from '@hedgerow/protocols/address'
import type { Advert } from '@hedgerow/protocols/advert'
import type { IncomingAnswer, Invoker } from '@hedgerow/protocols/invocation'
import { routeOf } from '@hedgerow/protocols/invocation/web'
import { createLedger } from '@hedgerow/protocols/ledger'
import { openTrust } from '@hedgerow/protocols/membership'
import { createView } from '@hedgerow/protocols/view'
import { readBootstrap as readInPage } from '../../../browser-node/src/bootstrap.ts'
import { learnFrom } from '../../../browser-node/src/clearance.ts'
import { Follower } from '../../../browser-node/src/follower.ts'
import { EntryPoints } from '../../../browser-node/src/frontends/entry-points.ts'
import { learntRelay } from '../../../browser-node/src/relay-addresses.ts'
import { multiaddrs, relays } from '../../../daemon/src/config/parsers.ts'
import { readAnswer } from '../../../daemon/src/dial-back/ask.ts'
import { networkKindOf, readTarget } from '../../../daemon/src/dial-back/index.ts'
import { judgeTarget } from '../../../daemon/src/dial-back/target.ts'
import { learnAddrs } from '../../../daemon/src/discovery/addresses.ts'
import { readBootstrap } from '../../../daemon/src/discovery/bootstrap.ts'
import { readSnapshot } from '../../../daemon/src/discovery/snapshot.ts'
import { urlOfAddr } from '../../../daemon/src/entry/index.ts'
import { parseIceServer, readIceServers } from '../../../daemon/src/node/ice-servers.ts'
import { readQuickTunnel } from '../../../daemon/src/tunnel/endpoint.ts'
import type { Decoder } from '../index.ts'
import { peerId, sealed } from './statements.ts'

export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
export const bytes = (...texts: string[]): Uint8Array[] => texts.map(one => new TextEncoder().encode(one))
/** An error that is thrown on purpose, in words for people; not one of the language's own. */
export const isPlainError = (err: unknown): boolean => err instanceof Error && err.constructor === Error

const base64 = sealed.map(one => Buffer.from(one).toString('base64'))
const newLedger = () => createLedger({ mesh: 'hedgerow', view: createView({ now: () => performance.now() }) })
const trust = openTrust('hedgerow')
const target = new URL('https://relay.example.org/bootstrap')
const PIECE = 1000

/** A peer that answers any question with these bytes, in pieces. */
export function answering(body: Uint8Array, ended?: () => void): Invoker {
  return {
    route: () => undefined,
    async invoke(): Promise<IncomingAnswer> {
      return {
        status: 200,
        headers: {},
        body: (async function* () {
          for (let start = 0; start < body.length; start += PIECE) yield body.subarray(start, start + PIECE)
          ended?.()
        })()
      }
    }
  }
}

const bootstrap = JSON.stringify({
  mesh: 'hedgerow',
  peers: [`/dns4/relay.example.org/tcp/443/tls/ws/p2p/${peerId}`, '/ip4/127.0.0.1/tcp/1'],
  ice_servers: [
    { urls: ['stun:stun.example.org:3478'] },
    { urls: 'turn:t.example.org', username: 'u', credential: 'p' }
  ]
})
const event = (name: string, data: string): string => `event: ${name}\ndata: ${data}\n\n`

export const DISCOVERY_DECODERS: Decoder[] = [
  {
    name: 'relay-address-in-page',
    files: ['browser-node/src/relay-addresses.ts'],
    seeds: () =>
      bytes(
        'https://relay.example.org',
        `/dns4/relay.example.org/tcp/443/tls/ws/p2p/${peerId}`,
        '/ip6/fd00::1/tcp/8080/ws',
        '/ip4/10.0.0.1/tcp/8080/ws/p2p-circuit'
      ),
    words: ['/dns4/', '/ip6/', '/tcp/', '/tls', '/ws', '/wss', '[', '@', '://', '%00'],
    decode(input) {
      const one = text(input)
      const learnt = [...learntRelay({ peerId, addrs: [one] }), ...learntRelay({ peerId, url: one, addrs: [] })]
      for (const { url } of learnt)
        if (new URL(url).origin !== url || !/^https?:/.test(url)) throw new TypeError(`${url} is no origin`)
      return learnt
    }
  },
  {
    name: 'bootstrap',
    files: ['daemon/src/discovery/bootstrap.ts', 'bootstrap-relay/src/join-routes.ts'],
    seeds: () => bytes(bootstrap),
    decode: one => readBootstrap(Buffer.from(one), target),
    refuses: isPlainError
  },
  {
    name: 'quick-tunnel',
    files: ['daemon/src/tunnel/endpoint.ts'],
    seeds: () => bytes('{"hostname":"some-words-here.trycloudflare.com"}', '{"hostname":"mesh.test:8443"}'),
    decode: one => readQuickTunnel(Buffer.from(one))
  },
  {
    name: 'bootstrap-in-page',
    files: ['browser-node/src/bootstrap.ts'],
    seeds: () => bytes(bootstrap),
    decode: one => readInPage(text(one), target),
    refuses: isPlainError
  },
  {
    name: 'entry-points',
    files: ['browser-node/src/frontends/entry-points.ts'],
    seeds: () => bytes('{"entry_points":[{"worker_id":"w","access_url":"https://a.example.org","services":["ner"]}]}'),
    decode: one => {
      const fetch = async (): Promise<Response> => new Response(Buffer.from(one))
      return new EntryPoints({ urls: ['https://relay.example.org/entry-points'], fetch }).for('ner')
    },
    refuses: isPlainError
  },
  {
    name: 'snapshot',
    files: ['daemon/src/discovery/snapshot.ts'],
    seeds: () => bytes(JSON.stringify({ adverts: base64 }), '{"adverts":[]}'),
    decode: one =>
      readSnapshot({ invoker: answering(one), ledger: newLedger(), trust }, peerId, new AbortController().signal),
    refuses: err => isPlainError(err) || err instanceof SyntaxError
  },
  {
    name: 'snapshot-in-page',
    files: ['browser-node/src/clearance.ts'],
    seeds: () => bytes(JSON.stringify({ adverts: base64, revocations: ['a.b.c'] }), '{"adverts":[]}'),
    decode: one => learnFrom(text(one), { ledger: newLedger(), trust }),
    refuses: err => err instanceof SyntaxError
  },
  {
    name: 'events-in-page',
    files: ['browser-node/src/follower.ts'],
    seeds: () =>
      bytes(
        base64.map((one, i) => event(['advert', 'goodbye', 'load'][i] ?? '', one)).join('') + event('caught-up', '1')
      ),
    words: ['event: advert', 'data: ', '\r', '\n', 'id: 1', 'retry: 1', ':'],
    decode: async one => {
      const ended = Promise.withResolvers<void>()
      const ledger = newLedger()
      let asked = 0
      const sources = (): string[] => {
        if (asked++ === 0) return ['peer']
        ended.resolve()
        return []
      }
      const follower = new Follower({ invoker: answering(one), ledger, trust, sources, doubt: () => {} })
      follower.wake()
      await ended.promise
      await turn()
      follower.stop()
      return [...ledger.adverts()].length
    }
  },
  {
    name: 'multiaddr',
    files: [
      'daemon/src/config/parsers.ts',
      'daemon/src/discovery/addresses.ts',
      'daemon/src/peer/create.ts',
      'browser-node/src/paths.ts',
      'daemon/src/discovery/following.ts',
      'daemon/src/discovery/directory.ts'
    ],
    seeds: () =>
      bytes(
        `/ip4/127.0.0.1/tcp/4001/p2p/${peerId}`,
        '/ip6/::1/udp/1/webrtc-direct/certhash/uEiAkH5a4DPGKUuOBjYw0CgwjvcJCJMD2K_1aluKR_tpevQ',
        '/dns4/x/tcp/443/tls/ws/p2p-circuit',
        '/unix/a%2fb',
        '/ip6zone/x/ip6/fe80::1'
      ),
    words: ['/ip4/', '/ip6/', '/tcp/', '/p2p/', '/p2p-circuit', '/webrtc', '/http-path/', '/certhash/'],
    decode: async one => {
      const addr = text(one).slice(0, 512)
      // Of whoever advertises them: one that can't be read is passed over.
      const advert = { addrs: [addr] } as unknown as Advert
      const merged: unknown[] = []
      const node = { peerStore: { merge: async (_id: unknown, given: unknown) => merged.push(given) } }
      const view = { peer: () => ({ advert, classes: [], lastSeen: 0, loads: new Map(), silent: false }) }
      await learnAddrs(node as never, view, peerId)
      return [merged.length, addr.startsWith('/') ? multiaddrs(addr) : relays(addr)]
    },
    refuses: err =>
      (err instanceof Error && err.name === 'CommanderError') ||
      (err instanceof Error && 'code' in err && err.code === 'commander.invalidArgument')
  },
  {
    name: 'multiaddr-components',
    files: ['protocols/src/address/index.ts', 'protocols/src/invocation/wire/route.ts', 'daemon/src/node/addresses.ts'],
    seeds: () => bytes('/ip4/127.0.0.1/tcp/4001', '/dns4/x/tcp/443/tls/ws'),
    words: ['/ip4/', '/tcp/', '/p2p-circuit', '/webrtc'],
    decode: one => {
      const addr = readMultiaddr(text(one))
      if (addr == null) return undefined
      // What was taken can be written, stored and compared.
      const again = readMultiaddr(addr.toString())
      if (again?.equals(addr) !== true) throw new Error(`${addr} is another when it is read again`)
      return [addr.bytes.byteLength, routeOf({ remoteAddr: addr })]
    }
  },
  {
    name: 'dial-back-answer',
    files: ['daemon/src/dial-back/ask.ts'],
    seeds: () => bytes('{"outcome":"reached","scope":"public","vouch":"AAEC"}', '{"outcome":"busy"}'),
    words: ['reached', 'refused', 'scope', 'local', '==='],
    decode: readAnswer,
    refuses: err => isPlainError(err) || err instanceof SyntaxError
  },
  {
    name: 'dial-back-target',
    files: ['daemon/src/dial-back/target.ts', 'daemon/src/dial-back/network.ts', 'daemon/src/entry/claim.ts'],
    seeds: () =>
      bytes(
        '/ip4/11.0.0.1/tcp/4001',
        '/dns4/x.example/tcp/443/tls/ws',
        '/ip6/2606:4700::1/tcp/8080/ws',
        '/ip4/10.0.0.1/tcp/80/ws',
        '/dns4/a.0x10/tcp/443/tls/ws',
        '/dns4/127.0.0.1./tcp/8080/ws'
      ),
    words: ['/ip4/127.0.0.1', '/ip6/::ffff:127.0.0.1', '/dns/', '/tls/ws', '/p2p-circuit', '@', '%2e', '0x7f', '.'],
    decode: one => {
      const addr = text(one)
      const target = readTarget(addr)
      if (target == null) return undefined
      const verdict = judgeTarget(target, addr, [target.host], { seenAt: new Set(), announced: [addr] }, new Set())
      // Of a stranger that is seen nowhere, nothing but the internet is dialled.
      if (verdict !== 'refused' && networkKindOf(target.host) !== 'public') throw new Error(`${addr} would be dialled`)
      return [target, verdict, urlOfAddr(addr)]
    }
  },
  {
    name: 'ice-servers',
    files: ['daemon/src/node/ice-servers.ts'],
    seeds: () =>
      bytes(
        'stun:stun.example.org:3478',
        'turn:u%3A:p@t.example.org?transport=udp',
        '[{"urls":["stun:a:1"]},{"urls":"turn:b","username":"u","credential":"c"}]'
      ),
    words: ['stun:', 'turns:', '@', '?transport=tcp', '%', '%zz', '[::1]'],
    decode: one => {
      const given = text(one)
      let json: unknown = given
      try {
        json = JSON.parse(given)
      } catch {
        // a text, then
      }
      return [
        parseIceServer(given),
        readIceServers(json),
        readIceServers([{ urls: given, username: given, credential: given }])
      ]
    }
  }
]
