import { ROLES } from '@hedgerow/protocols/advert'
import type { Gate } from '@hedgerow/protocols/gate'
import { routeOf } from '@hedgerow/protocols/invocation/node'
import { CREDENTIAL_FAULTS } from '@hedgerow/protocols/membership'
import type { View } from '@hedgerow/protocols/view'
import type { GossipCounts } from '../discovery/index.ts'
import type { Membership } from '../membership/index.ts'
import type { Node } from '../node/index.ts'
import type { RefusalCounts } from '../peer/refusals.ts'
import { type Instruments, one, type Sample, tally } from './instruments.ts'

export interface NetworkComponents {
  node: Node
  view: Pick<View, 'peer' | 'peers'>
  gate: Pick<Gate, 'isMember'>
  membership: Pick<Membership, 'credential'>
  gossip: { readonly counts: GossipCounts }
  refusals: RefusalCounts
}

/** Whom this peer is connected with and how, what it hears, and whether the others believe it. */
export function networkMetrics(
  instruments: Instruments,
  { node, view, gate, membership, gossip, refusals }: NetworkComponents
): void {
  instruments.gauge('hedgerow_peers', 'Peers this peer knows, by role', ['role'], () =>
    tally(
      'role',
      ROLES,
      Array.from(view.peers(), ({ advert }) => advert.role)
    )
  )
  instruments.gauge('hedgerow_connected_peers', 'Peers this peer is connected with, by role', ['role'], () =>
    tally(
      'role',
      [...ROLES, 'unknown'],
      node.getPeers().map(peer => view.peer(peer.toString())?.advert.role ?? 'unknown')
    )
  )
  instruments.gauge('hedgerow_connections', 'Open connections, by path and transport', ['path', 'transport'], () => {
    const counts = new Map<string, number>()
    for (const connection of node.getConnections()) {
      const { path, transport } = routeOf(connection)
      const key = `${path} ${transport}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    return Array.from(counts, ([key, count]): Sample => {
      const [path = '', transport = ''] = key.split(' ')
      return [{ path, transport }, count]
    })
  })
  instruments.counter(
    'hedgerow_gossip_messages_total',
    'Gossip messages that came in, by topic and by what became of them (news, known, invalid, flood)',
    ['topic', 'verdict'],
    function* () {
      for (const [topic, verdicts] of Object.entries(gossip.counts))
        for (const [verdict, count] of Object.entries(verdicts)) yield [{ topic, verdict }, count]
    }
  )
  instruments.gauge('hedgerow_dht_routing_table_peers', 'Peers in the routing table of the DHT', [], () =>
    one(node.services.dht.getMode() === 'client' ? 0 : routingTableSize(node.services.dht))
  )
  instruments.gauge('hedgerow_members_connected', 'Peers connected that have proven to be members', [], () =>
    one(node.getPeers().filter(peer => gate.isMember(peer.toString())).length)
  )
  instruments.counter(
    'hedgerow_membership_refusals_total',
    'Connections that ended because one side does not believe the other, by fault and by who refused (us, them)',
    ['fault', 'by'],
    function* () {
      for (const by of ['us', 'them'] as const)
        for (const fault of CREDENTIAL_FAULTS) yield [{ fault, by }, refusals.count(by, fault)]
    }
  )
  instruments.gauge(
    'hedgerow_credential_expiry_timestamp_seconds',
    "When this peer's own credential ends; renewed says whether it is renewed by itself. None in an open mesh",
    ['renewed'],
    () => {
      const credential = membership.credential()
      return credential == null
        ? []
        : [[{ renewed: String(credential.renewed) }, Date.parse(credential.expires_at) / 1000]]
    }
  )
}

/** kad-dht has it, and its types don't say so. */
function routingTableSize(dht: object): number {
  const table = 'routingTable' in dht ? dht.routingTable : undefined
  return typeof table === 'object' && table != null && 'size' in table && typeof table.size === 'number'
    ? table.size
    : 0
}
