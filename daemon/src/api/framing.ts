import type { IncomingMessage } from 'node:http'
import { MeshError } from '@hedgerow/protocols/errors'
import { hasKnownCoding } from '@hedgerow/protocols/invocation/node'

/**
 * Refuses requests that two servers in a row could read in two ways, where Node's parser takes them (RFC 9112: 3.2 for
 * hosts, 6.1 for codings).
 */
export function isWellFramed({ headers, rawHeaders, httpVersionMinor }: IncomingMessage): boolean {
  if (!hasKnownCoding(headers)) return false
  if (headers['transfer-encoding'] !== undefined && httpVersionMinor === 0) return false
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  return hosts <= 1
}

/** @throws {MeshError} Malformed */
export function checkFraming(message: IncomingMessage): void {
  if (isWellFramed(message)) return
  throw new MeshError(
    'Malformed',
    'a request has one Host, and a body is chunked, if it is anything, and then in HTTP/1.1'
  )
}
