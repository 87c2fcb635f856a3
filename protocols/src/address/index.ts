/**
 * Addresses as others write them.
 *
 * @example
 * ```ts
 * readMultiaddr('/ip4/127.0.0.1/tcp/4001')?.toString()
 * ```
 */
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'

/** Characters; with certificate hashes and two peer ids an address takes 300. */
const MAX_LENGTH = 512

/**
 * The address that a text is; undefined when it is none. The library takes some texts that it can't use: `/p2p/` before
 * what is no peer id fails when somebody compares or stores it, which would take the other addresses of its list along.
 */
export function readMultiaddr(text: unknown): Multiaddr | undefined {
  if (typeof text !== 'string' || text.length > MAX_LENGTH) return undefined
  try {
    const addr = multiaddr(text)
    return addr.bytes.byteLength > 0 ? addr : undefined
  } catch {
    return undefined
  }
}
