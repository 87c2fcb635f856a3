/** Where a request came from, as far as it can be believed, and which addresses count as one. */
import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'

/** One address, or a network in CIDR notation. */
export interface AddressRange {
  address: string
  /** bits; left out for one address */
  prefix?: number
}

/** @returns undefined when it is neither an address nor a network */
export function parseRange(text: string): AddressRange | undefined {
  const [address = '', bits, ...more] = text.split('/')
  const family = isIP(address)
  if (family === 0 || more.length > 0) return undefined
  if (bits == null) return { address }
  const prefix = Number(bits)
  return /^\d{1,3}$/.test(bits) && prefix <= (family === 4 ? 32 : 128) ? { address, prefix } : undefined
}

export interface Addresses {
  /** of whoever sent a request: of the proxy in front, unless that one is trusted to say */
  of(message: IncomingMessage): string
}

/**
 * @param trusted proxies whose `X-Forwarded-For` is believed, or else their `CF-Connecting-IP`
 * @param tunnelled whether every connection comes from `cloudflared` on this machine
 */
export function addresses(trusted: readonly AddressRange[], tunnelled: boolean): Addresses {
  const proxies = new BlockList()
  for (const { address, prefix } of trusted) {
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6'
    if (prefix == null) proxies.addAddress(address, family)
    else proxies.addSubnet(address, prefix, family)
  }
  const isTrusted = (address: string): boolean => proxies.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6')
  return {
    of({ socket, headers }) {
      const remote = plain(socket.remoteAddress ?? '')
      if (tunnelled) return addressIn(headers['cf-connecting-ip']) ?? remote
      if (trusted.length === 0 || isIP(remote) === 0 || !isTrusted(remote)) return remote
      // Each hop adds whom it heard from at the end, so what is left of the first stranger is the stranger's own.
      const hops = String(headers['x-forwarded-for'] ?? '').split(',')
      let seen: string | undefined
      for (const hop of hops.reverse()) {
        const address = addressIn(hop)
        if (address == null) break
        seen = address
        if (!isTrusted(address)) return address
      }
      return seen ?? addressIn(headers['cf-connecting-ip']) ?? remote
    }
  }
}

function addressIn(text: string | string[] | undefined): string | undefined {
  if (typeof text !== 'string') return undefined
  const address = plain(text.trim())
  return isIP(address) === 0 ? undefined : address
}

/** IPv4 as such, where a socket takes both kinds. */
function plain(address: string): string {
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address
}

/** What is counted as one: an IPv4 address, or the /64 of an IPv6 one, which is what one household or host gets. */
export function countedAs(address: string): string {
  if (isIP(address) !== 6) return address
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail == null || tail === '' ? [] : tail.split(':')
  const missing = tail == null ? 0 : 8 - front.length - back.length
  const groups = [...front, ...Array.from({ length: Math.max(0, missing) }, () => '0'), ...back]
  return `${groups
    .slice(0, 4)
    .map(group => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}

export function isLoopbackAddress(address: string): boolean {
  return /^127\./.test(address) || address === '::1'
}
