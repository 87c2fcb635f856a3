/** What is recorded of a request where it enters, if anything is. */
import type { IncomingMessage } from 'node:http'
import type { MeshError } from '@hedgerow/protocols/errors'
import { HEADERS } from '@hedgerow/protocols/ids'
import { ATTRIBUTES, methodName, type Span } from '@hedgerow/protocols/tracing'
import type { IngressComponents } from './index.ts'

/** @param at when it came, in milliseconds of `performance.now()` */
export function beginEntry(
  { tracing, parentOf = traceparentOf }: IngressComponents,
  id: string,
  message: IncomingMessage,
  at: number
): Span | undefined {
  const method = methodName(message.method ?? 'GET')
  return tracing?.begin({
    name: method,
    kind: 'server',
    attributes: { [ATTRIBUTES.method]: method, [ATTRIBUTES.scheme]: 'http', [ATTRIBUTES.requestId]: id },
    at,
    parent: parentOf(message)
  })
}

export function traceparentOf({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
  const value = headers[HEADERS.traceparent]
  return typeof value === 'string' ? value : undefined
}

export interface EntryEnd {
  /** by its own name; undefined when there is no such service, for callers may ask for anything */
  service: string | undefined
  /** its path as the contract has it; undefined when no worker was asked */
  operation: string | undefined
  worker: string | undefined
  path: string
  attempts: number
  status: number
  error: MeshError | undefined
}

export function endEntry(span: Span, { method = 'GET' }: IncomingMessage, end: EntryEnd): void {
  const { service, operation, worker, path, attempts, status, error } = end
  const route = operation == null || service == null ? undefined : `/service/${service}${operation}`
  if (route != null) span.rename(`${methodName(method)} ${route}`)
  span.end(
    {
      [ATTRIBUTES.status]: status,
      [ATTRIBUTES.route]: route,
      [ATTRIBUTES.service]: service,
      [ATTRIBUTES.peer]: worker,
      [ATTRIBUTES.path]: path,
      [ATTRIBUTES.attempts]: attempts,
      [ATTRIBUTES.outcome]: error?.code ?? 'answered'
    },
    // What is the caller's own fault is no failure of a server.
    status >= 500 ? (error?.code ?? String(status)) : undefined
  )
}

/** By which the log leads to the trace. */
export function traceIdOf({ traceparent }: Span): string {
  return traceparent.split('-', 2)[1] ?? ''
}
