import type { ProvidersReport, TopologyReport } from '../commands/dht.ts'
import { count, NONE, shortId } from './format.ts'
import { seenFrom } from './peers.ts'
import { printable, type Style } from './style.ts'
import { table } from './table.ts'

export function renderProviders({ service, cid, providers, names, via }: ProvidersReport, style: Style): string {
  const head = `${style.paint('bold', printable(service))}  ${printable(cid)}`
  const foot = style.paint('dim', `${count(providers.length, 'provider')}, ${seenFrom(via)}`)
  if (providers.length === 0) return `${head}\n\n${foot}`
  const rows = providers.map(({ peer_id, addrs }) => [
    printable(names[peer_id] ?? NONE),
    printable(peer_id),
    addressLines(addrs, peer_id)
  ])
  return `${head}\n${table([{ title: 'NAME' }, { title: 'PEER' }, { title: 'ADDRESSES', flexible: true }], rows, style)}\n\n${foot}`
}

/** Enough to see how a peer may be reached. */
const MAX_ADDRS = 4

/** Direct ones first; whose they are says the column before. */
function addressLines(addrs: string[], peerId: string): string {
  const all = [...new Set(addrs.map(addr => addr.replace(new RegExp(`/p2p/${peerId}$`), '')))]
  const sorted = all.toSorted((a, b) => Number(a.includes('/p2p-circuit')) - Number(b.includes('/p2p-circuit')))
  const shown = sorted.slice(0, MAX_ADDRS).map(printable)
  if (sorted.length > MAX_ADDRS) shown.push(`and ${sorted.length - MAX_ADDRS} more (--json has them)`)
  return shown.join('\n') || NONE
}

export function renderTopology({ stats, peers, connections, via }: TopologyReport, style: Style): string {
  const names = new Map(peers.map(({ peer_id, name }) => [peer_id, name]))
  const peerRows = peers.map(({ peer_id, name, role, connected, addrs }) => [
    printable(name ?? NONE),
    printable(role ?? NONE),
    shortId(peer_id),
    connected ? style.paint('green', 'yes') : 'no',
    String(addrs.length)
  ])
  const connectionRows = connections.map(({ peer_id, addr, direction, limited }) => [
    printable(names.get(peer_id) ?? NONE),
    shortId(peer_id),
    printable(direction),
    limited ? 'relayed' : 'direct',
    // Whose it is says the column before.
    printable(addr.replace(`/p2p/${peer_id}`, ''))
  ])
  return [
    `mesh ${printable(stats.mesh)}, ${printable(stats.mode)} of the DHT, routing table of ${stats.routing_table_size}, connected to ${count(stats.connected_peers, 'peer')}`,
    table(
      [
        { title: 'NAME' },
        { title: 'ROLE' },
        { title: 'PEER' },
        { title: 'CONNECTED' },
        { title: 'ADDRESSES', align: 'right' }
      ],
      peerRows,
      style
    ),
    table(
      [
        { title: 'CONNECTION' },
        { title: 'PEER' },
        { title: 'OPENED' },
        { title: 'PATH' },
        { title: 'ADDRESS', flexible: true }
      ],
      connectionRows,
      style
    ),
    style.paint('dim', seenFrom(via))
  ].join('\n\n')
}
