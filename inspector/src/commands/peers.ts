import type { MeshSource, PeerInfo, Via } from '../source/index.ts'

export interface PeersReport {
  via: Via
  peers: PeerInfo[]
  count: number
  /** from where pages are connected directly with workers */
  direct_paths?: string
  /** whether nobody joins the mesh without a credential */
  closed?: boolean
}

/** Relays first, then workers, by name. */
export async function listPeers(source: MeshSource, signal: AbortSignal): Promise<PeersReport> {
  const [found, directPaths, closed] = await Promise.all([
    source.peers(signal),
    source.directPaths(signal).catch(() => undefined),
    source.isClosed(signal).catch(() => undefined)
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
    ...(closed == null ? {} : { closed })
  }
}
