/** What a caller is told when no worker answered. */
import { MeshError, type MeshErrorCode } from '../errors/index.ts'
import { LOADING_RETRY_AFTER, MAX_RETRY_AFTER, NO_WORKER_RETRY_AFTER, WEDGED_RETRY_AFTER } from './constants.ts'
import type { Needs } from './eligible.ts'
import { type Failure, failure } from './outcome.ts'
import type { Score } from './score.ts'
import type { Selection } from './selection.ts'

export interface Context {
  service: string
  operation: string
  repeatable: boolean
  requestId: string
  attempts: number
  /** of the workers that could have answered, as they were when one was picked */
  scores: Score[]
}

/** Refusals, from the one that says most about when to come back to the one that says least. */
const REFUSALS: MeshErrorCode[] = [
  'Busy',
  'Loading',
  'Starting',
  'Unreachable',
  'Draining',
  'ClassNotAllowed',
  'NotServed'
]

/** @param failures one or more, in order */
export function verdict(failures: Failure[], context: Context): MeshError {
  const final = failures.findLast(({ kind }) => kind === 'final')
  const lost = failures.findLast(({ kind }) => kind === 'lost')
  const [refused] = failures
    .filter(({ kind }) => kind === 'refused')
    .sort((a, b) => REFUSALS.indexOf(a.code) - REFUSALS.indexOf(b.code))
  if (final != null) return meshError(final, context)
  // That it may have been executed is the first thing to know, unless it doesn't matter.
  if (lost != null && (!context.repeatable || refused == null || !comesBack(refused))) return meshError(lost, context)
  return meshError(sumUp(refused ?? NOBODY, failures, context), context)
}

/** Before anybody was asked: why nobody was. */
export function nobodyIn(
  { wedged, forbidden }: Pick<Selection, 'wedged' | 'forbidden'>,
  needs: Needs,
  context: Context
): MeshError {
  if (wedged.length > 0) return allWedged(context)
  return forbidden == null ? nobody(needs, context) : nobodyMaySee(forbidden, needs, context)
}

/** It fails closed: nobody gets the request because there is nobody better. */
function nobodyMaySee(dataClass: string, { worker }: Needs, context: Context): MeshError {
  const { service } = context
  const detail =
    worker == null
      ? `no worker that offers ${service} may see ${dataClass} data; who runs the mesh gives a machine that right`
      : `the worker that was asked for may not see ${dataClass} data`
  return meshError(failure('ClassNotAllowed', detail, { data_class: dataClass }), context)
}

/** Before anybody was asked: none of those who offer the service can answer this request. */
function nobody({ worker, resource }: Pick<Needs, 'worker' | 'resource'>, context: Context): MeshError {
  const { service } = context
  const detail =
    worker != null
      ? `the worker that was asked for does not offer ${service} now`
      : resource != null
        ? `no worker of ${service} holds ${resource} now`
        : `${service} is known, but no worker offers it now`
  return meshError(failure('NoWorker', detail, { retry_after: NO_WORKER_RETRY_AFTER }), context)
}

/** Those who offer it have stopped responding. They are being watched, so it is known within a second when one is back. */
function allWedged(context: Context): MeshError {
  const detail = `no worker of ${context.service} responds now; they are asked every second whether they are back`
  return meshError(failure('NoWorker', detail, { retry_after: WEDGED_RETRY_AFTER }), context)
}

const NOBODY = failure('NotServed', 'no worker offers the service')

/** Several refusals as one that is true of the service, not of one worker. */
function sumUp(refused: Failure, failures: Failure[], { service, scores }: Context): Failure {
  const told = minOf(failures.map(({ details }) => details.retry_after))
  switch (refused.code) {
    case 'Busy':
      return failure('Busy', `every worker of ${service} that was asked is busy`, {
        retry_after: told ?? queueTime(scores)
      })
    case 'Loading':
    case 'Starting':
      return failure('Loading', `${service} is still starting`, { retry_after: told ?? LOADING_RETRY_AFTER })
    case 'Unreachable':
    case 'ClassNotAllowed':
      return refused
    default:
      return failure('NoWorker', `${service} is known, but no worker offers it now`, {
        retry_after: NO_WORKER_RETRY_AFTER
      })
  }
}

function comesBack({ code }: Failure): boolean {
  return code === 'Busy' || code === 'Loading' || code === 'Starting'
}

/** Seconds until some worker has probably worked off one request more than it has now. */
export function queueTime(scores: Score[]): number {
  const shortest = minOf(scores.map(({ latency, queued, concurrency }) => (latency * (queued + 1)) / concurrency)) ?? 0
  return Math.min(MAX_RETRY_AFTER, Math.max(1, Math.ceil(shortest / 1000)))
}

/** A failure as the caller is told of it. */
export function meshError({ kind, code, detail, details, cause }: Failure, context: Context): MeshError {
  const { service, operation, requestId, attempts, repeatable } = context
  const executed = kind === 'lost' || TIMED_OUT.has(code)
  const known = { service, operation, request_id: requestId, attempts, retry_safe: repeatable || !executed }
  return new MeshError(code, detail, { ...known, ...details }, { cause })
}

/** Another worker would need as long, and yet it may have been executed. */
const TIMED_OUT = new Set<MeshErrorCode>(['FirstByteTimeout', 'Deadline', 'ClientGone'])

function minOf(numbers: Array<number | undefined>): number | undefined {
  const known = numbers.filter(number => number != null)
  return known.length === 0 ? undefined : Math.min(...known)
}
