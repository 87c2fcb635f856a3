import { Counter } from 'prom-client'
import type { IngressRecord } from '../ingress/index.ts'
import type { Instruments } from './instruments.ts'
import { outcomeOf } from './outcome.ts'
import type { ServiceLabels } from './service-labels.ts'

/**
 * Connections of TCP, apart from requests: what lasts for hours tells nothing of how fast a mesh answers.
 *
 * @returns where each is noted when it is over
 */
export function connectionMetrics(
  { registers }: Pick<Instruments, 'registers'>,
  labels: ServiceLabels
): (record: IngressRecord) => void {
  const connections = new Counter({
    name: 'hedgerow_connections_forwarded_total',
    help: 'Connections to TCP services that entered the mesh here and have ended, by service, outcome and path to the worker',
    labelNames: ['service', 'outcome', 'path'],
    registers
  })
  const bytes = new Counter({
    name: 'hedgerow_forwarded_bytes_total',
    help: 'Bytes of connections to TCP services that entered the mesh here and have ended, to the service (sent) and from it (received)',
    labelNames: ['service', 'direction'],
    registers
  })
  return ({ service: named, status, path, requestBytes, answerBytes, error }) => {
    const service = labels.of(named)
    connections.inc({ service, outcome: outcomeOf(error?.status ?? status), path })
    bytes.inc({ service, direction: 'sent' }, requestBytes)
    bytes.inc({ service, direction: 'received' }, answerBytes)
  }
}
