import type { Snapshot } from '../commands/top.ts'
import type { PeerInfo } from '../source/index.ts'
import { milliseconds, NONE, percent, shortId, way } from './format.ts'
import { lastSeen, seenFrom } from './peers.ts'
import { printable, type Style } from './style.ts'
import { table } from './table.ts'

/** Share of failed requests from which on it is coloured. */
const ALARMING = 0.01

export function renderTop(snapshot: Snapshot, style: Style): string {
  const { at, via, services, peers, totals } = snapshot
  const rate = totals.requests_per_s == null ? '' : `, ${totals.requests_per_s} a second`
  return [
    `${style.paint('bold', 'hedgerow top')}  ${at.slice(11, 19)} UTC  ${seenFrom(via)}\n` +
      `requests that entered there: ${totals.requests}${rate}, ${totals.failed} failed, ${totals.retried} retried`,
    services.length === 0 ? 'no service is known' : serviceTable(snapshot, style),
    peers.length === 0 ? 'no peer is known' : peerTable(peers, style)
  ].join('\n\n')
}

function serviceTable({ services }: Snapshot, style: Style): string {
  const right = (title: string) => ({ title, align: 'right' as const })
  return table(
    [
      { title: 'SERVICE' },
      right('WORKERS'),
      right('IN FLIGHT'),
      right('OF'),
      right('QUEUED'),
      right('LATENCY'),
      right('ERRORS'),
      right('ENTERED/S')
    ],
    services.map(row => [
      style.paint(row.healthy === 0 ? 'red' : 'bold', printable(row.name)),
      row.healthy === row.found ? String(row.found) : style.paint('yellow', `${row.healthy} of ${row.found}`),
      busy(row.in_flight, style),
      row.concurrency === 0 ? NONE : String(row.concurrency),
      row.queued === 0 ? '0' : style.paint('yellow', String(row.queued)),
      milliseconds(row.latency_ms),
      row.error_rate < ALARMING ? percent(row.error_rate) : style.paint('red', percent(row.error_rate)),
      row.requests_per_s == null ? NONE : String(row.requests_per_s)
    ]),
    style
  )
}

function peerTable(peers: PeerInfo[], style: Style): string {
  const right = (title: string) => ({ title, align: 'right' as const })
  return table(
    [
      { title: 'PEER' },
      { title: 'ROLE' },
      { title: 'ID' },
      right('SERVICES'),
      right('IN FLIGHT'),
      right('QUEUED'),
      { title: 'PATH' },
      right('RTT'),
      right('LAST SEEN')
    ],
    peers.map(peer => [
      style.paint('bold', printable(peer.name)),
      printable(peer.role),
      shortId(peer.peer_id),
      String(peer.services.length),
      busy(peer.load.in_flight, style),
      String(peer.load.queued),
      way(peer.path, peer.transport),
      peer.path === 'local' ? NONE : milliseconds(peer.round_trip_ms),
      lastSeen(peer, style)
    ]),
    style
  )
}

function busy(inFlight: number, { paint }: Style): string {
  return inFlight === 0 ? '0' : paint('green', String(inFlight))
}
