/**
 * Every error that the edge itself makes, and its form on the wire (RFC 9457, as relays write theirs). What a relay
 * answers passes through as it is.
 */
const ERRORS = {
  Malformed: { status: 400, title: 'Malformed request' },
  Unauthorized: { status: 401, title: 'Not signed in' },
  UnknownRelay: { status: 404, title: 'No such relay' },
  MethodNotAllowed: { status: 405, title: 'Method not allowed' },
  RegistryFull: { status: 409, title: 'No room for another relay' },
  BodyTooLarge: { status: 413, title: 'Body too large' },
  /** a relay had the request and broke off, so it may have been carried out */
  RelayLost: { status: 502, title: 'The relay was lost' },
  NoRelay: { status: 503, title: 'No relay answers now' },
  RegistryUnavailable: { status: 503, title: 'The registry can not be written now' },
  Loop: { status: 508, title: 'The edge was asked by itself' }
} as const satisfies Record<string, { status: number; title: string }>

export type EdgeErrorCode = keyof typeof ERRORS

export interface EdgeErrorDetails {
  /** seconds; also sent as `Retry-After` */
  retry_after?: number
  /** whether sending the request again could do anything twice */
  retry_safe?: boolean
  /** methods that a path has; also sent as `Allow` */
  allow?: string[]
}

/** Its message is for the caller: what happened, which input, what to do. */
export class EdgeError extends Error {
  override readonly name = 'EdgeError'
  readonly code: EdgeErrorCode
  readonly details: EdgeErrorDetails

  constructor(code: EdgeErrorCode, message: string, details: EdgeErrorDetails = {}, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.details = details
  }

  toResponse(): Response {
    const { status, title } = ERRORS[this.code]
    const { retry_after, allow } = this.details
    const headers = new Headers({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' })
    if (retry_after != null) headers.set('retry-after', String(retry_after))
    if (allow != null) headers.set('allow', allow.join(', '))
    if (status === 401) headers.set('www-authenticate', 'Bearer')
    const type = `urn:hedgerow:error:${this.code}`
    const problem = { type, title, status, code: this.code, detail: this.message, ...this.details }
    return new Response(JSON.stringify(problem), { status, headers })
  }
}
