import type { MeshSource, PeerInfo, Via } from '../source/index.ts'

export interface PeersReport {
  via: Via
  peers: PeerInfo[]
  count: number
}

/** Relays first, then workers, by name. */
export async function listPeers(source: MeshSource, signal: AbortSignal): Promise<PeersReport> {
  const peers = (await source.peers(signal)).sort(
    (a, b) =>
      Number(b.role === 'relay') - Number(a.role === 'relay') || a.name.localeCompare(b.name, 'en', { numeric: true })
  )
  return { via: source.via, peers, count: peers.length }
}
