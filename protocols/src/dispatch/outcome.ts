/** What became of one attempt, and what that means for the request. */
import { isMeshErrorCode, MeshError, type MeshErrorCode, type MeshErrorDetails } from '../errors/index.ts'
import { type IncomingAnswer, InvocationError } from '../invocation/index.ts'
import { MAX_PROBLEM } from './constants.ts'

export interface Failure {
  /**
   * - `refused`: nothing was executed
   * - `lost`: it may have been executed, wholly or in part
   * - `final`: another worker would do no better
   */
  kind: 'refused' | 'lost' | 'final'
  code: MeshErrorCode
  detail: string
  details: MeshErrorDetails
  cause?: unknown
}

/** Codes of mesh errors by which another worker may do better; with any other, none would. */
const KINDS: { [code in MeshErrorCode]?: 'refused' | 'lost' } = {
  Busy: 'refused',
  Draining: 'refused',
  NotServed: 'refused',
  ClassNotAllowed: 'refused',
  Loading: 'refused',
  Starting: 'refused',
  Unreachable: 'refused',
  BackendFailed: 'lost',
  WorkerLost: 'lost',
  WorkerWedged: 'lost',
  ChunkTimeout: 'lost',
  Internal: 'lost'
}

export function failure(code: MeshErrorCode, detail: string, details: MeshErrorDetails = {}, cause?: unknown): Failure {
  return { kind: KINDS[code] ?? 'final', code, detail, details, cause }
}

/** What was thrown instead of an answer. */
export function failureOf(err: unknown): Failure {
  if (err instanceof MeshError) return failure(err.code, err.message, err.details, err)
  if (err instanceof InvocationError) {
    // A worker has no other way to say that the service broke off after it had begun to answer.
    if (err.phase === 'receive' && err.byPeer)
      return failure('BackendFailed', 'the service broke off within its answer', {}, err)
    return failure(err.phase === 'connect' ? 'Unreachable' : 'WorkerLost', err.message, {}, err)
  }
  // An invoker refuses so what can't be put into HTTP: the caller's doing, not the worker's.
  if (err instanceof TypeError) return failure('Malformed', err.message, {}, err)
  return failure('Internal', 'sending the request failed in a way that it should not', {}, err)
}

/** A mesh error that the worker sent as its answer. */
export async function failureIn(code: MeshErrorCode, { body }: IncomingAnswer): Promise<Failure> {
  const problem = await readProblem(body)
  const details: MeshErrorDetails = {}
  if (typeof problem.limit === 'number') details.limit = problem.limit
  if (typeof problem.retry_after === 'number') details.retry_after = problem.retry_after
  return failure(code, typeof problem.detail === 'string' ? problem.detail : code, details)
}

/** Whether the answer is the mesh's own, not the service's. */
export function meshErrorIn(header: string | undefined): MeshErrorCode | undefined {
  return isMeshErrorCode(header) ? header : undefined
}

/** The fields of a problem, as far as it is one: what it says is of use, but its code says enough. */
async function readProblem(body: AsyncIterable<Uint8Array>): Promise<Record<string, unknown>> {
  const decoder = new TextDecoder()
  let text = ''
  try {
    for await (const chunk of body) {
      text += decoder.decode(chunk, { stream: true })
      if (text.length > MAX_PROBLEM) return {}
    }
    const problem: unknown = JSON.parse(text)
    return typeof problem === 'object' && problem != null ? { ...problem } : {}
  } catch {
    return {}
  }
}
