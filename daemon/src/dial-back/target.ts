import { isIP } from 'node:net'
import type { Scope } from '@hedgerow/protocols/vouch'
import { MAX_DIAL_BACK_ADDR } from './constants.ts'
import { type NetworkKind, networkKindOf } from './network.ts'

/** What is to be dialled, as far as its address tells. */
export interface Target {
  /** a name or an IP address */
  host: string
  port: number
  /** plain TCP, or a WebSocket with or without TLS; `/` is its path and nothing else */
  by: 'tcp' | 'ws' | 'wss'
}

/** What the dialler knows of whoever asks. */
export interface Asker {
  /** IP addresses, and names, at which this peer itself is connected to it */
  seenAt: ReadonlySet<string>
  /** the multiaddrs in its advert, with no peer id */
  announced: readonly string[]
}

const FORM =
  /^\/(?<kind>ip4|ip6|dns4|dns6|dns)\/(?<host>[a-z0-9.:-]{1,128})\/tcp\/(?<port>\d{1,5})(?<by>|\/ws|\/tls\/ws|\/wss)$/i

/** Below this there are servers of other kinds, which nobody shall be made to knock at; two are where peers are too. */
const FIRST_FREE_PORT = 1024
const WEB_PORTS = [80, 443]

/** @returns undefined for what is no TCP or WebSocket address alone, or of a port that isn't dialled */
export function readTarget(addr: string): Target | undefined {
  if (addr.length > MAX_DIAL_BACK_ADDR) return undefined
  const { kind = '', host = '', port: digits, by = '' } = FORM.exec(addr)?.groups ?? {}
  const port = Number(digits)
  if (host === '' || !(port <= 65535) || (port < FIRST_FREE_PORT && !WEB_PORTS.includes(port))) return undefined
  const family = isIP(host)
  if (kind === 'ip4' ? family !== 4 : kind === 'ip6' ? family !== 6 : family !== 0 || host.includes(':'))
    return undefined
  // A name on plain TCP is nothing that peers of ours announce, and a way to have any server of a name knocked at.
  if (family === 0 && by === '') return undefined
  if (family === 0 && !isNameInUrls(host)) return undefined
  return { host, port, by: by === '' ? 'tcp' : by === '/ws' ? 'ws' : 'wss' }
}

/**
 * Whether a URL with this host leads to this name. Some spellings stand for an IP address there (`0x7f.1`, `127.0.0.1.`),
 * which would be dialled in the place of what the name was looked up to be; others for nothing.
 */
function isNameInUrls(host: string): boolean {
  return URL.parse(`ws://${host}/`)?.hostname === host.toLowerCase()
}

/** - `refused`: not an address that is dialled for that peer. - `same-address`: it is at this peer's own address */
export type Refusal = 'refused' | 'same-address'

/**
 * Whether an address is dialled for a peer. One of the internet if the peer shows that it has to do with it: it is seen
 * there, or says so to everybody, or has a name for it. Any other only if this peer is connected to it at that very
 * place: what is in this peer's own network is nobody else's to knock at.
 *
 * @param resolved all IP addresses that the host stands for
 * @param ownIps of this peer: what comes from the same address may not leave the house
 */
export function judgeTarget(
  target: Target,
  addr: string,
  resolved: readonly string[],
  asker: Asker,
  ownIps: ReadonlySet<string>
): Scope | Refusal {
  if (resolved.length === 0) return 'refused'
  const isName = isIP(target.host) === 0
  let scope: Scope = 'public'
  for (const ip of resolved) {
    const kind = networkKindOf(ip)
    // A name that leads to it already is dialled now and then anyway.
    if (!mayDial(kind, ip, asker) && !(isName && kind !== 'special' && asker.seenAt.has(target.host))) return 'refused'
    if (kind !== 'public') scope = 'local'
    else if (ownIps.has(ip)) return 'same-address'
    else if (!isName && !asker.seenAt.has(ip) && !asker.announced.includes(addr)) return 'refused'
  }
  return scope
}

function mayDial(kind: NetworkKind | undefined, ip: string, { seenAt }: Asker): boolean {
  if (kind === 'public') return true
  if (kind === 'private') return seenAt.has(ip)
  return kind === 'loopback' && [...seenAt].some(seen => networkKindOf(seen) === 'loopback')
}
