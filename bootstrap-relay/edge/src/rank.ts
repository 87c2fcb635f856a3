import { distance, type Place } from './place.ts'
import type { Relay } from './registry/index.ts'

/** What one running copy of the Worker has seen of a relay. */
export interface Experience {
  /** when it last answered, and when it last didn't; in milliseconds since 1970 */
  okAt?: number
  failedAt?: number
  /** milliseconds that it took to say which entry points there are */
  latency?: number
}

/** Milliseconds for which a relay that failed comes after all others. */
export const PENALTY = 30_000
/** Milliseconds there and back for a kilometre: light in fibre takes 0.01, and cables make detours. */
const PER_KM = 0.02
/** Milliseconds for a relay of which nothing is known: half-way round the earth. */
const UNKNOWN = 200

/**
 * The order in which relays are tried: nearest first. Where both places are known, by distance: that needs no request to
 * learn, and copies of the Worker live too short to measure much. Else by what answers took, else as listed. Whoever
 * failed a moment ago comes last, but is still tried when nobody else is left.
 */
export function rank(
  relays: readonly Relay[],
  from: Place | undefined,
  experience: (url: string) => Experience | undefined,
  now: number
): Relay[] {
  return relays
    .map(relay => ({ relay, failed: hasFailed(experience(relay.url), now), expected: expected(relay) }))
    .sort((a, b) => Number(a.failed) - Number(b.failed) || a.expected - b.expected)
    .map(({ relay }) => relay)

  function expected({ url, place }: Relay): number {
    if (place != null && from != null) return distance(from, place) * PER_KM
    return experience(url)?.latency ?? UNKNOWN
  }
}

function hasFailed(known: Experience | undefined, now: number): boolean {
  return known?.failedAt != null && known.failedAt >= (known.okAt ?? 0) && now - known.failedAt < PENALTY
}
