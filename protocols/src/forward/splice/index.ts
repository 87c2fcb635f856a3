/**
 * Joins connections of Node: sockets, or streams to peers.
 *
 * @example
 * ```ts
 * createServer({ allowHalfOpen: true }, socket => carry(socket, signal => openWay(signal), stopping).catch(log))
 * ```
 */
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { finished } from 'node:stream/promises'

/** Milliseconds that the end of a socket may take which is to be reset; its other end may have stopped reading. */
const END_PATIENCE = 500

/** A connection that others are joined with. */
export interface Way {
  duplex: Duplex
  /**
   * Asked when it has ended its direction, before anybody hears of that: rejects when it was no end, as when the process
   * behind it has died. @default it was one
   */
  ending?(): Promise<void>
}

/**
 * Joins two connections: what one sends the other gets, the end of one direction too, and a reset of one resets the other.
 * Neither is read faster than the other takes.
 *
 * @returns when both have ended in order @throws what went wrong with one of them
 */
export async function splice(a: Duplex, { duplex: b, ending }: Way): Promise<void> {
  // Not `pipeline`: on an error it destroys a socket, which ends it as if all had been said.
  const ends = [finished(a), finished(b)]
  a.pipe(b)
  b.pipe(a, { end: ending == null })
  if (ending != null) {
    const believed = Promise.withResolvers<void>()
    b.once('end', () => believed.resolve(ending()))
    ends.push(believed.promise.then(() => void a.end()))
  }
  try {
    await Promise.all(ends)
  } catch (err) {
    reset(a)
    reset(b)
    throw err
  }
}

/** So that whoever is at the other end can't take it for the end. */
export function reset(duplex: Duplex): void {
  if (duplex.destroyed) return
  if (!(duplex instanceof Socket) || !duplex.writableEnded || duplex.writableFinished) {
    resetNow(duplex)
    return
  }
  // A socket can't be reset while its end is on its way: it would be left open for ever (libuv's EINVAL, which Node takes
  // for done).
  const late = setTimeout(() => duplex.destroy(), END_PATIENCE)
  duplex.once('close', () => clearTimeout(late))
  duplex.once('finish', () => resetNow(duplex))
}

function resetNow(duplex: Duplex): void {
  try {
    if ('resetAndDestroy' in duplex && typeof duplex.resetAndDestroy === 'function') duplex.resetAndDestroy()
    else duplex.destroy(new Error('the connection was reset'))
  } catch {
    // A TLS socket can't.
    duplex.destroy()
  }
}

/**
 * Opens a way for a caller and joins the two. A caller that leaves in disorder aborts the signal first, so that what
 * follows is known to be its doing.
 *
 * @param open is given a signal that must reset the way for as long as it lasts
 * @param signal resets it all
 */
export async function carry(
  caller: Duplex,
  open: (signal: AbortSignal) => Promise<Way>,
  signal: AbortSignal
): Promise<void> {
  const gone = new AbortController()
  const onError = (err: Error): void => gone.abort(err)
  const onClose = (): void => {
    if (!caller.readableEnded || !caller.writableFinished) gone.abort(new Error('the caller left'))
  }
  const onAbort = (): void => {
    gone.abort(signal.reason)
    reset(caller)
  }
  caller.on('error', onError)
  caller.once('close', onClose)
  signal.addEventListener('abort', onAbort, { once: true })
  if (caller.destroyed) onClose()
  if (signal.aborted) onAbort()
  try {
    gone.signal.throwIfAborted()
    await splice(caller, await open(gone.signal))
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
