import { duration } from '../../../render/format.ts'
import type { Check, Verdict } from '../index.ts'

/**
 * Milliseconds. Proofs of HTTP callers hold for 5 minutes and credentials have 15 of leeway, so this is a warning before
 * anything breaks; a Date header has whole seconds, and the way takes some.
 */
const TOLERANCE = 60_000

export const clock: Check = {
  id: 'clock',
  title: 'clock',
  limit: 1000,
  needs: [],
  after: ['relay'],
  late: 'look at the clock of this machine',
  async look({ relay }) {
    if (relay?.date == null)
      return {
        state: 'none',
        found: relay == null ? 'not looked at: relay comes first' : 'the relay does not say what time it is'
      }
    return judgeClock(relay.askedAt - relay.date)
  }
}

/** @param ahead milliseconds that this machine's clock is ahead of the relay's */
export function judgeClock(ahead: number): Verdict {
  const off = `${duration(Math.abs(ahead) / 1000)} ${ahead > 0 ? 'ahead of' : 'behind'} the relay's`
  if (Math.abs(ahead) <= TOLERANCE) return { state: 'well', found: Math.abs(ahead) < 2000 ? "as the relay's" : off }
  return {
    state: 'wrong',
    found: off,
    fix: 'set this clock by NTP (timedatectl set-ntp true); if it is right, the clock of the relay is wrong'
  }
}
