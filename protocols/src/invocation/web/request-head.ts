import type { OutgoingRequest } from '../index.ts'
import { requestHeaders } from '../wire/headers.ts'

/** How the end of a body is found. */
export type Framing = 'none' | 'length' | 'chunked'

const encoder = new TextEncoder()
/** RFC 9110, 5.6.2 */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** What would end a line, or be read in two ways. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control bytes are what is looked for
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/
const TARGET = /^\/[\u0021-\u007e]*$/

/** @throws {TypeError} when it isn't a valid HTTP request */
export function requestHead(peer: string, request: OutgoingRequest): { head: Uint8Array; framing: Framing } {
  const { method, path, body } = request
  if (!TOKEN.test(method)) throw new TypeError(`${JSON.stringify(method)} is not an HTTP method`)
  if (!TARGET.test(path)) throw new TypeError(`${JSON.stringify(path)} is not a path as HTTP writes it`)
  const headers = requestHeaders(peer, request)
  const framing = framingOf(body, request.headers['content-length'])
  if (body instanceof Uint8Array) headers.push('content-length', String(body.byteLength))
  if (framing === 'chunked') headers.push('transfer-encoding', 'chunked')
  const lines = [`${method} ${path} HTTP/1.1`]
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const [name = '', value = ''] = headers.slice(i, i + 2)
    if (!TOKEN.test(name)) throw new TypeError(`${JSON.stringify(name)} is not a header name`)
    if (CONTROL.test(value)) throw new TypeError(`the header ${name} has a value with control characters`)
    lines.push(`${name}: ${value}`)
  }
  return { head: encoder.encode(`${lines.join('\r\n')}\r\n\r\n`), framing }
}

function framingOf(body: OutgoingRequest['body'], length: string | string[] | undefined): Framing {
  if (body == null) return 'none'
  return body instanceof Uint8Array || length != null ? 'length' : 'chunked'
}

const CRLF = encoder.encode('\r\n')
export const LAST_CHUNK = encoder.encode('0\r\n\r\n')

/** One chunk of a chunked body (RFC 9112, 7.1); never empty, which would end it. */
export function* chunked(data: Uint8Array): Generator<Uint8Array> {
  yield encoder.encode(`${data.byteLength.toString(16)}\r\n`)
  yield data
  yield CRLF
}
