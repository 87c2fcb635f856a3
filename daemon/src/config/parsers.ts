import { readMultiaddr } from '@hedgerow/protocols/address'
import { NAME_PATTERN } from '@hedgerow/protocols/ids'
import { InvalidArgumentError } from 'commander'
import { type AddressRange, parseRange } from '../access/address.ts'
import { RIGHTS } from '../access/caller.ts'
import { isLoopback } from '../access/locality.ts'
import type { Grant } from '../access/oidc.ts'
import { parsePlace } from '../containers/places.ts'
import type { RelaySource } from '../discovery/index.ts'
import { type IceServer, parseIceServer } from '../node/ice-servers.ts'

const bad = (message: string): never => {
  throw new InvalidArgumentError(message)
}

export function port(value: string): number {
  const number = Number(value)
  return /^\d+$/.test(value) && number <= 65535 ? number : bad('it must be a port number from 0 to 65535')
}

export function text(value: string): string {
  return value.length > 0 && value.length <= 200 ? value : bad('it must have 1 to 200 characters')
}

/** An invite, a credential, a path: bounded, and checked where it is used. */
export function token(value: string): string {
  return value.length <= 64 * 1024 ? value.trim() : bad('it is too long')
}

export function name(value: string): string {
  return new RegExp(NAME_PATTERN).test(value)
    ? value
    : bad('it must be lower-case letters, digits and hyphens, at most 63')
}

export function list(value: string): string[] {
  return value
    .split(',')
    .map(one => one.trim())
    .filter(one => one !== '')
}

export const names = (value: string): string[] => list(value).map(name)

export const namesOrAll = (value: string): string[] => list(value).map(one => (one === '*' ? one : name(one)))

export const multiaddrs = (value: string): string[] =>
  list(value).map(one => {
    return readMultiaddr(one)?.toString() ?? bad(`${one} is not a multiaddr such as /ip4/0.0.0.0/tcp/4001`)
  })

export const relays = (value: string): RelaySource[] =>
  list(value).map((one): RelaySource => {
    if (one.startsWith('/')) {
      const [addr = ''] = multiaddrs(one)
      return addr.includes('/p2p/') ? { addr } : bad(`${one} names no peer: it must end in /p2p/<peer id>`)
    }
    const parsed = httpUrl(one)
    return parsed == null ? bad(`${one} is neither an http(s) URL nor a multiaddr`) : { url: parsed.href }
  })

export const url = (value: string): URL => httpUrl(value) ?? bad('it must be a URL such as https://mesh.example.org')

function httpUrl(value: string): URL | null {
  const parsed = URL.parse(value)
  return parsed != null && /^https?:$/.test(parsed.protocol) ? parsed : null
}

/** Of whom a secret is for; an origin. */
export function secureOrigin(value: string): string {
  const { protocol, href, origin } = url(value)
  return protocol === 'https:' || isLoopback(href) ? origin : bad('it must be https: a secret is sent there')
}

export const oneOf =
  <T extends string>(...allowed: readonly T[]) =>
  (value: string): T =>
    allowed.find(one => one === value) ?? bad(`it must be one of ${allowed.join(', ')}`)

export const dockerSocket = (value: string): string =>
  value === 'off' || parsePlace(value) != null
    ? value
    : bad('it must be a path such as /var/run/docker.sock, a URL such as tcp://127.0.0.1:2375, or off')

export function flag(value: string): boolean {
  if (['true', '1', 'yes', 'on'].includes(value)) return true
  if (['false', '0', 'no', 'off'].includes(value)) return false
  return bad('it must be true or false')
}

export function origins(value: string): string[] {
  return list(value).map(one => {
    if (one === '*') return one
    const url = URL.parse(one)
    return url != null && url.origin === one ? one : bad(`${one} is not an origin such as https://app.example.org`)
  })
}

export const iceServers = (value: string): IceServer[] =>
  list(value).map(
    one =>
      parseIceServer(one) ??
      bad('it must be a list of stun:host:port, turn:user:password@host:port or turns:user:password@host:port')
  )

/** Tokens name it letter by letter, so it stays as it is written. */
export function issuer(value: string): string {
  const parsed = httpUrl(value)
  if (parsed == null || parsed.search !== '' || parsed.hash !== '') return bad('it must be the URL of an OIDC issuer')
  const { protocol, href } = parsed
  return protocol === 'https:' || isLoopback(href)
    ? value
    : bad('it must be https: keys fetched in clear prove nothing')
}

export const grants = (value: string): Grant[] =>
  list(value).map(one => {
    const [, who, name = ''] = /^(?:(.+)=)?(\w+)$/.exec(one) ?? []
    const right = RIGHTS.find(known => known === name)
    if (right == null) return bad(`${one} names no right; there are: ${RIGHTS.join(', ')}`)
    if (who == null) return { right }
    const slash = who.lastIndexOf('/')
    if (slash < 1 || slash === who.length - 1) return bad(`${one} is not of the form claim/value=right`)
    return { right, claim: who.slice(0, slash), value: who.slice(slash + 1) }
  })

export const ranges = (value: string): AddressRange[] =>
  list(value).map(one => parseRange(one) ?? bad(`${one} is neither an IP address nor a network such as 10.0.0.0/8`))

export function positive(value: string): number {
  return /^[1-9]\d{0,8}$/.test(value) ? Number(value) : bad('it must be a whole number from 1 on')
}

export function count(value: string): number {
  return /^\d{1,9}$/.test(value) ? Number(value) : bad('it must be a whole number')
}
