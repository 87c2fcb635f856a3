import type { Body } from '@hedgerow/protocols/invocation'

/** The same body; `count` hears how many bytes of it go by. */
export function counted(body: Body, count: (bytes: number) => void): Body {
  if (body == null) return body
  if (body instanceof Uint8Array) {
    count(body.byteLength)
    return body
  }
  return countedPieces(body, count)
}

export function countedPieces(
  body: AsyncIterable<Uint8Array>,
  count: (bytes: number) => void
): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const source = body[Symbol.asyncIterator]()
      return {
        async next() {
          const result = await source.next()
          if (result.done !== true) count(result.value.byteLength)
          return result
        },
        async return() {
          await source.return?.()
          return { done: true, value: undefined }
        }
      }
    }
  }
}
