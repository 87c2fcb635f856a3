/** Headers that concern one hop (RFC 9110, 7.6.1) stay on it: each stream has its own framing and lifetime. */
import type { Headers, OutgoingRequest } from '../index.ts'

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  // asks the next hop to agree before it gets the body; undici doesn't do it, and window sizes serve as well
  'expect'
])

/** As undici takes them: names and values in turn, which is less work than an object for both. */
export function requestHeaders(peer: string, { headers, body }: OutgoingRequest): string[] {
  const named = connectionOptions(headers.connection)
  const forwarded = headers.host == null ? ['host', peer] : []
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined || HOP_BY_HOP.has(name) || named?.includes(name)) continue
    // known exactly from the body unless that is an iterable
    if (name === 'content-length' && (body === null || body instanceof Uint8Array)) continue
    if (typeof value === 'string') forwarded.push(name, value)
    else for (const one of value) forwarded.push(name, one)
  }
  return forwarded
}

export function answerHeaders(raw: Record<string, string | string[] | undefined>): Headers {
  const named = connectionOptions(raw.connection)
  const headers: Headers = {}
  for (const name in raw) {
    const value = raw[name]
    if (value !== undefined && !HOP_BY_HOP.has(name) && !named?.includes(name)) headers[name] = value
  }
  return headers
}

/** Further headers that a `Connection` header declares to be for one hop. */
function connectionOptions(connection: string | string[] | undefined): string[] | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined
  return String(connection)
    .toLowerCase()
    .split(',')
    .map(option => option.trim())
}
