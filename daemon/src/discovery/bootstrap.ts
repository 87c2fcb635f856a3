import { readMultiaddr } from '@hedgerow/protocols/address'
import { NAME_PATTERN } from '@hedgerow/protocols/ids'
import type { Libp2p, PeerInfo } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { Ajv } from 'ajv'
import type { Logger } from 'pino'
import { request } from 'undici'
import { type IceServer, readIceServers } from '../node/ice-servers.ts'

/** Where to find a relay: its web address, or a multiaddr with its peer id. */
export type RelaySource = { url: string } | { addr: string }

export interface Bootstrap {
  mesh: string
  /** the authority's public key in base64url, which the mesh's name proves; left out by an open mesh */
  authority?: string
  peers: Multiaddr[]
  /** the mesh's own STUN and TURN servers */
  iceServers: IceServer[]
}

const MAX_ANSWER = 256 * 1024
const TIMEOUT = 10_000

const checkAnswer = new Ajv().compile<{
  mesh: string
  authority?: string
  peers: string[]
  ice_servers?: unknown
}>({
  type: 'object',
  required: ['mesh', 'peers'],
  properties: {
    mesh: { type: 'string', pattern: NAME_PATTERN },
    authority: { type: 'string', pattern: '^[A-Za-z0-9_-]{43}$' },
    peers: { type: 'array', maxItems: 256, items: { type: 'string', maxLength: 512 } }
  }
})

/** Asks a relay over HTTP which mesh it serves and where its peers are. @throws {Error} with what was wrong */
export async function fetchBootstrap(url: string, signal?: AbortSignal): Promise<Bootstrap> {
  const target = new URL('/bootstrap', url)
  const timeout = AbortSignal.timeout(TIMEOUT)
  const { statusCode, body } = await request(target, {
    signal: signal == null ? timeout : AbortSignal.any([signal, timeout])
  })
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_ANSWER) throw new Error(`${target} answers more than ${MAX_ANSWER} bytes: it is not a relay`)
    chunks.push(chunk)
  }
  if (statusCode !== 200) throw new Error(`${target} answers ${statusCode}: it is not a relay, or not ready`)
  return readBootstrap(Buffer.concat(chunks), target)
}

/** @throws {Error} with what is wrong about the answer */
export function readBootstrap(bytes: Buffer, target: URL): Bootstrap {
  let answer: unknown
  try {
    answer = JSON.parse(bytes.toString())
  } catch {
    throw new Error(`${target} does not answer JSON: it is not a relay`)
  }
  if (!checkAnswer(answer)) throw new Error(`${target} does not answer as a relay would: {mesh, peers}`)
  const { mesh, authority, peers, ice_servers } = answer
  return {
    mesh,
    ...(authority == null ? {} : { authority }),
    peers: peers.flatMap(parse),
    iceServers: readIceServers(ice_servers)
  }
}

const parse = (addr: string): Multiaddr[] => {
  const read = readMultiaddr(addr)
  return read == null ? [] : [read]
}

export interface BootstrapperComponents {
  node: Libp2p
  log: Logger
}

export interface BootstrapperInit {
  relays: RelaySource[]
  /** multiaddrs of peers met before */
  remembered(): string[]
  /** hears which STUN and TURN servers a relay names */
  onIceServers?(servers: IceServer[]): void
}

/** Milliseconds between two looks at whether we are still connected. */
const CHECK_INTERVAL = 2000
const MAX_BACKOFF = 30_000

/** Milliseconds that plain TCP has for itself: a relay's private address may lead nowhere. */
const PLAIN_TCP_TIMEOUT = 2000

interface Keeper {
  source: RelaySource
  /** the relay itself, as last resolved; those that it names besides are no substitute for it */
  relay: string | undefined
  failures: number
  nextAttempt: number
}

/**
 * Joins the mesh and stays in it: connects to every relay it was told of and connects again when one is lost; while no
 * relay can be reached, asks the peers it met before.
 */
export class Bootstrapper {
  readonly #node: Libp2p
  readonly #log: Logger
  readonly #init: BootstrapperInit
  readonly #keepers: Keeper[]
  readonly #stopped = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #busy = false

  constructor({ node, log }: BootstrapperComponents, init: BootstrapperInit) {
    this.#node = node
    this.#log = log
    this.#init = init
    this.#keepers = init.relays.map(source => ({ source, relay: undefined, failures: 0, nextAttempt: 0 }))
  }

  start(): void {
    this.#node.addEventListener('peer:discovery', this.#onDiscovery)
    this.#timer = setInterval(() => this.#check(), CHECK_INTERVAL)
    this.#check()
  }

