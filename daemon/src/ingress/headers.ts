import { HEADERS } from '@hedgerow/protocols/ids'

/** Request headers that the ingress understands and says anew to the worker, so the client's own words go no further. */
export const DISPATCH_HEADERS: ReadonlySet<string> = new Set([
  HEADERS.requestId,
  HEADERS.worker,
  HEADERS.timeout,
  HEADERS.resource,
  HEADERS.context,
  HEADERS.depth,
  HEADERS.dispatched,
  HEADERS.caller,
  HEADERS.error,
  HEADERS.traceparent,
  'host',
  'expect'
])

/** What a page may read of an answer. */
export const EXPOSED_HEADERS = [
  'Hedgerow-Request-Id',
  'Hedgerow-Worker',
  'Hedgerow-Attempts',
  'Hedgerow-Path',
  'Hedgerow-Transport',
  'Server-Timing',
  'traceparent',
  'Retry-After',
  'Hedgerow-Error'
]
