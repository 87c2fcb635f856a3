import { MeshError } from '@hedgerow/protocols/errors'

/** Runs what it is given, as long as no more than `max` run; one more is refused. Whoever asks makes this peer ask others. */
export function bounded(max: number, what: string): <T>(run: () => Promise<T>) => Promise<T> {
  let running = 0
  return async run => {
    if (running >= max)
      throw new MeshError('Busy', `${max} ${what} are under way already; come back in a second`, { retry_after: 1 })
    running++
    try {
      return await run()
    } finally {
      running--
    }
  }
}
