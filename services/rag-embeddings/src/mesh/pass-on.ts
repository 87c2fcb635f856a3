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

export interface PassOnTo {
  peers: readonly string[]
  otherwise(): Promise<readonly string[]>
  as: 'holder' | 'first'
}

/** The holder won't serve it now; another may. */
const TRY_NEXT = new Set([421, 429, 502, 503, 504])

/** As what the request was passed on to this instance: as a `holder`, or to become the `first` one; undefined: it wasn't. */
export function passedOnAs(request: FastifyRequest): 'holder' | 'first' | undefined {
  const as = request.headers[PASSED_ON]
  if (as == null) return undefined
  return as === 'first' ? 'first' : 'holder'
}

/** For a request that was passed on to an instance which doesn't hold the collection (any more). */
export function notHolder(collection: string): ServiceError {
  return new ServiceError(421, 'NotHolder', `this instance doesn't hold the collection ${collection}`)
}

/**
 * Has a holder answer the request, on behalf of its caller: the first of `peers` that does, or of those whom
 * `otherwise` finds when none did.
 *
 * @returns whether one did; the reply is on its way then
 */
export async function passOn(
  request: FastifyRequest,
  reply: FastifyReply,
  holders: Holders,
  { peers, otherwise, as }: PassOnTo,
  { method, path, body, timeout }: PassedOn
): Promise<boolean> {
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
          [PASSED_ON]: as,
          ...(body == null ? {} : { 'content-type': 'application/json' }),
          ...(typeof dataClass === 'string' ? { [DATA_CLASS]: dataClass } : {})
        },
        ...(body == null ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.any([left, impatient.signal])
      })
      clearTimeout(timer)
      if (!TRY_NEXT.has(answer.statusCode)) {
        const type = answer.headers['content-type']
        void reply
          .code(answer.statusCode)
          .type(typeof type === 'string' ? type : 'application/json')
          .send(answer.body)
        return true
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
  return false
}

async function* inTurn(peers: readonly string[], otherwise: () => Promise<readonly string[]>): AsyncGenerator<string> {
  yield* peers
  yield* await otherwise()
}
