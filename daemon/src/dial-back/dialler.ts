import type {
  ComponentLogger,
  Connection,
  ConnectionEncrypter,
  Libp2pEvents,
  MultiaddrConnection,
  PeerId,
  StreamMuxerFactory,
  Transport,
  TypedEventTarget,
  Upgrader,
  UpgraderOptions
} from '@libp2p/interface'
import { select } from '@libp2p/multistream-select'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { multiaddr } from '@multiformats/multiaddr'
import { pEvent } from 'p-event'
import { Agent, WebSocket } from 'undici'
import type { Target } from './target.ts'

/** What a dial needs of a libp2p node. */
export interface DiallerComponents {
  upgrader: Pick<Upgrader, 'getConnectionEncrypters'>
  events: TypedEventTarget<Libp2pEvents>
  logger: ComponentLogger
}

/**
 * Dials to find out whether a peer is at an address, and hangs up as soon as it has proved so by its key (the handshake of
 * Noise). No connection comes of it that anybody would use or hear of, and nothing is sent but these handshakes.
 */
export class Dialler {
  readonly #components: DiallerComponents

  constructor(components: DiallerComponents) {
    this.#components = components
  }

  /**
   * @param resolved IP addresses of the host: these are dialled, whatever a name server says by now
   * @throws {Error} when nobody is there, or somebody else
   */
  async dial(target: Target, peer: PeerId, resolved: readonly string[], signal: AbortSignal): Promise<void> {
    const { upgrader, events, logger } = this.#components
    const { port, by } = target
    const ip = resolved[0] ?? target.host
    const addr = multiaddr(
      `/${familyOf(ip) === 4 ? 'ip4' : 'ip6'}/${ip}/tcp/${port}${by === 'tcp' ? '' : '/ws'}/p2p/${peer}`
    )
    const agent = new Agent({ connect: { lookup: (_name, _options, done) => done(null, resolved.map(asLookedUp)) } })
    const transport: Transport = by === 'tcp' ? tcp()({ logger }) : webSockets()({ events, logger })
    if (by !== 'tcp') openWebSocketsBy(transport, uriOf(target), agent)
    try {
      await transport.dial(addr, { signal, upgrader: new ProvingUpgrader(upgrader, peer) })
    } catch (err) {
      if (!(err instanceof Proved)) throw err
    } finally {
      void agent.destroy().catch(() => {})
    }
  }
}

/** Thrown where libp2p would go on to a whole connection: the other side has proved who it is, and that was all. */
class Proved extends Error {
  override readonly name = 'Proved'
}

/** Goes through the handshake that shows whose key the other side holds, and no further. */
class ProvingUpgrader implements Upgrader {
  readonly #real: Pick<Upgrader, 'getConnectionEncrypters'>
  readonly #peer: PeerId

  constructor(real: Pick<Upgrader, 'getConnectionEncrypters'>, peer: PeerId) {
    this.#real = real
    this.#peer = peer
  }

  /** @throws always; {@link Proved} when it is that peer */
  async upgradeOutbound(connection: MultiaddrConnection, { signal }: UpgraderOptions): Promise<Connection> {
    const encrypters = this.getConnectionEncrypters()
    const encrypter = encrypters.get(await select(connection, [...encrypters.keys()], { signal }))
    await encrypter?.secureOutbound(connection, { remotePeer: this.#peer, signal, skipStreamMuxerNegotiation: true })
    throw new Proved()
  }

  async upgradeInbound(): Promise<void> {
    throw new Error('nothing comes in here')
  }

  createInboundAbortSignal(): never {
    throw new Error('nothing comes in here')
  }

  getConnectionEncrypters(): Map<string, ConnectionEncrypter> {
    return this.#real.getConnectionEncrypters()
  }

  getStreamMuxers(): Map<string, StreamMuxerFactory> {
    return new Map()
  }
}

/** libp2p's transport opens a URL in the way of pages, which asks the name server for itself. */
function openWebSocketsBy(transport: Transport, uri: string, dispatcher: Agent): void {
  if (!('_connect' in transport)) throw new Error('the WebSocket transport has another form than is known here')
  transport._connect = async (_addr: unknown, { signal }: { signal: AbortSignal }) => {
    const socket = new WebSocket(uri, { dispatcher })
    socket.binaryType = 'arraybuffer'
    try {
      await pEvent(socket, 'open', { rejectionEvents: ['error', 'close'], signal })
    } catch (err) {
      socket.close()
      throw new Error(`${uri} takes no WebSocket`, { cause: causeOf(err) })
    }
    return socket
  }
}

/** What comes of an event is an event. */
function causeOf(err: unknown): unknown {
  return typeof err === 'object' && err != null && 'error' in err ? err.error : err
}

function uriOf({ host, port, by }: Target): string {
  return `${by}://${host.includes(':') ? `[${host}]` : host}:${port}/`
}

function familyOf(ip: string): 4 | 6 {
  return ip.includes(':') ? 6 : 4
}

function asLookedUp(address: string): { address: string; family: 4 | 6 } {
  return { address, family: familyOf(address) }
}
