/** Bodies of others, read up to a limit. */

/** @returns undefined when there is more than `limit` bytes; what is left is not read then */
export async function readUpTo(
  body: ReadableStream<Uint8Array> | null,
  limit: number
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (body == null) return new Uint8Array()
  const reader = body.getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    size += value.byteLength
    if (size > limit) {
      // Nobody waits for the other end to hear of it.
      reader.cancel().catch(() => {})
      return undefined
    }
    chunks.push(value)
  }
  const whole = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.byteLength
  }
  return whole
}

/** @returns undefined when it is no JSON, or too much of it */
export async function readJson(body: ReadableStream<Uint8Array> | null, limit: number): Promise<unknown> {
  const bytes = await readUpTo(body, limit)
  if (bytes == null) return undefined
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes))
  } catch {
    return undefined
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value != null && !Array.isArray(value)
}
