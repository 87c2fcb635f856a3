import type { PeerEntry } from '@hedgerow/protocols/view'
import type { ServiceManifest } from '../manifest/index.ts'
import type { PlaceableService, PlacementWorker } from './index.ts'

export function placeable({ contract, needs, backend, everywhere }: ServiceManifest): PlaceableService {
  const { name, tier } = contract
  const replicas = everywhere ? Number.POSITIVE_INFINITY : contract.replicas
  return { name, tier, replicas, needs, everywhere: backend.type === 'url' || backend.type === 'tcp' }
}

/**
 * The workers that a view knows to be alive. Of itself a worker knows more than its last advert says.
 *
 * @param own this worker as it is now
 */
export function liveWorkers(peers: Iterable<PeerEntry>, own: PlacementWorker): PlacementWorker[] {
  const workers = [own]
  for (const { advert, silent } of peers) {
    if (advert.role !== 'worker' || silent || advert.peerId === own.peerId) continue
    workers.push({
      peerId: advert.peerId,
      capabilities: advert.capabilities,
      eligible: advert.eligible,
      services: advert.services.map(({ contract }) => contract.name)
    })
  }
  return workers
}
