import { callMesh, clientLeft, ServiceError } from '@hedgerow/service-kit'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Holders } from './holders.ts'
import { DATA_CLASS, PASSED_ON } from './messages.ts'

export interface PassedOn {
  method: 'GET' | 'POST' | 'DELETE'
  /** path and query within the service */
  path: string
  body?: unknown
  /** milliseconds that one holder may take to begin its answer */
  timeout: number
}

/** The holder won't serve it now; another may. */
const TRY_NEXT = new Set([421, 429, 502, 503, 504])

export function wasPassedOn(request: FastifyRequest): boolean {
  return request.headers[PASSED_ON] != null
}

/** For a request that was passed on to an instance which doesn't hold the collection (any more). */
export function notHolder(collection: string): ServiceError {
  return new ServiceError(421, 'NotHolder', `this instance doesn't hold the collection ${collection}`)
}

/**
 * Has a holder answer the request, on behalf of its caller: the first of `peers` that does, or of those whom
 * `otherwise` finds when none did.
 *
 * @throws {ServiceError} 503 `NoHolder` when none does
 */
export async function passOn(
  request: FastifyRequest,
  reply: FastifyReply,
  holders: Holders,
  { peers, otherwise }: { peers: readonly string[]; otherwise(): Promise<readonly string[]> },
  { method, path, body, timeout }: PassedOn
): Promise<FastifyReply> {
  const dataClass = request.headers[DATA_CLASS]
  const left = clientLeft(reply)
  for await (const peer of inTurn(peers, otherwise)) {
    const impatient = new AbortController()
    const timer = setTimeout(() => impatient.abort(new Error('the holder took too long')), timeout)
    try {
      const answer = await callMesh(request, {
        method,
        path: `rag-embeddings${path}`,
        worker: peer,
        headers: {
          [PASSED_ON]: '1',
          ...(body == null ? {} : { 'content-type': 'application/json' }),
          ...(typeof dataClass === 'string' ? { [DATA_CLASS]: dataClass } : {})
        },
        ...(body == null ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.any([left, impatient.signal])
      })
      clearTimeout(timer)
      if (!TRY_NEXT.has(answer.statusCode)) {
        const type = answer.headers['content-type']
        return reply
          .code(answer.statusCode)
          .type(typeof type === 'string' ? type : 'application/json')
          .send(answer.body)
      }
      await answer.body.dump()
      if (answer.statusCode > 500) holders.failed(peer)
    } catch (err) {
      if (err instanceof ServiceError || left.aborted) throw err
      holders.failed(peer)
      request.log.warn({ err, peer }, 'a holder did not answer')
    } finally {
      clearTimeout(timer)
    }
  }
  reply.header('retry-after', '5')
  throw new ServiceError(503, 'NoHolder', 'none of the instances that hold this collection can be reached now')
}

async function* inTurn(peers: readonly string[], otherwise: () => Promise<readonly string[]>): AsyncGenerator<string> {
  yield* peers
  yield* await otherwise()
}
