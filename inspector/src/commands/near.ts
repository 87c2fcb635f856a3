import { distance } from 'fastest-levenshtein'

const MAX_MATCHES = 3

/** The candidates that `given` may have been meant to be, the likeliest first. */
export function nearMatches(given: string, candidates: Iterable<string>): string[] {
  const wanted = given.toLowerCase()
  // Two slips in a short word, three in a long one: more, and the guess is worse than none.
  const limit = Math.min(3, Math.max(1, Math.floor(wanted.length / 3)))
  return [...new Set(candidates)]
    .map(candidate => ({ candidate, rank: rankOf(wanted, candidate.toLowerCase()) }))
    .filter(({ rank }) => rank <= limit)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, MAX_MATCHES)
    .map(({ candidate }) => candidate)
}

const sorted = (word: string): string => [...word].sort().join('')

function rankOf(wanted: string, candidate: string): number {
  if (wanted.length > 64 || candidate.length > 256) return Number.POSITIVE_INFINITY
  // Half a name is no slip: it is somebody who stopped typing.
  if (wanted.length >= 3 && candidate.includes(wanted)) return 0
  // Letters in the wrong order are one slip.
  return sorted(wanted) === sorted(candidate) ? 1 : distance(wanted, candidate)
}
