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
export async function fetchBridged(request: MeshRequest, relays: string[], mayRepeat: boolean): Promise<Response> {
  const { method, path, signal } = request
  const headers = new Headers()
  for (const [name, value] of request.headers) if (!OWN.has(name)) headers.set(name, value)
  const body = request.replay()
  if (request.body != null && body == null) throw offline(new Error('a body that is a stream needs a peer to go to'))
  let failure: unknown
  for (const relay of relays) {
    try {
      const response = await fetch(new URL(path, relay), { method, headers, signal, ...(body == null ? {} : { body }) })
      return bridgedResponse(response)
    } catch (err) {
      if (signal.aborted) throw reasonOf(signal)
      failure = err
      if (!mayRepeat) break
    }
  }
  throw offline(failure)
}
