import type { PeersReport } from '../commands/peers.ts'
import type { PeerInfo, Via } from '../source/index.ts'
import { age, count, milliseconds, NONE, shortId, way } from './format.ts'
import { printable, type Style } from './style.ts'
import { type Column, table } from './table.ts'

const COLUMNS: Column[] = [
  { title: 'NAME' },
  { title: 'ROLE' },
  { title: 'PEER' },
  { title: 'SERVICES', flexible: true },
  { title: 'LOAD', align: 'right' },
  { title: 'PATH' },
  { title: 'RTT', align: 'right' },
  { title: 'LAST SEEN', align: 'right' }
]

export function renderPeers({ via, peers, direct_paths, closed }: PeersReport, style: Style): string {
  if (peers.length === 0) return `no peer is known ${seenFrom(via)}`
  const open = 'this mesh is open: whoever reaches it is in it; nothing confidential belongs here'
  return `${table(
    COLUMNS,
    peers.map(peer => row(peer, style)),
    style
  )}\n\n${style.paint('dim', `${count(peers.length, 'peer')}, ${seenFrom(via)}`)}${
    // Where all are on one network nobody needs more.
    direct_paths === 'local_network' && peers.some(({ path }) => path === 'relayed')
      ? `\n${style.paint('yellow', `pages ${directPaths(direct_paths)}`)}`
      : ''
  }${closed === false ? `\n${style.paint('yellow', open)}` : ''}`
}

/** From where pages are connected with a peer directly, and what to do about it. */
export function directPaths(said: string | undefined): string {
  if (said === 'anywhere') return 'can be connected directly from anywhere'
  if (said === 'local_network')
    return 'are connected directly within one network only, elsewhere over a relay: set HEDGEROW_ICE_SERVERS at the relays, as in stun:stun.example.org:3478'
  return NONE
}

function row(peer: PeerInfo, style: Style): string[] {
  return [
    style.paint('bold', printable(peer.name)),
    printable(peer.role),
    shortId(peer.peer_id),
    peer.services.map(printable).join(', ') || NONE,
    peer.role === 'worker' ? loadOf(peer) : NONE,
    way(peer.path, peer.transport),
    peer.path === 'local' ? NONE : milliseconds(peer.round_trip_ms),
    lastSeen(peer, style)
  ]
}

/** Requests in flight, and those that wait. */
export function loadOf({ load }: PeerInfo): string {
  return load.queued === 0 ? String(load.in_flight) : `${load.in_flight} + ${load.queued} queued`
}

/** When it was last heard of, unless there is something more important to say. */
export function lastSeen(peer: PeerInfo, style: Style): string {
  if (peer.path === 'local') return NONE
  return condition(peer, style) ?? age(peer.last_seen, style.now)
}

/** What is wrong with a peer, if anything is. */
export function condition(peer: PeerInfo, { paint, now }: Style): string | undefined {
  if (peer.reachable === false) return paint('red', 'unreachable')
  if (peer.ejected_for_ms > 0) return paint('red', `ejected for ${milliseconds(peer.ejected_for_ms)}`)
  if (peer.silent) return paint('yellow', `silent, ${age(peer.last_seen, now)}`)
  return undefined
}

/** Whose view it is. */
export function seenFrom(via: Via): string {
  return via.mode === 'daemon'
    ? `seen from ${printable(via.name)} (${via.url})`
    : `seen from a peer of its own, joined through ${via.url}`
}
