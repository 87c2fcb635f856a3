/** Where relays are: which of their addresses are for pages, and what their web address is. */
import type { Advert } from '@hedgerow/protocols/advert'
import type { Multiaddr } from '@multiformats/multiaddr'
import { parse } from './bootstrap.ts'

/** A relay of which the mesh tells. */
export interface LearntRelay {
  peerId: string
  /** its web address */
  url: string
}

/** Where a relay is on the web: as it says, or, since one port carries everything, where it takes WebSockets. */
export function learntRelay({ peerId, url, addrs }: Pick<Advert, 'peerId' | 'url' | 'addrs'>): LearntRelay[] {
  const origins = url == null ? addrs.flatMap(parse).filter(canDial).flatMap(originOf) : webOrigin(url)
  const usable = origins.find(origin => origin.startsWith('https:') || globalThis.location?.protocol !== 'https:')
  return usable == null ? [] : [{ peerId, url: usable }]
}

function originOf(addr: Multiaddr): string[] {
  const [host, tcp] = addr.getComponents()
  if (host?.value == null || tcp?.name !== 'tcp') return []
  const names = addr.getComponents().map(({ name }) => name)
  const scheme = names.includes('tls') || names.includes('wss') ? 'https' : 'http'
  return webOrigin(`${scheme}://${host.name === 'ip6' ? `[${host.value}]` : host.value}:${tcp.value}`)
}

function webOrigin(text: string): string[] {
  const url = URL.parse(text)
  return url != null && /^https?:$/.test(url.protocol) ? [url.origin] : []
}

/** A relay's own address. */
export function canDial(addr: Multiaddr): boolean {
  return !addr.getComponents().some(({ name }) => name === 'p2p-circuit') && isForPages(addr)
}

/**
 * A page speaks WebSocket to relays; from a page that came securely, browsers open secure ones only. Of an address over a
 * relay, the relay's part counts.
 */
export function isForPages(addr: Multiaddr): boolean {
  const names = addr.getComponents().map(({ name }) => name)
  if (!(names.includes('ws') || names.includes('wss'))) return false
  const isSecure = names.includes('tls') || names.includes('wss')
  return isSecure || globalThis.location?.protocol !== 'https:'
}

export function peerOf(addr: Multiaddr | undefined): string | undefined {
  return addr?.getComponents().findLast(({ name }) => name === 'p2p')?.value
}
