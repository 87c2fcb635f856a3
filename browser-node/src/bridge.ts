import type { Body } from '@hedgerow/protocols/invocation'
import { raceSignal } from 'race-signal'
import { fetchBootstrap } from './bootstrap.ts'
import { RELAY_WATCH } from './constants.ts'
import type { Meter } from './progress.ts'
import type { MeshRequest } from './request.ts'
import { reasonOf } from './request.ts'
import { bridgedResponse, offline } from './response.ts'

/** Headers that browsers set themselves, and would refuse. */
const OWN = new Set(['content-length', 'host', 'connection'])

/**
 * Sends a request over the HTTP bridge of the first relay that answers. The next one is tried only when a relay couldn't
 * be reached: then nothing was executed, or nobody can know, and `mayRepeat` decides.
 *
 * @throws {TypeError} when no relay answers
 */
export async function fetchBridged(
  request: MeshRequest,
  relays: string[],
  mayRepeat: boolean,
  meter: Meter
): Promise<Response> {
  const { method, path, redirect, signal } = request
  const headers = new Headers()
  for (const [name, value] of request.headers) if (!OWN.has(name)) headers.set(name, value)
  const body = request.replay() ?? (await raceSignal(whole(request.body), signal))
  let failure: unknown
  for (const relay of relays) {
    if (signal.aborted) throw reasonOf(signal)
    try {
      const init: RequestInit = { method, headers, redirect, ...(body == null ? {} : { body }) }
      const response = await whileThere(relay, signal, there => fetch(new URL(path, relay), { ...init, signal: there }))
      return bridgedResponse(request, response, meter)
    } catch (err) {
      if (signal.aborted) throw reasonOf(signal)
      failure = err
      if (!mayRepeat) break
    }
  }
  throw offline(failure)
}

/**
 * Browsers wait for minutes for a host that says nothing. So a relay is asked whether it is there until its answer
 * begins; one that misses two questions in a row, as a busy line doesn't make it, is given up.
 */
async function whileThere<T>(relay: string, signal: AbortSignal, run: (there: AbortSignal) => Promise<T>): Promise<T> {
  const gone = new AbortController()
  const begun = new AbortController()
  let missed = 0
  let timer: ReturnType<typeof setTimeout>
  const watch = async (): Promise<void> => {
    try {
      await fetchBootstrap(relay, begun.signal)
      missed = 0
    } catch (err) {
      if (begun.signal.aborted) return
      if (++missed === 2) return gone.abort(err)
    }
    if (!begun.signal.aborted) timer = setTimeout(watch, RELAY_WATCH)
  }
  timer = setTimeout(watch, RELAY_WATCH)
  try {
    return await run(AbortSignal.any([signal, gone.signal]))
  } finally {
    begun.abort()
    clearTimeout(timer)
  }
}

/** Browsers stream bodies over HTTP/2 alone, and not all do: to a relay goes what has been read whole. */
async function whole(body: Body): Promise<Blob | undefined> {
  if (body == null) return undefined
  if (body instanceof Uint8Array) return new Blob([new Uint8Array(body)])
  const pieces: Array<Uint8Array<ArrayBuffer>> = []
  for await (const piece of body) pieces.push(new Uint8Array(piece))
  return new Blob(pieces)
}
