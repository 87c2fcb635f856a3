import type { FastifyRequest } from 'fastify'
import { ServiceError } from './errors.ts'

/** milliseconds: the longest that a timer can run */
const LONGEST = 2 ** 31 - 1

/**
 * Aborted, with a 504 as its reason, when a request has had its time: `limit`, or what its caller still waits for
 * (`Hedgerow-Timeout`) where that is less.
 *
 * @param limit milliseconds
 */
export function timeLimit(request: FastifyRequest, limit: number): AbortSignal {
  const caller = Number(request.headers['hedgerow-timeout']) * 1000
  const milliseconds = caller > 0 ? Math.min(limit, caller) : limit
  const stop = new AbortController()
  setTimeout(
    () => {
      const seconds = Math.round(milliseconds / 100) / 10
      stop.abort(new ServiceError(504, 'TimedOut', `this took longer than the ${seconds} s that it may take`))
    },
    Math.min(milliseconds, LONGEST)
  ).unref()
  return stop.signal
}
