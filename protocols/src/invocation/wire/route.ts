/** What a connection runs over, read from its address. */
import type { Connection } from '@libp2p/interface'
import {
  CODE_IP4,
  CODE_IP6,
  CODE_MEMORY,
  CODE_P2P_CIRCUIT,
  CODE_TCP,
  CODE_WEBRTC,
  CODE_WEBRTC_DIRECT,
  CODE_WS,
  CODE_WSS,
  type Component
} from '@multiformats/multiaddr'
import type { Route, Transport } from '../index.ts'

type AddressedConnection = Pick<Connection, 'remoteAddr' | 'limits'>

/** A relayed connection's transport is that of its first hop. */
export function routeOf(connection: AddressedConnection): Route {
  const components = connection.remoteAddr.getComponents()
  const circuit = components.findLastIndex(({ code }) => code === CODE_P2P_CIRCUIT)
  // WebRTC signals through a relay, whose address stays in front of its own; the connection itself is direct.
  const beyond = components.slice(circuit + 1)
  if (connection.limits == null && (circuit === -1 || beyond.some(({ code }) => code === CODE_WEBRTC))) {
    return { path: 'direct', transport: transportOf(beyond) }
  }
  return { path: 'relayed', transport: transportOf(circuit === -1 ? components : components.slice(0, circuit)) }
}

function transportOf(components: Component[]): Transport {
  const has = (...codes: number[]): boolean => components.some(({ code }) => codes.includes(code))
  if (has(CODE_WEBRTC_DIRECT)) return 'webrtc-direct'
  if (has(CODE_WEBRTC)) return 'webrtc'
  if (has(CODE_WS, CODE_WSS)) return 'ws'
  if (has(CODE_TCP)) return 'tcp'
  if (has(CODE_MEMORY)) return 'memory'
  return 'unknown'
}

/** Direct before relayed, and WebRTC last: in Node it is about ten times slower than the others. */
export function rankOf({ path, transport }: Route): number {
  const slow = transport === 'webrtc' || transport === 'webrtc-direct' ? 1 : 0
  return (path === 'relayed' ? 2 : 0) + slow
}

/** @returns undefined when none is open */
export function bestConnection<C extends AddressedConnection & Pick<Connection, 'status'>>(
  connections: C[]
): C | undefined {
  let best: C | undefined
  let bestRank = Number.POSITIVE_INFINITY
  for (const connection of connections) {
    if (connection.status !== 'open') continue
    const rank = connections.length === 1 ? 0 : rankOf(routeOf(connection))
    if (rank < bestRank) {
      best = connection
      bestRank = rank
    }
  }
  return best
}

/** Where a direct connection comes from; undefined for a relayed one, whose address is the relay's. */
export function ipOf(connection: AddressedConnection): { address: string; family: string; port: number } | undefined {
  if (routeOf(connection).path === 'relayed') return undefined
  const components = connection.remoteAddr.getComponents()
  const ip = components.find(({ code }) => code === CODE_IP4 || code === CODE_IP6)
  const tcp = components.find(({ code }) => code === CODE_TCP)
  if (ip?.value == null) return undefined
  return { address: ip.value, family: ip.code === CODE_IP4 ? 'IPv4' : 'IPv6', port: Number(tcp?.value ?? 0) }
}
