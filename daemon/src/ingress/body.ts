import type { IncomingMessage } from 'node:http'
import { MeshError } from '@hedgerow/protocols/errors'
import type { Body } from '@hedgerow/protocols/invocation'

/** Bytes up to which a body is read whole before it goes on: it can be sent again, and leaves in one piece. */
const SMALL_BODY = 64 * 1024

/** The body of a request: whole when it is small and says so, else as a stream. @throws {MeshError} ClientGone */
export function bodyOf(message: IncomingMessage): Body | Promise<Uint8Array> {
  const length = message.headers['content-length']
  if (length === '0' || (length == null && message.headers['transfer-encoding'] == null)) return null
  if (length != null && Number(length) <= SMALL_BODY) return readWhole(message)
  // An exchange that ends early closes its body; the caller must still be told why, so its socket stays open.
  return message.iterator({ destroyOnReturn: false })
}

/** By events: for one or two pieces an async iterator costs several times as much as they do. */
function readWhole(message: IncomingMessage): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
  const chunks: Buffer[] = []
  message.on('data', (chunk: Buffer) => chunks.push(chunk))
  message.on('end', () => resolve(chunks.length === 1 && chunks[0] != null ? chunks[0] : Buffer.concat(chunks)))
  const gone = (): void => {
    // Every request closes in the end; an error is only made for one whose body has not.
    if (!message.readableEnded)
      reject(new MeshError('ClientGone', 'the request broke off before its body was complete'))
  }
  message.on('error', gone)
  message.on('close', gone)
  return promise
}
