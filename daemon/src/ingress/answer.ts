import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { DispatchAnswer } from '@hedgerow/protocols/dispatch'
import { type MeshError, PROBLEM_TYPE } from '@hedgerow/protocols/errors'
import { HEADERS } from '@hedgerow/protocols/ids'

/**
 * Writes an answer as it arrives, no faster than the client reads. When the answer breaks off after its head is out, the
 * client's connection is reset: a cut answer must not look whole.
 *
 * @param extra headers that the route adds (CORS)
 */
export async function writeAnswer(
  response: ServerResponse,
  answer: DispatchAnswer,
  extra: OutgoingHttpHeaders,
  firstByteMs: number
): Promise<void> {
  const headers: OutgoingHttpHeaders = {
    ...extra,
    ...answer.headers,
    [HEADERS.requestId]: answer.requestId,
    [HEADERS.worker]: answer.worker,
    [HEADERS.attempts]: answer.attempts,
    [HEADERS.path]: answer.route.path,
    [HEADERS.transport]: answer.route.transport,
    [HEADERS.traceparent]: answer.traceparent,
    [HEADERS.serverTiming]: serverTiming(answer.headers[HEADERS.serverTiming], firstByteMs)
  }
  if (answer.complete != null) {
    if (!bodiless(answer.status) && headers['content-length'] == null)
      headers['content-length'] = answer.complete.byteLength
    response.writeHead(answer.status, headers).end(answer.complete)
    return
  }
  response.writeHead(answer.status, headers)
  response.flushHeaders()
  await pipeline(Readable.from(answer.body, { objectMode: false }), response)
}

/** Says an error of the mesh, or resets the connection when an answer has begun. */
export function writeError(response: ServerResponse, error: MeshError, extra: OutgoingHttpHeaders): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const problem = error.toProblem()
  const body = Buffer.from(JSON.stringify(problem))
  const headers: OutgoingHttpHeaders = {
    ...extra,
    'content-type': PROBLEM_TYPE,
    'content-length': body.byteLength,
    'cache-control': 'no-store',
    [HEADERS.error]: error.code
  }
  if (problem.request_id != null) headers[HEADERS.requestId] = problem.request_id
  if (problem.allow != null) headers.allow = problem.allow.join(', ')
  if (problem.retry_after != null) headers['retry-after'] = String(Math.max(1, Math.ceil(problem.retry_after)))
  response.writeHead(error.status, headers).end(body)
}

function bodiless(status: number): boolean {
  return status === 204 || status === 304
}

const DURATION = /\b(?:queue|backend);dur=([\d.]+)/g

/** The worker says how long queue and backend took; what is left of the time to the first byte was the network's. */
function serverTiming(fromWorker: string | string[] | undefined, firstByteMs: number): string {
  const parts = fromWorker == null ? '' : String(fromWorker)
  let elsewhere = 0
  for (const [, ms] of parts.matchAll(DURATION)) elsewhere += Number(ms)
  const network = `network;dur=${Math.max(0, firstByteMs - elsewhere).toFixed(2)}`
  return parts === '' ? network : `${parts}, ${network}`
}
