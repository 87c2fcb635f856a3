import { bestConnection, routeOf } from '@hedgerow/protocols/invocation/web'
import type { PeerEntry, View } from '@hedgerow/protocols/view'
import type { Connection } from '@libp2p/interface'
import type { PeerInfo, ServiceInfo, ServiceLoad } from './index.ts'

export interface InfoComponents {
  view: View
  connectionsTo(peer: string): Connection[]
  /** milliseconds; undefined before the first measurement */
  roundTrip(peer: string): number | undefined
  /** milliseconds of the view's clock */
  now(): number
}

/** What is known of one peer, in the words of the public interface. */
export function peerInfo({ advert, lastSeen, loads, silent }: PeerEntry, components: InfoComponents): PeerInfo {
  const { peerId, name, role, version, services, capabilities, url } = advert
  const best = bestConnection(components.connectionsTo(peerId))
  const route = best == null ? undefined : routeOf(best)
  return {
    peerId,
    name,
    role,
    version,
    path: route == null || route.path === 'local' ? 'none' : route.path,
    transport: route?.transport ?? 'none',
    roundTrip: components.roundTrip(peerId),
    silent,
    silentFor: Math.max(0, components.now() - lastSeen),
    services: services.map(({ contract }) => contract.name),
    loads: Object.fromEntries(Array.from(loads, ([service, { report }]): [string, ServiceLoad] => [service, report])),
    capabilities,
    url
  }
}

export function serviceInfos(view: View): ServiceInfo[] {
  return Array.from(view.services(), ({ name, title, version, aliases, replicas }) => ({
    name,
    title,
    version,
    aliases,
    wanted: replicas,
    workers: view.candidates(name).map(({ peerId }) => peerId)
  }))
}
