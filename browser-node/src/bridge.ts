import type { Body } from '@hedgerow/protocols/invocation'
import { raceSignal } from 'race-signal'
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
      const init: RequestInit = { method, headers, redirect, signal, ...(body == null ? {} : { body }) }
      return bridgedResponse(request, await fetch(new URL(path, relay), init), meter)
    } catch (err) {
      if (signal.aborted) throw reasonOf(signal)
      failure = err
      if (!mayRepeat) break
    }
  }
  throw offline(failure)
}

/** Browsers stream bodies over HTTP/2 alone, and not all do: to a relay goes what has been read whole. */
async function whole(body: Body): Promise<Blob | undefined> {
  if (body == null) return undefined
  if (body instanceof Uint8Array) return new Blob([new Uint8Array(body)])
  const pieces: Array<Uint8Array<ArrayBuffer>> = []
  for await (const piece of body) pieces.push(new Uint8Array(piece))
  return new Blob(pieces)
}
