/**
 * The clock of this process, for everything that decides by time; tests bring their own.
 *
 * @example
 * ```ts
 * const handle = systemClock.setTimeout(() => log.info('a second later'), 1000)
 * systemClock.clearTimeout(handle)
 * ```
 */
import type { Clock } from '@hedgerow/protocols/dispatch'

export type { Clock } from '@hedgerow/protocols/dispatch'

/** `now` never goes back, whatever is done to the machine's time. Handles are the timers' numbers. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, milliseconds) => Number(setTimeout(callback, milliseconds)),
  clearTimeout(handle) {
    if (typeof handle === 'number') clearTimeout(handle)
  }
}
