import type { MeshSource, PeerDetails, Via } from '../source/index.ts'
import { findPeer } from './resolve.ts'

export interface InspectReport extends PeerDetails {
  via: Via
}

export async function inspectPeer(source: MeshSource, given: string, signal: AbortSignal): Promise<InspectReport> {
  const { peer_id } = await findPeer(source, given, signal)
  return { via: source.via, ...(await source.inspect(peer_id, signal)) }
}
