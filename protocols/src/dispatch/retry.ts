import { MAX_ATTEMPTS, REFUSAL_COST } from './constants.ts'
import type { Failure } from './outcome.ts'

export interface RetryInput {
  failure: Failure
  /** whether doing it twice does no harm */
  repeatable: boolean
  /** whether the body can be sent again */
  replayable: boolean
  /** so far */
  attempts: number
}

/**
 * What another attempt would cost of the budget; undefined when there must be none: nothing may be done twice unless
 * the operation says that it may.
 */
export function retryCost({ failure, repeatable, replayable, attempts }: RetryInput): number | undefined {
  if (failure.kind === 'final' || !replayable || attempts >= MAX_ATTEMPTS) return undefined
  if (failure.kind === 'refused') return REFUSAL_COST
  return repeatable ? 1 : undefined
}
