import { BlockList, isIP, isIPv4 } from 'node:net'

/**
 * - `public`: of the internet
 * - `private`: of somebody's own network, reached from within it
 * - `loopback`: this machine
 * - `special`: nowhere a peer could be (link-local, multicast, reserved, and forms of IPv6 that hide an IPv4 address)
 */
export type NetworkKind = 'public' | 'private' | 'loopback' | 'special'

const LOOPBACK = listOf(['127.0.0.0/8', '::1/128'])
const PRIVATE = listOf(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'])
/** IANA's registries of special-purpose addresses; 169.254.169.254 is where clouds keep their secrets. */
const SPECIAL = listOf([
  '0.0.0.0/8',
  '169.254.0.0/16',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4'
])
/** All that is given out of IPv6, less what stands for something else. */
const GLOBAL_IPV6 = listOf(['2000::/3'])
const SPECIAL_IPV6 = listOf(['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'])

/** Where an IP address is. @returns undefined for what is none */
export function networkKindOf(ip: string): NetworkKind | undefined {
  const family = isIP(ip)
  if (family === 0 || ip.includes('%')) return undefined
  const type = family === 4 ? 'ipv4' : 'ipv6'
  // Node looks at ::ffff:a.b.c.d as a.b.c.d here; nobody has to write it so.
  if (type === 'ipv6' && /^::ffff:/i.test(ip)) return 'special'
  if (LOOPBACK.check(ip, type)) return 'loopback'
  if (PRIVATE.check(ip, type)) return 'private'
  if (type === 'ipv4') return SPECIAL.check(ip, type) ? 'special' : 'public'
  return GLOBAL_IPV6.check(ip, type) && !SPECIAL_IPV6.check(ip, type) ? 'public' : 'special'
}

function listOf(networks: string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    list.addSubnet(address, Number(prefix), isIPv4(address) ? 'ipv4' : 'ipv6')
  }
  return list
}
