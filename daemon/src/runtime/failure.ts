import { MeshError } from '@hedgerow/protocols/errors'

export interface FailureSituation {
  service: string
  /** the request went out, in part at least: it may have been executed */
  connected: boolean
  answered: boolean
  idempotent: boolean
}

/** What the HTTP client threw, as an error that says what the backend did. */
export function explainFailure(err: unknown, situation: FailureSituation): MeshError {
  if (err instanceof MeshError) return err
  const { service, connected, answered, idempotent } = situation
  const code = codeOf(err)
  const cause = { cause: err }
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') {
    return new MeshError('Malformed', `the request can't be sent to ${service}: ${messageOf(err)}`, { service }, cause)
  }
  if (code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH') {
    return new MeshError(
      'Malformed',
      "the body is not as long as the request's Content-Length says",
      { service },
      cause
    )
  }
  const details = { service, retry_safe: !connected || idempotent }
  return new MeshError('BackendFailed', `${service} ${whatHappened(code, connected, answered)}`, details, cause)
}

function whatHappened(code: string, connected: boolean, answered: boolean): string {
  if (!connected) return `could not be connected to (${code === '' ? 'no reason given' : code})`
  if (code === 'UND_ERR_HEADERS_OVERFLOW' || code === 'HPE_HEADER_OVERFLOW') return 'sent a head that is too large'
  if (code.startsWith('HPE_') && !answered) return 'sent what is not HTTP'
  return answered ? 'broke off within its answer' : 'closed the connection without an answer'
}

function codeOf(err: unknown): string {
  return err instanceof Error && 'code' in err && typeof err.code === 'string' ? err.code : ''
}

function messageOf(err: unknown): string {
  return err instanceof Error ? err.message : String(err)
}
