import type { MeshSource, PeerInfo, Via } from '../source/index.ts'

export interface PeersReport {
  via: Via
  peers: PeerInfo[]
  count: number
  /** from where pages are connected directly with workers */
  direct_paths?: string
  /** whether only members are in it */
  closed?: boolean
}

/** Relays first, then workers, by name. */
export async function listPeers(source: MeshSource, signal: AbortSignal): Promise<PeersReport> {
  const [found, directPaths, place] = await Promise.all([
    source.peers(signal),
    source.directPaths(signal).catch(() => undefined),
    source.mesh(signal).catch(() => undefined)
  ])
  const peers = found.sort(
    (a, b) =>
      Number(b.role === 'relay') - Number(a.role === 'relay') || a.name.localeCompare(b.name, 'en', { numeric: true })
  )
  return {
    via: source.via,
    peers,
    count: peers.length,
    ...(directPaths == null ? {} : { direct_paths: directPaths }),
    ...(place == null ? {} : { closed: place.closed })
  }
}
