/** What is undefined isn't set. */
export type Attributes = Record<string, string | number | undefined>

/** Of RFC 9110, and PATCH. Callers may make up others. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'])

/** A method as spans say it. */
export function methodName(method: string): string {
  return METHODS.has(method) ? method : '_OTHER'
}

/**
 * Everything that spans say: names of the OpenTelemetry semantic conventions (HTTP), and our own. Nothing of what a
 * request holds is among them: no body, header, query, address of a caller, or path beyond the contract's own.
 */
export const ATTRIBUTES = {
  method: 'http.request.method',
  status: 'http.response.status_code',
  /** as the contract has it, as in `/documents/{id}` */
  route: 'http.route',
  /** how many attempts came before this one */
  resendCount: 'http.request.resend_count',
  /** whom it went to: a peer id, or the host of a relay or backend */
  serverAddress: 'server.address',
  serverPort: 'server.port',
  scheme: 'url.scheme',
  /** the code of a {@link MeshError}, or an HTTP status */
  errorType: 'error.type',
  requestId: 'hedgerow.request.id',
  service: 'hedgerow.service',
  /** how many calls it is nested in */
  depth: 'hedgerow.depth',
  dataClass: 'hedgerow.data_class',
  /** the peer at the other end: who answered, or who asks */
  peer: 'hedgerow.peer.id',
  path: 'hedgerow.path',
  transport: 'hedgerow.transport',
  attempts: 'hedgerow.attempts',
  /** why this worker: `picked`, `new`, `retry`, `hedge`, `pinned`, `only` */
  reason: 'hedgerow.attempt.reason',
  /** `answered`, or the code of what happened instead */
  outcome: 'hedgerow.outcome',
  /** milliseconds to the head of the answer */
  firstByte: 'hedgerow.first_byte_ms',
  /** milliseconds that looking for a worker in the DHT took */
  lookup: 'hedgerow.lookup_ms',
  /** milliseconds that a request waited for admission */
  queue: 'hedgerow.queue_ms'
} as const
