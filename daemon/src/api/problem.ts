import { ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { MeshError, PROBLEM_TYPE, toMeshError } from '@hedgerow/protocols/errors'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { problemAnswer, type Wording } from '../ingress/index.ts'

const MESH_CODES: Record<number, 'UnknownRoute' | 'BodyTooLarge'> = {
  404: 'UnknownRoute',
  413: 'BodyTooLarge'
}

/** Answers with whatever was thrown. */
export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  err: unknown,
  wording?: Wording
): FastifyReply {
  const error = meshErrorOf(err)
  error.details.request_id ??= request.id
  if (error.code === 'Internal') request.log.error({ err }, 'request failed')
  const { status, headers, body } = problemAnswer(error, wording)
  // Fastify closes the connection of a body that is too large; the rest of it is read all the same (`lingering`).
  reply.removeHeader('connection')
  return reply.code(status).headers(headers).send(body)
}

/** Fastify's own errors have a status; those below 500 are the caller's. */
function meshErrorOf(err: unknown): MeshError {
  if (err instanceof MeshError || !(err instanceof Error) || !('statusCode' in err)) return toMeshError(err)
  const { statusCode, message } = err
  return typeof statusCode === 'number' && statusCode < 500
    ? new MeshError(MESH_CODES[statusCode] ?? 'Malformed', message)
    : toMeshError(err)
}

const UNPARSED: Record<string, { status: number; detail: string }> = {
  HPE_INVALID_METHOD: { status: 400, detail: 'this begins with no method of HTTP/1.1 that is known here' },
  HPE_HEADER_OVERFLOW: { status: 431, detail: "the request's headers are too large" },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, detail: 'the request did not arrive in time' }
}

/** Answers what isn't HTTP, or breaks off as it arrives, in the form that all errors have; then closes the connection. */
export function refuseUnparsed(err: Error & { code?: string }, socket: Socket): void {
  // An answer that is under way there can't be interrupted by another one; one that hasn't begun is made up for.
  const answer = '_httpMessage' in socket ? socket._httpMessage : undefined
  const answering = answer instanceof ServerResponse && answer.headersSent
  if (err.code === 'ECONNRESET' || answering || !socket.writable) {
    socket.destroy()
    return
  }
  const { status, detail } = UNPARSED[err.code ?? ''] ?? { status: 400, detail: 'this is not HTTP/1.1' }
  const problem = { ...new MeshError('Malformed', detail).toProblem(), status }
  const body = JSON.stringify(problem)
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'connection: close',
    `content-type: ${PROBLEM_TYPE}`,
    'x-content-type-options: nosniff',
    `content-length: ${Buffer.byteLength(body)}`
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}
