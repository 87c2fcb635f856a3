import type { MeshSource, PeerInfo, Service, Stats, Via } from '../source/index.ts'

export interface ServiceRow {
  name: string
  wanted: number
  found: number
  healthy: number
  in_flight: number
  queued: number
  /** requests that its workers run at once, together */
  concurrency: number
  /** to the first byte, the mean of its workers; null before any request */
  latency_ms: number | null
  /** the worst of its workers, 0 to 1 */
  error_rate: number
  /** requests a second that entered at the peer that was asked; null in the first snapshot */
  requests_per_s: number | null
}

export interface Snapshot {
  at: string
  via: Via
  services: ServiceRow[]
  peers: PeerInfo[]
  /** of requests that entered at the peer that was asked */
  totals: { requests: number; failed: number; retried: number; requests_per_s: number | null }
}

/** What the next snapshot needs of the one before, for rates. */
export interface Previous {
  at: number
  stats: Stats
}

export async function takeSnapshot(
  source: MeshSource,
  previous: Previous | undefined,
  signal: AbortSignal
): Promise<{ snapshot: Snapshot; previous: Previous }> {
  const [peers, services, stats] = await Promise.all([
    source.peers(signal),
    source.services(signal),
    source.stats(signal)
  ])
  const at = performance.now()
  const snapshot: Snapshot = {
    at: new Date().toISOString(),
    via: source.via,
    services: services.map(service => serviceRow(service, peers, rateOf(service.name, stats, at, previous))),
    peers: peers.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true })),
    totals: totalsOf(stats, at, previous)
  }
  snapshot.services.sort(
    (a, b) => b.in_flight + b.queued - (a.in_flight + a.queued) || a.name.localeCompare(b.name, 'en')
  )
  return { snapshot, previous: { at, stats } }
}

export function serviceRow(
  { name, wanted, found, healthy, workers }: Service,
  peers: PeerInfo[],
  requests_per_s: number | null
): ServiceRow {
  const loads = peers
    .filter(({ peer_id }) => workers.includes(peer_id))
    .flatMap(({ load }) => load.services[name] ?? [])
  const measured = loads.filter(({ latency_ms }) => latency_ms > 0)
  const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0)
  return {
    name,
    wanted,
    found,
    healthy,
    in_flight: sum(loads.map(({ in_flight }) => in_flight)),
    queued: sum(loads.map(({ queued }) => queued)),
    concurrency: sum(loads.map(({ concurrency }) => concurrency)),
    latency_ms: measured.length === 0 ? null : sum(measured.map(({ latency_ms }) => latency_ms)) / measured.length,
    error_rate: Math.max(0, ...loads.map(({ error_rate }) => error_rate)),
    requests_per_s
  }
}

function rateOf(service: string, stats: Stats, at: number, previous: Previous | undefined): number | null {
  if (previous == null) return null
  const now = stats.per_service[service]?.requests ?? 0
  return perSecond(now - (previous.stats.per_service[service]?.requests ?? 0), at - previous.at)
}

function totalsOf(stats: Stats, at: number, previous: Previous | undefined): Snapshot['totals'] {
  const requests = requestsIn(stats)
  return {
    requests,
    failed: stats.routing.failed_requests,
    retried: stats.routing.retried_requests,
    requests_per_s: previous == null ? null : perSecond(requests - requestsIn(previous.stats), at - previous.at)
  }
}

function requestsIn({ per_service }: Stats): number {
  return Object.values(per_service).reduce((total, { requests }) => total + requests, 0)
}

/** A restart in between begins to count anew: that is no negative rate. */
function perSecond(requests: number, ms: number): number {
  return Math.round((Math.max(0, requests) / Math.max(1, ms)) * 10_000) / 10
}
