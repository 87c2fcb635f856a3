/** Does `work` for all, so many at a time, and keeps their order. */
export async function inParallel<T, R>(
  items: T[],
  width: number,
  work: (item: T, index: number) => Promise<R>
): Promise<R[]> {
  const results: R[] = []
  const queue = items.entries()
  const worker = async (): Promise<void> => {
    for (const [i, item] of queue) results[i] = await work(item, i)
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker))
  return results
}
