/** Two different ones, each pair as likely and in either order; all there are if there are fewer. */
export function drawTwo<T>(items: readonly T[], random: () => number): T[] {
  if (items.length < 2) return [...items]
  const first = Math.floor(random() * items.length)
  const second = Math.floor(random() * (items.length - 1))
  return [first, second < first ? second : second + 1].flatMap(i => items[i] ?? [])
}

/** The one that is expected to answer sooner; of equals the first. */
export function better<T extends { score: number }>(a: T, b: T): T {
  return b.score < a.score ? b : a
}
