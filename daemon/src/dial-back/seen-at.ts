import type { Connection } from '@libp2p/interface'
import {
  CODE_DNS,
  CODE_DNS4,
  CODE_DNS6,
  CODE_IP4,
  CODE_IP6,
  CODE_P2P_CIRCUIT,
  CODE_WEBRTC,
  CODE_WS,
  CODE_WSS
} from '@multiformats/multiaddr'
import { networkKindOf } from './network.ts'

const HOSTS = new Set([CODE_IP4, CODE_IP6, CODE_DNS, CODE_DNS4, CODE_DNS6])

/**
 * Where a peer is, as its connections show: IP addresses, and names that this peer has dialled. What came in by WebSocket from this machine says nothing: proxies and tunnels
 * bring the world from there, and so does this peer's own HTTP port.
 */
export function seenAt(connections: readonly Pick<Connection, 'remoteAddr' | 'direction' | 'status'>[]): Set<string> {
  const hosts = new Set<string>()
  for (const { remoteAddr, direction, status } of connections) {
    if (status !== 'open') continue
    const components = remoteAddr.getComponents()
    const codes = new Set(components.map(({ code }) => code))
    if (codes.has(CODE_P2P_CIRCUIT) || codes.has(CODE_WEBRTC)) continue
    const host = components.find(({ code }) => HOSTS.has(code))?.value
    if (host == null) continue
    const isCarried = direction === 'inbound' && (codes.has(CODE_WS) || codes.has(CODE_WSS))
    if (isCarried && networkKindOf(host) === 'loopback') continue
    hosts.add(host)
  }
  return hosts
}
