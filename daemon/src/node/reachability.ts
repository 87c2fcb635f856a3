import { type IdentifyResult, type Libp2pEvents, serviceCapabilities, type TypedEventTarget } from '@libp2p/interface'
import type { AddressManager, NodeAddress } from '@libp2p/interface-internal'
import { CODE_IP4, CODE_IP6, type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { networkKindOf } from '../dial-back/network.ts'

export interface ReachabilityComponents {
  addressManager: AddressManager
  events: TypedEventTarget<Libp2pEvents>
}

/** An address of plain TCP by which the internet may get here. */
export interface PublicAddr {
  /** with no peer id */
  addr: string
  /** nothing speaks for it but that others saw this peer come from there */
  isGuess: boolean
}

/** Addresses at which others say that they saw this peer: one, and one more where a line has two ways out. */
const MAX_OBSERVED = 2
/** Milliseconds for which an address that others don't reach isn't announced. */
const FAILED_FOR = 30 * 60_000
const TCP = /^\/(ip[46])\/([^/]+)\/tcp\/(\d+)$/

/**
 * What libp2p's AutoNAT is for, in a small mesh: it wants four peers in four networks to agree, dials through connections
 * that are open already and closes them, and knows no names. Here the machine's own public addresses and those that a router has mapped
 * are announced at once, and taken back when others, asked to dial them (`entry`), don't get through. To these comes a guess:
 * the port of this peer at the address that others see.
 */
export class Reachability {
  readonly [serviceCapabilities] = ['@libp2p/autonat']
  readonly #addresses: AddressManager
  readonly #events: ReachabilityComponents['events']
  /** by whom each was seen last */
  readonly #observed = new Map<string, string>()
  /** those of `claims` that were added to what libp2p knows */
  readonly #guesses = new Map<string, { host: string; ip: string; port: number }>()
  /** host and port, and when others did not get through, by `performance.now` */
  readonly #failed = new Map<string, number>()

  constructor({ addressManager, events }: ReachabilityComponents) {
    this.#addresses = addressManager
    this.#events = events
  }

  start(): void {
    this.#events.addEventListener('peer:identify', this.#onIdentify)
  }

  stop(): void {
    this.#events.removeEventListener('peer:identify', this.#onIdentify)
  }

  /** What is worth trying to reach. What is new of this machine and its router is announced until it has failed. */
  publicAddrs(): PublicAddr[] {
    const own = this.#own()
    for (const { multiaddr: addr, verified } of own)
      if (!verified && !this.#hasFailed(hostPort(addr))) this.#addresses.confirmObservedAddr(addr)
    const found = own
      .map(({ multiaddr: addr }) => addr.toString())
      .filter(addr => TCP.test(addr))
      .map((addr): PublicAddr => ({ addr, isGuess: this.#guesses.has(addr) }))
    for (const { addr } of this.#guess()) if (!found.some(one => one.addr === addr)) found.push({ addr, isGuess: true })
    return found
  }

  /** IP addresses of the internet that are this peer's. */
  publicIps(): Set<string> {
    const own = this.#own().flatMap(({ multiaddr: addr }) => ipOf(addr) ?? [])
    return new Set([...own, ...this.#observed.values()])
  }

  /** Others have got here by it. */
  confirm(addr: string): void {
    const ip = ipOf(multiaddr(addr))
    for (const failed of this.#failed.keys()) if (failed.split('/')[1] === ip) this.#failed.delete(failed)
    const guess = this.#guess().find(one => one.addr === addr)
    if (guess != null && !this.#guesses.has(addr)) {
      this.#guesses.set(addr, guess)
      this.#addresses.addPublicAddressMapping(guess.host, guess.port, guess.ip, guess.port)
    }
    this.#addresses.confirmObservedAddr(multiaddr(addr))
  }

  /** Others don't get here by it. */
  refute(addr: string): void {
    const guess = this.#guesses.get(addr)
    if (guess != null) {
      this.#guesses.delete(addr)
      this.#addresses.removePublicAddressMapping(guess.host, guess.port, guess.ip, guess.port)
      return
    }
    // What a firewall does to one port of an address it does to the others.
    const ip = ipOf(multiaddr(addr))
    for (const { multiaddr: other } of this.#own()) {
      if (ipOf(other) !== ip) continue
      this.#failed.set(hostPort(other), performance.now())
      this.#addresses.removeObservedAddr(other)
    }
  }

  /** For a while: firewalls are opened, and some who could look only dial what is announced. */
  #hasFailed(address: string): boolean {
    const at = this.#failed.get(address)
    return at != null && performance.now() - at < FAILED_FOR
  }

  #own(): NodeAddress[] {
    return this.#addresses
      .getAddressesWithMetadata()
      .filter(
        ({ type, multiaddr: addr }) =>
          (type === 'transport' || type === 'ip-mapping') && networkKindOf(ipOf(addr) ?? '') === 'public'
      )
  }

  #guess(): Array<{ addr: string; host: string; ip: string; port: number }> {
    const ips = new Set(this.#observed.values())
    return this.#addresses.getAddressesWithMetadata().flatMap(({ type, multiaddr: addr }) => {
      const [, family = '', host = '', digits] = TCP.exec(addr.toString()) ?? []
      if (type !== 'transport' || networkKindOf(host) !== 'private') return []
      const port = Number(digits)
      return [...ips]
        .filter(ip => ip.includes(':') === (family === 'ip6'))
        .map(ip => ({ addr: `/${family}/${ip}/tcp/${port}`, host, ip, port }))
    })
  }

  #onIdentify = ({ detail: { peerId, observedAddr, connection } }: CustomEvent<IdentifyResult>): void => {
    const ip = observedAddr == null ? undefined : ipOf(observedAddr)
    // Whoever comes in may say anything; who was dialled was chosen.
    if (connection.direction !== 'outbound' || connection.limits != null) return
    if (ip == null || networkKindOf(ip) !== 'public') return
    this.#observed.delete(peerId.toString())
    this.#observed.set(peerId.toString(), ip)
    for (const oldest of this.#observed.keys()) {
      if (new Set(this.#observed.values()).size <= MAX_OBSERVED && this.#observed.size <= MAX_OBSERVERS) break
      this.#observed.delete(oldest)
    }
  }
}

const MAX_OBSERVERS = 32

function ipOf(addr: Multiaddr): string | undefined {
  return addr.getComponents().find(({ code }) => code === CODE_IP4 || code === CODE_IP6)?.value
}

function hostPort(addr: Multiaddr): string {
  return addr
    .getComponents()
    .slice(0, 2)
    .map(({ name, value }) => `${name}/${value}`)
    .join('/')
}
