import type { Dispatcher } from '@hedgerow/protocols/dispatch'
import { Counter, Histogram } from 'prom-client'
import type { IngressRecord } from '../ingress/index.ts'
import { type Instruments, one } from './instruments.ts'
import { outcomeOf, statusClassOf } from './outcome.ts'
import type { ServiceLabels } from './service-labels.ts'

/** Seconds: from an answer out of memory to a page of OCR. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

export interface RequestComponents {
  dispatcher: Pick<Dispatcher, 'stats'>
  labels: ServiceLabels
}

/** What entered the mesh here, and what dispatch did for it. @returns where each request is noted when it is over */
export function requestMetrics(
  instruments: Instruments,
  { dispatcher, labels }: RequestComponents
): (record: IngressRecord) => void {
  const { registers } = instruments
  const requests = new Counter({
    name: 'hedgerow_requests_total',
    help: 'Requests that entered the mesh here, by service, status and path to the worker',
    labelNames: ['service', 'status', 'path'],
    registers
  })
  const duration = new Histogram({
    name: 'hedgerow_request_duration_seconds',
    help: 'From arrival to the last byte of the answer',
    labelNames: ['service', 'outcome'],
    buckets: BUCKETS,
    registers
  })
  const total = (name: string, help: string, read: () => number): void =>
    instruments.counter(name, help, [], () => one(read()))
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

  return ({ service, status, duration: ms, path }) => {
    const label = labels.of(service)
    requests.inc({ service: label, status: statusClassOf(status), path })
    duration.observe({ service: label, outcome: outcomeOf(status) }, ms / 1000)
  }
}
