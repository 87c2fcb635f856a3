/** The candidate that `given` was most likely meant to be, if any is close. */
export function suggest(given: string, candidates: Iterable<string>): string | undefined {
  const normal = simplify(given)
  let best: string | undefined
  // Two slips in a short word, three in a long one: more, and the guess is worse than none.
  let bestDistance = Math.min(3, Math.max(1, Math.floor(normal.length / 3))) + 1
  for (const candidate of candidates) {
    const distance = editDistance(normal, simplify(candidate), bestDistance)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** `memoryMb` and `memory-mb` are `memory_mb` misspelt by nothing but habit. */
const simplify = (name: string): string => name.toLowerCase().replace(/[-_]/g, '').slice(0, 64)

/** Insertions, deletions, replacements and swaps of neighbours. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  const cell = (i: number, j: number): number => rows[i]?.[j] ?? limit
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    rows.push(row)
    for (let j = 1; j <= b.length; j++) {
      const replaced = cell(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? cell(i - 2, j - 2) + 1 : limit
      row.push(Math.min(replaced, swapped, cell(i - 1, j) + 1, cell(i, j - 1) + 1))
    }
  }
  return cell(a.length, b.length)
}
