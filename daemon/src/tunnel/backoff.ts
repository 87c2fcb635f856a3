import { JITTER, type Timing } from './constants.ts'
import type { TunnelProblemCode } from './index.ts'

/**
 * @param attempt restarts in a row before this one
 * @param random uniform in [0, 1)
 * @returns milliseconds to wait before the next start
 */
export function restartDelay(
  attempt: number,
  problem: TunnelProblemCode | undefined,
  random: number,
  timing: Pick<Timing, 'backoff' | 'maxBackoff' | 'rateLimited'>
): number {
  const wait = Math.min(timing.maxBackoff, timing.backoff * 2 ** Math.min(attempt, 30))
  // Longer than asked for, never shorter.
  if (problem === 'rate-limited') return Math.max(wait, timing.rateLimited) * (1 + JITTER * random)
  return wait * (1 - JITTER * random)
}
