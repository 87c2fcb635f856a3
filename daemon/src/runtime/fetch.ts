import { Client } from 'undici'
import { CONNECT_TIMEOUT, MAX_HEAD } from './constants.ts'
import type { HttpTarget } from './index.ts'

export interface FetchedText {
  status: number
  /** cut at the limit */
  text: string
  complete: boolean
}

export interface FetchOptions {
  /** milliseconds for the whole of it */
  timeout: number
  /** bytes of the body that are read */
  maxBytes: number
}

/**
 * GETs something small from a backend, over a connection of its own: what is asked here must not wait behind requests,
 * and a backend that takes no more connections should be found out.
 */
export async function fetchText(
  target: HttpTarget,
  path: string,
  { timeout, maxBytes }: FetchOptions
): Promise<FetchedText> {
  const client = new Client(target.origin, { maxHeaderSize: MAX_HEAD, allowH2: false, connectTimeout: CONNECT_TIMEOUT })
  try {
    const { statusCode, body } = await client.request({
      method: 'GET',
      path: target.prefix + path,
      reset: true,
      headersTimeout: 0,
      bodyTimeout: 0,
      signal: AbortSignal.timeout(timeout)
    })
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of body) {
      if (!(chunk instanceof Uint8Array)) continue
      chunks.push(chunk.subarray(0, maxBytes - size))
      size += chunk.byteLength
      if (size > maxBytes) break
    }
    return { status: statusCode, text: Buffer.concat(chunks).toString('utf8'), complete: size <= maxBytes }
  } finally {
    await client.destroy()
  }
}
