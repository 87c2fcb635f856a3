/** What is recorded of a request where it is served, if anything is. */
import { ATTRIBUTES, methodName, type Span, type Tracing } from '@hedgerow/protocols/tracing'
import type { Served, ServedHead } from './account.ts'

export function beginServing(
  tracing: Tracing,
  { requestId, peer, method }: ServedHead,
  parent: string | undefined
): Span | undefined {
  const name = methodName(method)
  return tracing.begin({
    name,
    kind: 'server',
    attributes: { [ATTRIBUTES.method]: name, [ATTRIBUTES.requestId]: requestId, [ATTRIBUTES.peer]: peer },
    parent
  })
}

export function endServing(span: Span, served: Served): void {
  const { operation, service, status, outcome, dataClass, depth } = served
  // Known by then to be a service that runs here.
  const known = operation == null ? undefined : service
  const route = operation == null ? undefined : pathIn(operation)
  if (route != null) span.rename(`${methodName(served.method)} ${route}`)
  span.end(
    {
      [ATTRIBUTES.status]: status === 0 ? undefined : status,
      [ATTRIBUTES.route]: route,
      [ATTRIBUTES.service]: known,
      [ATTRIBUTES.dataClass]: known == null ? undefined : dataClass,
      [ATTRIBUTES.depth]: depth,
      [ATTRIBUTES.outcome]: outcome
    },
    status >= 500 ? (outcome === 'answered' ? String(status) : outcome) : undefined
  )
}

/** Of the exchange with the backend, from when it was admitted. */
export function beginExchange(span: Span, { requestId, service, operation = '', method }: ServedHead): Span {
  const name = methodName(method)
  return span.child({
    name: `${name} ${pathIn(operation)}`,
    kind: 'client',
    attributes: {
      [ATTRIBUTES.method]: name,
      [ATTRIBUTES.requestId]: requestId,
      [ATTRIBUTES.service]: service
    }
  })
}

/** Of `POST /extract`, or of `* /any`: whose method is the request's. */
function pathIn(operation: string): string {
  return operation.slice(operation.indexOf(' ') + 1)
}
