import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { DispatchAnswer } from '@hedgerow/protocols/dispatch'
import type { MeshError } from '@hedgerow/protocols/errors'
import { setAnswerHeaders } from '@hedgerow/protocols/ingress'
import type { Headers } from '@hedgerow/protocols/invocation'
import { countedPieces } from './counted.ts'
import { problemAnswer, type Wording } from './problem.ts'

/**
 * Writes an answer as it arrives, no faster than the client reads. When the answer breaks off after its head is out, the
 * client's connection is reset: a cut answer must not look whole.
 *
 * @param extra headers that the route adds (CORS)
 * @param count hears how many bytes of the body go out
 */
export async function writeAnswer(
  response: ServerResponse,
  answer: DispatchAnswer,
  extra: OutgoingHttpHeaders,
  firstByteMs: number,
  count: (bytes: number) => void
): Promise<void> {
  const headers = merged(answer.headers, extra)
  setAnswerHeaders(headers, answer, firstByteMs)
  if (answer.complete != null) {
    if (!bodiless(answer.status) && headers['content-length'] == null)
      headers['content-length'] = answer.complete.byteLength
    count(answer.complete.byteLength)
    response.writeHead(answer.status, headers).end(answer.complete)
    return
  }
  response.writeHead(answer.status, headers)
  response.flushHeaders()
  await pipeline(Readable.from(countedPieces(answer.body, count), { objectMode: false }), response)
}

/**
 * Says an error of the mesh, or resets the connection when an answer has begun.
 *
 * @returns bytes of its body
 */
export function writeError(
  response: ServerResponse,
  error: MeshError,
  extra: OutgoingHttpHeaders,
  elapsed: number,
  wording?: Wording
): number {
  if (response.headersSent) {
    response.destroy()
    return 0
  }
  const { status, headers, body } = problemAnswer(error, wording)
  const said: OutgoingHttpHeaders = { ...extra, ...headers }
  if (error.trail != null) setAnswerHeaders(said, error.trail, elapsed)
  response.writeHead(status, said).end(body)
  return body.byteLength
}

/**
 * The service's headers, and those that this route adds. Which pages may read an answer is for the ingress to say, not
 * for a service that knows nothing of it.
 */
function merged(own: Headers, extra: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {}
  for (const name in own) if (!name.startsWith('access-control-')) headers[name] = own[name]
  for (const name in extra) headers[name] = extra[name]
  if (own.vary != null && extra.vary != null) headers.vary = [own.vary, extra.vary].flat().join(', ')
  headers['x-content-type-options'] = 'nosniff'
  const type = own['content-type']
  if (type != null && ACTIVE.test(String(type)))
    headers['content-security-policy'] = [own['content-security-policy'] ?? [], SANDBOX].flat().join(', ')
  return headers
}

/** Types of documents that a browser runs scripts of. */
const ACTIVE = /html|xml/i
/**
 * A document of a service is somebody else's, and comes from the same origin as this peer's own API: its scripts run as
 * those of no origin at all.
 */
const SANDBOX = 'sandbox allow-scripts allow-forms allow-popups allow-downloads'

function bodiless(status: number): boolean {
  return status === 204 || status === 304
}
