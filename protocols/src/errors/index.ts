/**
 * The one table of errors that the mesh itself makes, and their form on the wire (RFC 9457 problem details). A
 * service's own errors never pass through here: they reach the client as they are.
 *
 * @example
 * ```ts
 * throw new MeshError('NoWorker', 'ner-extraction is known, but no worker offers it now', { service, retry_after: 5 })
 * ```
 */
const ERRORS = {
  Malformed: { status: 400, title: 'Malformed request' },
  /** the service speaks HTTP, so there is no connection to be forwarded */
  NotTcp: { status: 400, title: 'Not a TCP service' },
  Unauthorized: { status: 401, title: 'Not signed in' },
  Forbidden: { status: 403, title: 'Not allowed' },
  /** nobody who could answer may see data of the request's class */
  ClassNotAllowed: { status: 403, title: 'Not for this class of data' },
  /** a signature that shows whose key it is, or what it was made over, isn't good (any more) */
  InvalidProof: { status: 401, title: 'The proof does not hold' },
  InvalidInvite: { status: 403, title: 'The invite is not good' },
  /** this peer enrols nobody: another may */
  NotIssuer: { status: 404, title: 'This peer enrols nobody' },
  InviteUsedUp: { status: 409, title: 'The invite is used up' },
  UnknownService: { status: 404, title: 'No such service' },
  UnknownOperation: { status: 404, title: 'No such operation' },
  UnknownRoute: { status: 404, title: 'No such route' },
  UnknownRequest: { status: 404, title: 'No such request' },
  UnknownModel: { status: 404, title: 'No such model' },
  UnknownPeer: { status: 404, title: 'No such peer' },
  MethodNotAllowed: { status: 405, title: 'Method not allowed' },
  /** the caller paused within its request for longer than anybody waits */
  BodyStalled: { status: 408, title: 'The request stalled' },
  /** the connection carried nothing for as long as its service allows */
  IdleTimeout: { status: 408, title: 'The connection was idle' },
  BodyTooLarge: { status: 413, title: 'Body too large' },
  /** every candidate's queue is full, or the one that was asked is */
  Busy: { status: 429, title: 'All workers are busy' },
  RateLimited: { status: 429, title: 'Too many requests' },
  /** the service speaks TCP: it is reached by an upgrade, which `hedgerow forward` asks for */
  NotHttp: { status: 426, title: 'Not an HTTP service' },
  /** the caller left; nobody reads this */
  ClientGone: { status: 499, title: 'The caller left' },
  /** more header fields than anybody needs */
  TooManyHeaders: { status: 431, title: 'Too many headers' },
  Internal: { status: 500, title: 'Internal error' },
  /** a connection to the worker could not be opened, so nothing was executed */
  Unreachable: { status: 502, title: 'The worker could not be reached' },
  /** the worker or its connection went away before the answer was complete */
  WorkerLost: { status: 502, title: 'The worker was lost' },
  /** the worker stopped answering pings with a request in hand */
  WorkerWedged: { status: 502, title: 'The worker stopped responding' },
  /** the backend behind the worker could not be reached, broke off, or sent what isn't HTTP */
  BackendFailed: { status: 502, title: 'The service failed' },
  /** the worker vouches for its answer with what it didn't sign, or signed of something else */
  BadReceipt: { status: 502, title: 'The receipt is not good' },
  NoWorker: { status: 503, title: 'Nobody offers this service now' },
  /** the worker that was asked doesn't run the service (any more); another may */
  NotServed: { status: 503, title: 'The worker does not offer this service' },
  Loading: { status: 503, title: 'The service is still starting' },
  Draining: { status: 503, title: 'The worker is stopping' },
  Starting: { status: 503, title: 'This peer is still starting' },
  /** the service that signs people in doesn't answer, so nobody can be known by it */
  IssuerUnavailable: { status: 503, title: 'The sign-in service can not be reached' },
  Deadline: { status: 504, title: 'Deadline exceeded' },
  FirstByteTimeout: { status: 504, title: 'The service did not start to answer in time' },
  ChunkTimeout: { status: 504, title: 'The answer stalled' },
  TooDeep: { status: 508, title: 'Calls nested too deep' }
} as const satisfies Record<string, { status: number; title: string }>

export type MeshErrorCode = keyof typeof ERRORS

/** Fields that some errors add to their problem details. Sizes in bytes, times in seconds. */
export interface MeshErrorDetails {
  service?: string
  data_class?: string
  operation?: string
  request_id?: string
  peer_id?: string
  limit?: number
  /** also sent as `Retry-After` */
  retry_after?: number
  /** whether sending the request again could do anything twice */
  retry_safe?: boolean
  attempts?: number
  /** methods that a path has; also sent as `Allow` */
  allow?: string[]
  /** what is wrong with what a caller was to be known by, as RFC 6750 names it; also sent in `WWW-Authenticate` */
  auth_error?: string
}

/** How far a request came that failed after a worker was asked; an answer says the same of itself in its headers. */
export interface Trail {
  /** peer id of the last one asked */
  worker: string
  attempts: number
  /** how it was reached; left out where that isn't known */
  route?: { path: string; transport: string }
  traceparent: string
}

/** RFC 9457 problem details. */
export interface Problem extends MeshErrorDetails {
  type: string
  title: string
  status: number
  code: MeshErrorCode
  detail: string
}

export const PROBLEM_TYPE = 'application/problem+json'

/** An error that the mesh answers with. Its message is for the caller: what happened, which input, what to do. */
export class MeshError extends Error {
  override readonly name = 'MeshError'
  readonly code: MeshErrorCode
  readonly details: MeshErrorDetails
  /** left out when nobody was asked */
  trail?: Trail

  constructor(code: MeshErrorCode, message: string, details: MeshErrorDetails = {}, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.details = details
  }

  get status(): number {
    return ERRORS[this.code].status
  }

  toProblem(): Problem {
    const { status, title } = ERRORS[this.code]
    return {
      type: `urn:hedgerow:error:${this.code}`,
      title,
      status,
      code: this.code,
      detail: this.message,
      ...this.details
    }
  }
}

export function statusOf(code: MeshErrorCode): number {
  return ERRORS[code].status
}

/** For people: what kind of error it is. */
export function titleOf(code: MeshErrorCode): string {
  return ERRORS[code].title
}

export function isMeshErrorCode(code: unknown): code is MeshErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERRORS, code)
}

/** Whatever was thrown, as an error that can be answered. The cause of an unexpected one stays in the log. */
export function toMeshError(err: unknown): MeshError {
  return err instanceof MeshError
    ? err
    : new MeshError('Internal', 'something failed here that should not have; the log has the cause', {}, { cause: err })
}
