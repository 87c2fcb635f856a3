import { type MeshError, PROBLEM_TYPE } from '@hedgerow/protocols/errors'
import { FORWARD_UPGRADE, HEADERS } from '@hedgerow/protocols/ids'

/** What an error says in its body; an API with a form of its own for errors adds that. */
export type Wording = (error: MeshError) => object

/** An error of the mesh as it goes out over HTTP, wherever it was made. */
export interface ProblemAnswer {
  status: number
  headers: Record<string, string>
  /** bytes: to a string Fastify would add a charset, which JSON has none of */
  body: Buffer
}

export function problemAnswer(error: MeshError, wording: Wording = asProblem): ProblemAnswer {
  const { request_id, retry_after, allow } = error.details
  const body = Buffer.from(JSON.stringify(wording(error)))
  const headers: Record<string, string> = {
    'content-type': PROBLEM_TYPE,
    'content-length': String(body.byteLength),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    [HEADERS.error]: error.code
  }
  if (request_id != null) headers[HEADERS.requestId] = request_id
  if (retry_after != null) headers['retry-after'] = String(Math.max(1, Math.ceil(retry_after)))
  if (allow != null) headers.allow = allow.join(', ')
  // What one has to ask for instead (RFC 9110, 15.5.22).
  if (error.status === 426) Object.assign(headers, { upgrade: FORWARD_UPGRADE, connection: 'upgrade' })
  if (error.status === 401) headers['www-authenticate'] = challenge(error.details.auth_error)
  return { status: error.status, headers, body }
}

/** How one can be known here (RFC 9110, 11.6.1; RFC 6750, 3; RFC 9449, 7.1). */
function challenge(wrong: string | undefined): string {
  const bearer = wrong === 'invalid_token' ? `, error="${wrong}"` : ''
  const dpop = wrong === 'invalid_dpop_proof' ? `, error="${wrong}"` : ''
  return `Bearer realm="hedgerow"${bearer}, DPoP algs="EdDSA Ed25519"${dpop}`
}

function asProblem(error: MeshError): object {
  return error.toProblem()
}
