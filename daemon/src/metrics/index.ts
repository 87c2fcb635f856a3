/**
 * What Prometheus reads at `/metrics`. Labels come from closed sets: known services, status classes, paths.
 */
import type { Dispatcher } from '@hedgerow/protocols/dispatch'
import type { View } from '@hedgerow/protocols/view'
import type { Libp2p } from '@libp2p/interface'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { IngressRecord } from '../ingress/index.ts'
import type { ServiceLoad } from '../presence/index.ts'
import type { Tunnel } from '../tunnel/index.ts'

export interface MetricsComponents {
  node: Libp2p
  view: View
  dispatcher: Pick<Dispatcher, 'stats'>
  loads(): ServiceLoad[]
  /** left out where none is run */
  tunnel?: Pick<Tunnel, 'status' | 'restarts'>
}

export interface Metrics {
  registry: Registry
  record(record: IngressRecord): void
}

/** Seconds: from an answer out of memory to a page of OCR. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

export function createMetrics({ node, view, dispatcher, loads, tunnel }: MetricsComponents): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })

  const requests = new Counter({
    name: 'hedgerow_requests_total',
    help: 'Requests that entered the mesh here, by service, status and path to the worker',
    labelNames: ['service', 'status', 'path'],
    registers
  })
  const duration = new Histogram({
    name: 'hedgerow_request_duration_seconds',
    help: 'From arrival to the last byte of the answer',
    labelNames: ['service'],
    buckets: BUCKETS,
    registers
  })
  const gauge = (name: string, help: string, labelNames: string[], collect: (self: Gauge) => void): void => {
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset()
        collect(this)
      }
    })
  }
  const total = (name: string, help: string, value: () => number): void => {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(value())
      }
    })
  }
  total('hedgerow_dispatch_retries_total', 'Attempts beyond the first', () => dispatcher.stats().retried_requests)
  total(
    'hedgerow_dispatch_hedges_total',
    'Second requests sent because the first was slow',
    () => dispatcher.stats().hedged_requests
  )
  total(
    'hedgerow_dispatch_failures_total',
    'Requests that no worker could answer',
    () => dispatcher.stats().failed_requests
  )
  total('hedgerow_dht_lookups_total', 'Times the DHT was asked for a service', () => dispatcher.stats().dht_lookups)
  gauge('hedgerow_in_flight', 'Requests that run on this worker', ['service'], self => {
    for (const { service, inFlight } of loads()) self.set({ service }, inFlight)
  })
  gauge('hedgerow_queued', 'Requests that wait on this worker', ['service'], self => {
    for (const { service, queued } of loads()) self.set({ service }, queued)
  })
  gauge('hedgerow_service_workers', 'Workers that offer a service, as this peer sees it', ['service'], self => {
    for (const { name } of view.services()) self.set({ service: name }, view.candidates(name).length)
  })
  gauge('hedgerow_peers', 'Peers this peer knows, by role', ['role'], self => {
    for (const { advert } of view.peers()) self.inc({ role: advert.role })
  })
  gauge('hedgerow_connections', 'Open connections, by path', ['path'], self => {
    for (const { limits } of node.getConnections()) self.inc({ path: limits == null ? 'direct' : 'relayed' })
  })
  if (tunnel != null) {
    gauge('hedgerow_tunnel_up', 'Whether the world gets through the tunnel of this peer', [], self =>
      self.set(tunnel.status().state === 'ready' ? 1 : 0)
    )
    total('hedgerow_tunnel_restarts_total', 'Starts of the tunnel beyond the first', () => tunnel.restarts)
  }

  return {
    registry,
    record({ service, status, duration: ms, path }) {
      // A caller can name any service; only those that exist become labels.
      const label = view.resolve(service) ?? 'unknown'
      requests.inc({ service: label, status: `${Math.floor(status / 100)}xx`, path })
      duration.observe({ service: label }, ms / 1000)
    }
  }
}
