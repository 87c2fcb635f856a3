/** What a libp2p service sees of the node when its protocols are for members only. */
import type { Connection, PeerId, Topology } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import type { Gate } from './index.ts'

/** The components as they are, but for two. */
export function guardComponents<C>(components: C, gate: Gate): C {
  if (typeof components !== 'object' || components == null) return components
  const guards: Record<string, (real: never) => unknown> = {
    registrar: (real: Registrar) => guardRegistrar(real, gate),
    connectionManager: (real: ConnectionManager) => guardConnections(real, gate)
  }
  const made = new Map<PropertyKey, unknown>()
  return new Proxy(components, {
    get(target, property) {
      const real: unknown = Reflect.get(target, property)
      const guard = typeof property === 'string' && real != null ? guards[property] : undefined
      if (guard == null) return real
      const known = made.get(property)
      if (known != null) return known
      const guarded = guard(real as never)
      made.set(property, guarded)
      return guarded
    }
  })
}

/** Handlers wait for the proof, and topologies hear of a peer when it has proven itself, not when it is connected. */
function guardRegistrar(real: Registrar, gate: Gate): Registrar {
  const topologies = new Map<string, GuardedTopology>()
  return overriding(real, {
    handle: (protocol, handler, options) => real.handle(protocol, gate.guardHandler(handler), options),
    async register(protocol, topology) {
      const guarded = new GuardedTopology(topology, gate)
      const id = await real.register(protocol, guarded)
      topologies.set(id, guarded)
      return id
    },
    unregister(id) {
      topologies.get(id)?.stop()
      topologies.delete(id)
      real.unregister(id)
    }
  })
}

/** A connection that a service asks for is its own when the other side has proven itself. */
function guardConnections(real: ConnectionManager, gate: Gate): ConnectionManager {
  const openConnection: ConnectionManager['openConnection'] = async (peer, options) => {
    const connection = await real.openConnection(peer, options)
    await gate.proven(connection, options?.signal ?? undefined)
    return connection
  }
  return overriding(real, {
    openConnection,
    async openStream(peer, protocol, options) {
      const connection = await openConnection(peer, options)
      return connection.newStream(protocol, options)
    }
  })
}

/** Tells a topology of members only, and tells it itself what libp2p would by the topology's filter. */
class GuardedTopology implements Topology {
  readonly notifyOnLimitedConnection: boolean | undefined
  readonly #real: Topology
  readonly #gate: Gate
  /** peers that it was told of, or will be: told, or given up, once */
  readonly #peers = new Map<string, { told: boolean }>()

  constructor(real: Topology, gate: Gate) {
    this.#real = real
    this.#gate = gate
    this.notifyOnLimitedConnection = real.notifyOnLimitedConnection
  }

  onConnect(peer: PeerId, connection: Connection): void {
    const id = peer.toString()
    const filtered = this.#real.filter != null
    const known = this.#peers.get(id)
    if (known != null && (filtered || !known.told)) return
    const entry = known ?? { told: false }
    this.#peers.set(id, entry)
    this.#gate.proven(connection).then(
      () => {
        if (this.#peers.get(id) !== entry) return
        entry.told = true
        this.#real.filter?.add(peer)
        this.#real.onConnect?.(peer, connection)
      },
      () => {
        if (this.#peers.get(id) === entry && !entry.told) this.#peers.delete(id)
      }
    )
  }

  onDisconnect(peer: PeerId): void {
    const id = peer.toString()
    const entry = this.#peers.get(id)
    this.#peers.delete(id)
    if (entry?.told !== true) return
    this.#real.filter?.remove(peer)
    this.#real.onDisconnect?.(peer)
  }

  stop(): void {
    this.#peers.clear()
  }
}

/** An object with some of its methods replaced; the others keep their `this`. */
function overriding<T extends object>(real: T, methods: Partial<T>): T {
  return new Proxy(real, {
    get(target, property) {
      const own: unknown = Reflect.get(methods, property)
      if (own != null) return own
      const value: unknown = Reflect.get(target, property)
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}
