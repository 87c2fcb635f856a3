/**
 * What Prometheus reads at `/metrics`. Labels come from closed sets: services that ship or are offered, classes of
 * status, outcomes, paths, roles, faults. Nothing that a stranger makes up becomes one.
 *
 * @example
 * ```ts
 * const metrics = createMetrics({ node, view, dispatcher, services, ... })
 * metrics.record(ingressRecord)
 * await metrics.registry.metrics() // '# HELP hedgerow_requests_total ...'
 * ```
 */
import type { Role } from '@hedgerow/protocols/advert'
import type { Dispatcher } from '@hedgerow/protocols/dispatch'
import type { View } from '@hedgerow/protocols/view'
import { collectDefaultMetrics, Registry } from 'prom-client'
import type { AuditLog } from '../audit/index.ts'
import type { IngressRecord } from '../ingress/index.ts'
import type { ServiceHost } from '../peer/index.ts'
import type { Traces } from '../tracing/index.ts'
import type { Tunnel } from '../tunnel/index.ts'
import { connectionMetrics } from './connections.ts'
import { type EntryComponents, entryMetrics } from './entry.ts'
import { Instruments, one } from './instruments.ts'
import { type NetworkComponents, networkMetrics } from './network.ts'
import { requestMetrics } from './requests.ts'
import { ServiceLabels } from './service-labels.ts'
import { serviceMetrics } from './services.ts'
import { traceMetrics } from './traces.ts'

export interface MetricsComponents extends NetworkComponents {
  self: { role: Role; version: string }
  view: View
  dispatcher: Pick<Dispatcher, 'stats'>
  services: Pick<ServiceHost, 'loads' | 'assigned' | 'report' | 'contracts'>
  audit: Pick<AuditLog, 'lost'>
  entry: EntryComponents
  /** left out where none is run */
  tunnel?: Pick<Tunnel, 'status' | 'restarts'>
  /** left out where none are recorded */
  traces?: Pick<Traces, 'counts'> | undefined
}

export interface Metrics {
  registry: Registry
  record(record: IngressRecord): void
  /** a connection of TCP that has ended or was refused */
  recordConnection(record: IngressRecord): void
}

/** Of those that prom-client brings, gauges that are named as counters. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total']

export function createMetrics(components: MetricsComponents): Metrics {
  const { self, view, dispatcher, services, audit, tunnel, traces } = components
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  for (const name of MISNAMED) registry.removeSingleMetric(name)

  const instruments = new Instruments(registry)
  const labels = new ServiceLabels(
    services.contracts().map(({ name }) => name),
    view
  )
  instruments.gauge('hedgerow_info', 'Which kind of peer this is, and its version', ['role', 'version'], () => [
    [{ role: self.role, version: self.version }, 1]
  ])
  instruments.counter('hedgerow_audit_lines_lost_total', 'Lines of the audit log that could not be written', [], () =>
    one(audit.lost)
  )
  if (tunnel != null) {
    instruments.gauge('hedgerow_tunnel_up', 'Whether the world gets through the tunnel of this peer', [], () =>
      one(tunnel.status().state === 'ready' ? 1 : 0)
    )
    instruments.counter('hedgerow_tunnel_restarts_total', 'Starts of the tunnel beyond the first', [], () =>
      one(tunnel.restarts)
    )
  }
  serviceMetrics(instruments, { view, services, labels })
  networkMetrics(instruments, components)
  traceMetrics(instruments, traces?.counts)
  entryMetrics(instruments, components.entry)
  const record = requestMetrics(instruments, { dispatcher, labels })
  const recordConnection = connectionMetrics(instruments, labels)
  return { registry, record, recordConnection }
}
