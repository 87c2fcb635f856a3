import type { View } from '@hedgerow/protocols/view'
import type { ServiceHost } from '../peer/index.ts'
import type { Instruments, Sample } from './instruments.ts'
import type { ServiceLabels } from './service-labels.ts'

export interface ServiceComponents {
  view: Pick<View, 'services' | 'candidates'>
  services: Pick<ServiceHost, 'loads' | 'assigned' | 'report'>
  labels: ServiceLabels
}

/** What runs here, and who offers what elsewhere. A worker's own services come from its own manifests. */
export function serviceMetrics(instruments: Instruments, { view, services, labels }: ServiceComponents): void {
  instruments.gauge('hedgerow_in_flight', 'Requests that run on this worker', ['service'], () =>
    services.loads().map(({ service, inFlight }) => [{ service }, inFlight])
  )
  instruments.gauge('hedgerow_queued', 'Requests that wait on this worker', ['service'], () =>
    services.loads().map(({ service, queued }) => [{ service }, queued])
  )
  instruments.gauge('hedgerow_concurrency', 'Requests that may run on this worker at once', ['service'], () =>
    services.loads().map(({ service, concurrency }) => [{ service }, concurrency])
  )
  instruments.gauge('hedgerow_placement_assigned', 'Services that should run on this worker', ['service'], () =>
    services.assigned().map(service => [{ service }, 1])
  )
  instruments.gauge(
    'hedgerow_placement_running',
    'Whether a service that this worker has taken on is healthy',
    ['service'],
    () => services.report().instances.map(({ service, ready }) => [{ service }, ready ? 1 : 0])
  )
  instruments.counter(
    'hedgerow_backend_restarts_total',
    'Launches of a backend on this worker after the first',
    ['service'],
    () => services.report().instances.map(({ service, backend }) => [{ service }, backend.restarts])
  )
  instruments.gauge(
    'hedgerow_service_workers',
    'Workers that offer a service, as this peer sees it',
    ['service'],
    (): Sample[] => {
      for (const { name } of view.services()) labels.of(name)
      return Array.from(labels.names(), service => [{ service }, view.candidates(service).length])
    }
  )
}
