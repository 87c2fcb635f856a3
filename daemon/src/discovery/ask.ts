import { InvocationError, type Invoker } from '@hedgerow/protocols/invocation'

export interface AskOptions {
  signal: AbortSignal
  /** bytes of the answer. @default 1 MiB */
  maxBytes?: number
}

const MAX_BYTES = 1024 * 1024

/**
 * Asks another peer's API a question: one GET over `/http/1.1`.
 *
 * @throws {InvocationError} when it can't be reached, or breaks off
 */
export async function askPeer(
  invoker: Pick<Invoker, 'invoke'>,
  peerId: string,
  path: string,
  { signal, maxBytes = MAX_BYTES }: AskOptions
): Promise<{ status: number; body: Buffer }> {
  const { status, body } = await invoker.invoke(peerId, { method: 'GET', path, headers: {}, body: null }, { signal })
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
