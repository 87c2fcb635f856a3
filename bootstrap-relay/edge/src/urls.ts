/**
 * URLs of relays and entry points, as others write them. The Worker sends requests to some, and browsers go to the others,
 * so only public https ones are taken: no loopback, no home network, no cloud metadata service.
 *
 * @example
 * ```ts
 * publicUrl('https://relay.example.org/', false)?.origin // https://relay.example.org
 * publicUrl('https://10.0.0.1', false) // undefined
 * ```
 */
const MAX_LENGTH = 512

/** Top-level names that stand for no host of the internet (RFC 6761, 6762, 8375, 9476, and ICANN's `internal`). */
const LOCAL_NAMES = /(?:^|\.)(?:localhost|local|internal|home|lan|corp|intranet|test|invalid|example|onion|alt|arpa)$/

/** IPv4 networks that aren't of the public internet (IANA's special-purpose registry): network, prefix length. */
const SPECIAL_V4: readonly [string, number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3]
]

/**
 * @param allowPrivate takes http: and any host too, for trying out on one machine
 * @returns undefined for what nobody should be sent to
 */
export function publicUrl(text: unknown, allowPrivate: boolean): URL | undefined {
  if (typeof text !== 'string' || text.length > MAX_LENGTH) return undefined
  const url = URL.parse(text)
  if (url == null || url.username !== '' || url.password !== '' || url.hash !== '') return undefined
  if (allowPrivate) return url.protocol === 'https:' || url.protocol === 'http:' ? url : undefined
  return url.protocol === 'https:' && isPublicHost(url.hostname) ? url : undefined
}

/** A relay is a whole origin: it has no path of its own. */
export function relayOrigin(text: unknown, allowPrivate: boolean): string | undefined {
  const url = publicUrl(text, allowPrivate)
  return url != null && url.pathname === '/' && url.search === '' ? url.origin : undefined
}

/** The parser has made every spelling of an IPv4 address (`0x7f.1`, `2130706433`) four decimal numbers by now. */
function isPublicHost(hostname: string): boolean {
  if (hostname.startsWith('[')) return isPublicV6(hostname.slice(1, -1))
  const name = hostname.endsWith('.') ? hostname.slice(0, -1) : hostname
  if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) return isPublicV4(name)
  return name.includes('.') && !LOCAL_NAMES.test(name)
}

function isPublicV4(address: string): boolean {
  const number = v4Number(address)
  return !SPECIAL_V4.some(([network, prefix]) => number >>> (32 - prefix) === v4Number(network) >>> (32 - prefix))
}

function v4Number(address: string): number {
  return address.split('.').reduce((number, part) => number * 256 + Number(part), 0)
}

/**
 * Global unicast (2000::/3) but for what carries an IPv4 address of anybody's choice in it (Teredo, 6to4) or is for
 * documentation. Mapped and translated addresses (::ffff:0:0/96, 64:ff9b::/96) are outside of it.
 */
function isPublicV6(address: string): boolean {
  const [first = 0, second = 0] = address.split(':', 2).map(part => Number.parseInt(part || '0', 16))
  if (first < 0x2000 || first > 0x3fff || first === 0x2002) return false
  // 2001::/23 is set aside for protocols, Teredo among them.
  return !(first === 0x2001 && (second < 0x0200 || second === 0x0db8)) && first !== 0x3fff
}
