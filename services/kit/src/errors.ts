/** RFC 9457 problem details as the shipped services send them. */
export interface Problem {
  type: string
  title: string
  status: number
  code: string
  detail: string
  [extension: string]: unknown
}

/**
 * An error whose message is meant for the caller. Anything else that is thrown becomes a 500 whose detail says nothing
 * of the request's contents.
 */
export class ServiceError extends Error {
  override readonly name = 'ServiceError'
  readonly status: number
  readonly code: string
  readonly extensions: Record<string, unknown>

  /**
   * @param status HTTP status, 400 to 599
   * @param code a stable name for programs, in PascalCase (`PasswordProtected`)
   * @param detail what happened, which input, what to do
   */
  constructor(status: number, code: string, detail: string, extensions: Record<string, unknown> = {}, cause?: unknown) {
    super(detail, { cause })
    this.status = status
    this.code = code
    this.extensions = extensions
  }
}

const TITLES: Record<number, string> = {
  400: 'Bad request',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Request timeout',
  409: 'Conflict',
  413: 'Body too large',
  415: 'Unsupported media type',
  421: 'Misdirected request',
  422: 'Unprocessable content',
  429: 'Too many requests',
  500: 'Internal error',
  502: 'Upstream failed',
  503: 'Unavailable',
  504: 'Timed out',
  507: 'Storage full'
}

export function problem(
  status: number,
  code: string,
  detail: string,
  extensions: Record<string, unknown> = {}
): Problem {
  return { ...extensions, type: 'about:blank', title: TITLES[status] ?? 'Error', status, code, detail }
}
