import type { FastifyReply } from 'fastify'

const signals = new WeakMap<FastifyReply, AbortSignal>()

/**
 * Aborted when the client goes away before it has its answer; pass it to whatever the answer needs. (Fastify's own
 * `request.signal` listens for the end of the request's body, which is long past when a handler asks for it.)
 */
export function clientLeft(reply: FastifyReply): AbortSignal {
  const known = signals.get(reply)
  if (known != null) return known
  const left = new AbortController()
  const { raw } = reply
  const closed = (): void => {
    if (!raw.writableFinished) left.abort(new Error('the client left'))
  }
  if (raw.destroyed) closed()
  else raw.once('close', closed)
  signals.set(reply, left.signal)
  return left.signal
}
