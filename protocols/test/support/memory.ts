const MIB = 1024 * 1024

export interface MemoryWatch {
  /** MiB that the process has grown by at most, since the last time it was asked */
  take(): number
  stop(): void
}

/** Looks at the resident memory of this process every few milliseconds. */
export function watchMemory(): MemoryWatch {
  let start = process.memoryUsage.rss()
  let peak = start
  const look = (): void => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }
  const timer = setInterval(look, 5)
  timer.unref()
  return {
    take: () => {
      look()
      const growth = (peak - start) / MIB
      start = process.memoryUsage.rss()
      peak = start
      return growth
    },
    stop: () => clearInterval(timer)
  }
}
