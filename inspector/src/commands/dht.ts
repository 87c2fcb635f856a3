import { PEER_ID_PATTERN } from '@hedgerow/protocols/ids'
import { InspectorError } from '../errors.ts'
import type { Advert, DhtProviders, DhtStats, DhtTopology, MeshSource, Via } from '../source/index.ts'
import { resolvePeer } from './resolve.ts'
import { unknownService } from './services.ts'

export interface ProvidersReport extends DhtProviders {
  via: Via
  names: Record<string, string>
}

/** Who provides a service, walked afresh. */
export async function dhtProviders(source: MeshSource, service: string, signal: AbortSignal): Promise<ProvidersReport> {
  const [found, peers] = await Promise.all([source.dht.providers(service, signal), source.names(signal)])
  if (found.providers.length === 0) await mustBeKnown(source, service, signal)
  return { via: source.via, ...found, names: Object.fromEntries(peers.map(({ peer_id, name }) => [peer_id, name])) }
}

async function mustBeKnown(source: MeshSource, service: string, signal: AbortSignal): Promise<void> {
  const services = await source.services(signal)
  if (!services.some(({ name, aliases }) => name === service || aliases.includes(service)))
    throw await unknownService(source, service, signal)
}

export interface AdvertReport {
  via: Via
  advert: Advert
}

/** A peer's advert as it lies in the DHT. A whole id need not be known to anybody. */
export async function dhtGet(source: MeshSource, given: string, signal: AbortSignal): Promise<AdvertReport> {
  const peerId = await source.names(signal).then(peers => {
    try {
      return resolvePeer(peers, given).peer_id
    } catch (err) {
      if (err instanceof InspectorError && WHOLE_ID.test(given)) return given
      throw err
    }
  })
  return { via: source.via, advert: await source.dht.advert(peerId, signal) }
}

const WHOLE_ID = new RegExp(PEER_ID_PATTERN)

export interface TopologyReport extends DhtTopology {
  via: Via
  stats: DhtStats
}

export async function dhtTopology(source: MeshSource, signal: AbortSignal): Promise<TopologyReport> {
  const [topology, stats] = await Promise.all([source.dht.topology(signal), source.dht.stats(signal)])
  return { via: source.via, ...topology, stats }
}
