import { BACKOFF_BASE, BACKOFF_JITTER, BACKOFF_MAX } from './constants.ts'

/**
 * @param attempt restarts in a row before this one
 * @param random uniform in [0, 1)
 * @returns milliseconds to wait
 */
export function backoff(attempt: number, random: number): number {
  const full = Math.min(BACKOFF_MAX, BACKOFF_BASE * 2 ** Math.min(attempt, 30))
  return full * (1 - BACKOFF_JITTER * random)
}