  stop(): void {
    this.#stopped.abort()
    clearInterval(this.#timer)
    this.#node.removeEventListener('peer:discovery', this.#onDiscovery)
  }

  #onDiscovery = (event: CustomEvent<PeerInfo>): void => {
    const { id, multiaddrs } = event.detail
    // The DHT "discovers" whoever it hears of; only neighbours (mDNS) come with addresses we didn't have, and few.
    if (this.#node.getConnections().length >= 50 || multiaddrs.length === 0) return
    if (this.#node.getConnections().some(({ remotePeer }) => remotePeer.equals(id))) return
    // By its id, not its addresses: libp2p joins dials to one peer, but of two connections to one address it aborts one,
    // with what already runs on it.
    this.#node.peerStore
      .merge(id, { multiaddrs })
      .then(() => this.#node.dial(id, { signal: this.#stopped.signal }))
      .catch(err => this.#log.debug({ err, peer: id.toString() }, 'a discovered peer could not be dialled'))
  }

  #check(): void {
    if (this.#busy || this.#stopped.signal.aborted) return
    this.#busy = true
    Promise.all([...this.#keepers.map(keeper => this.#keep(keeper)), this.#rejoin()])
      .catch(err => this.#log.error({ err }, 'looking for the mesh failed'))
      .finally(() => {
        this.#busy = false
      })
  }

  async #keep(keeper: Keeper): Promise<void> {
    if (Date.now() < keeper.nextAttempt || this.#isConnected(keeper.relay)) return
    const name = 'url' in keeper.source ? keeper.source.url : keeper.source.addr
    try {
      keeper.relay = await this.#dialGroups(await this.#addrsOf(keeper.source))
      if (!this.#isConnected(keeper.relay)) throw new Error('others that it names answer, but not the relay itself')
      keeper.failures = 0
      this.#log.info({ relay: name }, 'connected to relay')
    } catch (err) {
      if (this.#stopped.signal.aborted) return
      const delay = Math.min(MAX_BACKOFF, 1000 * 2 ** keeper.failures++) * (0.75 + Math.random() / 2)
      keeper.nextAttempt = Date.now() + delay
      this.#log.warn({ relay: name, reason: reasonOf(err), retry_in_ms: Math.round(delay) }, 'relay not reachable')
    }
  }

  async #addrsOf(source: RelaySource): Promise<Multiaddr[]> {
    if ('addr' in source) return [multiaddr(source.addr)]
    const { peers, iceServers } = await fetchBootstrap(source.url, this.#stopped.signal)
    this.#init.onIceServers?.(iceServers)
    return peers
  }

  /** Relays are told of each other, and often of themselves. */
  #isConnected(peerId: string | undefined): boolean {
    return peerId != null && [this.#node.peerId, ...this.#node.getPeers()].some(peer => peer.toString() === peerId)
  }

  /** Dials each peer once with all its addresses; one that answers is enough. @returns the first: the relay's own id */
  async #dialGroups(addrs: Multiaddr[]): Promise<string | undefined> {
    const groups = byPeer(addrs)
    const own = this.#node.peerId.toString()
    const dials = [...groups].filter(([id]) => id !== own).map(([, group]) => this.#dialBest(group))
    if (dials.length === 0) throw new Error('it names no other peer')
    const settled = await Promise.allSettled(dials)
    if (settled.every(({ status }) => status === 'rejected'))
      throw settled.find(result => result.status === 'rejected')?.reason
    return groups.keys().next().value
  }

  /**
   * Plain TCP before WebSocket, where both are there: it costs each message less. On one machine WebSocket would often
   * win the race, since it is what a relay names first.
   */
  async #dialBest(addrs: Multiaddr[]): Promise<void> {
    const plain = addrs.filter(isPlainTcp)
    if (plain.length > 0 && plain.length < addrs.length) {
      const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(PLAIN_TCP_TIMEOUT)])
      try {
        await this.#node.dial(plain, { signal })
        return
      } catch (err) {
        this.#log.debug({ err }, 'no plain TCP connection; trying every address')
      }
    }
    await this.#node.dial(addrs, { signal: this.#stopped.signal })
  }

  async #rejoin(): Promise<void> {
    if (this.#node.getPeers().length > 0) return
    const groups = byPeer(this.#init.remembered().flatMap(parse))
    await Promise.allSettled(
      [...groups.values()].slice(0, 20).map(group => this.#node.dial(group, { signal: this.#stopped.signal }))
    )
  }
}

function isPlainTcp(addr: Multiaddr): boolean {
  const names = addr.getComponents().map(({ name }) => name)
  return names.includes('tcp') && !names.some(name => ['ws', 'wss', 'p2p-circuit'].includes(name))
}

function byPeer(addrs: Multiaddr[]): Map<string, Multiaddr[]> {
  return Map.groupBy(addrs, addr => addr.getComponents().findLast(({ name }) => name === 'p2p')?.value ?? '')
}

function reasonOf(err: unknown): string {
  return err instanceof Error ? err.message : String(err)
}
