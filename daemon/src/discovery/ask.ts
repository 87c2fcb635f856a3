import { InvocationError, type Invoker, type OutgoingRequest } from '@hedgerow/protocols/invocation'

export interface AskOptions {
  signal: AbortSignal
  /** bytes of the answer. @default 1 MiB */
  maxBytes?: number
  /** sent as JSON with POST. @default none, with GET */
  json?: unknown
}

const MAX_BYTES = 1024 * 1024

/**
 * Asks another peer's API a question: one request over `/http/1.1`.
 *
 * @throws {InvocationError} when it can't be reached, or breaks off
 */
export async function askPeer(
  invoker: Pick<Invoker, 'invoke'>,
  peerId: string,
  path: string,
  { signal, maxBytes = MAX_BYTES, json }: AskOptions
): Promise<{ status: number; body: Buffer }> {
  const { status, body } = await invoker.invoke(peerId, requestFor(path, json), { signal })
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > maxBytes)
      throw new InvocationError('receive', peerId, `${path} is answered with more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return { status, body: Buffer.concat(chunks) }
}

function requestFor(path: string, json: unknown): OutgoingRequest {
  if (json === undefined) return { method: 'GET', path, headers: {}, body: null }
  const body = Buffer.from(JSON.stringify(json))
  const headers = { 'content-type': 'application/json', 'content-length': String(body.byteLength) }
  return { method: 'POST', path, headers, body }
}
