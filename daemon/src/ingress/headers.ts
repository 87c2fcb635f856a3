/** What a page may read of an answer. */
export const EXPOSED_HEADERS = [
  'Hedgerow-Request-Id',
  'Hedgerow-Worker',
  'Hedgerow-Attempts',
  'Hedgerow-Path',
  'Hedgerow-Transport',
  'Server-Timing',
  'traceparent',
  'Retry-After'
]
