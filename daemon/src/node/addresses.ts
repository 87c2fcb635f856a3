import { isIP } from 'node:net'
import type { Address } from '@libp2p/interface'
import { isPrivate, loopbackAddressLast, publicAddressesFirst } from '@libp2p/utils'
import {
  CODE_P2P,
  CODE_P2P_CIRCUIT,
  CODE_WEBRTC,
  CODE_WEBRTC_DIRECT,
  CODE_WS,
  CODE_WSS,
  type Multiaddr
} from '@multiformats/multiaddr'

/** The ways to a peer, in the order in which another Node peer tries them. */
const WAYS = ['tcp', 'ws', 'circuit', 'webrtc-direct', 'webrtc'] as const
type Way = (typeof WAYS)[number]

function wayOf(addr: Multiaddr): Way {
  const codes = new Set(addr.getComponents().map(({ code }) => code))
  if (codes.has(CODE_WEBRTC)) return 'webrtc'
  if (codes.has(CODE_WEBRTC_DIRECT)) return 'webrtc-direct'
  if (codes.has(CODE_P2P_CIRCUIT)) return 'circuit'
  return codes.has(CODE_WS) || codes.has(CODE_WSS) ? 'ws' : 'tcp'
}

/**
 * The order of a dial, which tries one address after the other: WebRTC last, because in Node it is ten times slower
 * than the others and each try makes a native connection; a WebSocket in a private network after a circuit, because
 * where it can be reached, TCP could be as well. Otherwise as libp2p has it.
 */
export function byDialOrder(a: Address, b: Address): -1 | 0 | 1 {
  return (
    lower(turnOf(a.multiaddr), turnOf(b.multiaddr)) ||
    loopbackAddressLast(a.multiaddr, b.multiaddr) ||
    publicAddressesFirst(a.multiaddr, b.multiaddr) ||
    lower(Number(b.isCertified), Number(a.isCertified))
  )
}

function turnOf(addr: Multiaddr): number {
  const way = wayOf(addr)
  return way === 'ws' && isPrivate(addr) ? WAYS.indexOf('circuit') + 0.5 : WAYS.indexOf(way)
}

function lower(a: number, b: number): -1 | 0 | 1 {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Where libp2p is reached by WebSocket at an http(s) URL. */
export function addrOfUrl({ protocol, hostname, port }: URL): string {
  const secure = protocol === 'https:'
  const name = hostname.replace(/^\[|\]$/g, '')
  const kind = isIP(name) === 4 ? 'ip4' : isIP(name) === 6 ? 'ip6' : 'dns4'
  return `/${kind}/${name}/tcp/${port || (secure ? 443 : 80)}${secure ? '/tls' : ''}/ws`
}

/** Those that begin with none of the others. */
export function without(addrs: Multiaddr[], others: string[]): Multiaddr[] {
  return addrs.filter(addr => !others.some(other => `${addr}/`.startsWith(`${other}/`)))
}

/**
 * What a peer tells of its addresses, where it has many (bridges of containers, several relays with several names):
 * some of every way, so that a page finds one for WebRTC and a relay one for TCP, and of the ways that lead over relays
 * some over each. Loopback last: it helps on this machine only.
 */
export function announced(addrs: Multiaddr[], max: number): Multiaddr[] {
  if (addrs.length <= max) return addrs
  const rows = Map.groupBy(addrs, wayOf)
  for (const [way, row] of rows) rows.set(way, overEachRelay(row.sort(loopbackAddressLast)))
  const chosen = new Set<Multiaddr>()
  for (let i = 0; chosen.size < max; i++) {
    for (const way of WAYS) {
      const addr = rows.get(way)?.[i]
      if (addr != null && chosen.size < max) chosen.add(addr)
    }
  }
  return addrs.filter(addr => chosen.has(addr))
}

/** One over each relay, then a second one over each, and so on. */
function overEachRelay(addrs: Multiaddr[]): Multiaddr[] {
  const rows = [...Map.groupBy(addrs, relayOf).values()]
  const longest = Math.max(...rows.map(row => row.length))
  return Array.from({ length: longest }, (_, i) => rows.flatMap(row => row[i] ?? [])).flat()
}

function relayOf(addr: Multiaddr): string | undefined {
  const components = addr.getComponents()
  const circuit = components.findIndex(({ code }) => code === CODE_P2P_CIRCUIT)
  return components.slice(0, Math.max(0, circuit)).findLast(({ code }) => code === CODE_P2P)?.value
}
