import type { IncomingMessage } from 'node:http'
import { MeshError } from '@hedgerow/protocols/errors'
import type { Body } from '@hedgerow/protocols/invocation'

/** Bytes up to which a body is read whole before it goes on: it can be sent again, and leaves in one piece. */
const SMALL_BODY = 64 * 1024
/** Milliseconds that a client may pause within its body. */
export const PATIENCE = 60_000

export interface BodyBounds {
  /** when the caller's time is up, in milliseconds of `performance.now()`. @default never */
  deadline?: number
  /** milliseconds that it may pause. @default 60 s */
  patience?: number
}

/**
 * The body of a request: whole when it is small and says so, else as a stream.
 *
 * @throws {MeshError} ClientGone, BodyStalled or, within `deadline`, Deadline; a stream throws the first two
 */
export function bodyOf(message: IncomingMessage, bounds: BodyBounds = {}): Body | Promise<Uint8Array> {
  const length = message.headers['content-length']
  if (!hasBody(message)) return null
  if (length != null && Number(length) <= SMALL_BODY) return readWhole(message, SMALL_BODY, bounds)
  return paced(message, bounds.patience ?? PATIENCE)
}

/**
 * The body of a request, read whole whatever its size, for a route that must know it.
 *
 * @param limit bytes
 * @throws {MeshError} BodyTooLarge, ClientGone, BodyStalled or Deadline
 */
export async function wholeBodyOf(
  message: IncomingMessage,
  limit: number,
  bounds: BodyBounds = {}
): Promise<Uint8Array | undefined> {
  if (!hasBody(message)) return undefined
  if (Number(message.headers['content-length'] ?? 0) > limit) throw tooLarge(limit)
  return readWhole(message, limit, bounds)
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] == null ? headers['transfer-encoding'] != null : headers['content-length'] !== '0'
}

/** By events: for one or two pieces an async iterator costs several times as much as they do. */
function readWhole(message: IncomingMessage, limit: number, bounds: BodyBounds): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
  const { deadline = Infinity, patience = PATIENCE } = bounds
  const chunks: Buffer[] = []
  let size = 0
  const end = (): void => {
    clearTimeout(pause)
    clearTimeout(late)
    message.off('data', onData).off('end', onEnd).off('error', gone).off('close', gone)
  }
  const fail = (error: MeshError): void => {
    end()
    reject(error)
  }
  const onData = (chunk: Buffer): void => {
    pause.refresh()
    chunks.push(chunk)
    size += chunk.byteLength
    if (size > limit) fail(tooLarge(limit))
  }
  const onEnd = (): void => {
    end()
    resolve(chunks.length === 1 && chunks[0] != null ? chunks[0] : Buffer.concat(chunks))
  }
  const gone = (): void => fail(new MeshError('ClientGone', 'the request broke off before its body was complete'))
  const pause = setTimeout(() => fail(stalled(patience)), patience)
  const late =
    deadline === Infinity
      ? undefined
      : setTimeout(
          () => fail(new MeshError('Deadline', "the caller's time was up before its request had arrived")),
          Math.max(0, deadline - performance.now())
        )
  message.on('data', onData).on('end', onEnd).on('error', gone).on('close', gone)
  return promise
}

/** The rest of a body as it comes, with a bound on its pauses while somebody waits for more. */
function paced(message: IncomingMessage, patience: number): AsyncIterableIterator<Uint8Array> {
  // An exchange that ends early closes its body; the caller must still be told why, so its socket stays open.
  const source = message.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Uint8Array>
  const paced: AsyncIterableIterator<Uint8Array> = {
    next: () => {
      const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<Uint8Array>>()
      const pause = setTimeout(() => reject(stalled(patience)), patience)
      source.next().then(resolve, reject)
      return promise.finally(() => clearTimeout(pause))
    },
    return: async () => {
      // Not awaited: a source that waits for its caller gets to it only when that sends again.
      source.return?.().catch(() => {})
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]: () => paced
  }
  return paced
}

function tooLarge(limit: number): MeshError {
  return new MeshError('BodyTooLarge', `bodies may have up to ${limit} bytes here`, { limit, retry_safe: true })
}

function stalled(patience: number): MeshError {
  return new MeshError('BodyStalled', `no more of the request came for ${patience / 1000} s`, { retry_safe: false })
}
