/**
 * A whole peer put together: node, discovery, view, dispatch, HTTP. Workers and relays are this with different parts:
 * a worker brings a {@link ServiceHost}, a relay serves as circuit relay and bridge, an inspector only asks.
 *
 * Data flows one way: statements come in by discovery, end in the ledger and the view; requests come in by the ingress,
 * go through dispatch and out by the invoker, or to the services that run here.
 *
 * @example
 * ```ts
 * const peer = await createPeer({ privateKey, mesh: 'hedgerow', role: 'worker', ... }, { services, log })
 * await peer.start()
 * await peer.drain() // says goodbye, finishes what runs
 * await peer.stop()
 * ```
 */
import type { Capabilities, Role, ServiceOffer } from '@hedgerow/protocols/advert'
import type { ServiceContract } from '@hedgerow/protocols/contract'
import type {
  Connected,
  ConnectRequest,
  DispatchAnswer,
  Dispatcher,
  DispatchRequest
} from '@hedgerow/protocols/dispatch'
import type { ForwardedConnection } from '@hedgerow/protocols/forward/node'
import type { Gate } from '@hedgerow/protocols/gate'
import type { Invoker } from '@hedgerow/protocols/invocation'
import type { Ledger } from '@hedgerow/protocols/ledger'
import type { Trust } from '@hedgerow/protocols/membership'
import type { View } from '@hedgerow/protocols/view'
import type { PrivateKey } from '@libp2p/interface'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Gate as AccessGate, AccessSettings } from '../access/index.ts'
import type { Self } from '../api/index.ts'
import type { EngineStatus } from '../containers/index.ts'
import type { Directory, RelaySource } from '../discovery/index.ts'
import type { EntryPoints } from '../entry/index.ts'
import type { Membership } from '../membership/index.ts'
import type { IceServer, Node } from '../node/index.ts'
import type { PlacementDecision } from '../placement/index.ts'
import type { Presence, ServiceLoad } from '../presence/index.ts'
import type { InstanceReport } from '../runtime/index.ts'
import type { LocalService } from '../serving/index.ts'
import type { Traces } from '../tracing/index.ts'
import type { Tunnel } from '../tunnel/index.ts'

export { createPeer } from './create.ts'
export { noServices } from './no-services.ts'

/** The services that run on a peer. */
export interface ServiceHost {
  /** a service that is healthy now */
  get(name: string): LocalService | undefined
  offers(): ServiceOffer[]
  /** names of services that could run here */
  eligible(): string[]
  /** names of services that should run here */
  assigned(): string[]
  loads(): ServiceLoad[]
  /** what each instance does and why each service is or isn't run here, for the inspector */
  report(): { instances: InstanceReport[]; placement: PlacementDecision[]; containers?: EngineStatus }
  /** contracts of everything that ships with this peer */
  contracts(): ServiceContract[]
  /** whether what should run at the start runs, or has shown that it can't */
  settled(): boolean
  addListener(listener: () => void): () => void
  start(environment: ServiceEnvironment): Promise<void>
  /** takes nothing new and waits for what runs */
  drain(): Promise<void>
  stop(): Promise<void>
}

/** What a host needs of the peer that it is part of. */
export interface ServiceEnvironment {
  peerId: string
  /** where backends reach the mesh */
  meshUrl: string
  view: View
  /** a token for calls that a service makes on its own account */
  contextFor(service: string): string
}

export interface PeerConfig {
  privateKey: PrivateKey
  mesh: string
  /** whom it believes, and the credential that it shows. @default everybody: the mesh is open */
  trust?: Trust
  role: Role
  /** what its owner calls it */
  name: string
  version: string
  dataDir: string
  capabilities: Capabilities
  relays: RelaySource[]
  /** multiaddrs */
  listen: string[]
  announce: string[]
  /** of `listen`, those that are of no use to others */
  noAnnounce?: string[]
  /** days that the audit log is kept. @default 0: there is none */
  auditDays?: number
  /** MiB that it may take up. @default 2048 */
  auditMb?: number
  /** STUN and TURN servers; with none, those that a relay names */
  iceServers: IceServer[]
  mdns: boolean
  /** have the network's router let connections in. @default false */
  upnp?: boolean
  /** where it can be reached over HTTPS by anyone, always; what a tunnel says comes on top of it */
  url?: string
  /** of `announce`, those at which HTTP is spoken too: where others may enter if nothing else is known */
  entrances?: string[]
  /** where the HTTP API listens; left out by a peer that only this process asks, through {@link Peer.api} */
  http?: HttpConfig
}

export interface HttpConfig extends AccessSettings {
  host: string
  port: number
  corsOrigins: string[]
  /** classes of data that may enter where others than this machine's own programs call. @default public, internal */
  bridgeClasses?: readonly string[]
  /** on loopback, for a tunnel that brings the world. @default none */
  tunnelPort?: number
  /**
   * where on 127.0.0.1 the node listens for WebSocket: upgrades at `/` of every entrance go there, so that one port
   * carries HTTP and libp2p. @default libp2p has ports of its own only
   */
  webSocketPort?: number
}

/** A listener that others than this machine may reach: routes for strangers are added to each before `start`. */
export interface Entrance {
  readonly app: FastifyInstance
  readonly gate: AccessGate
}

export interface PeerComponents {
  services: ServiceHost
  /** @default as `trust` says, with nothing kept */
  membership?: Membership
  /** run while the peer runs; carries the world to {@link HttpConfig.tunnelPort}. @default none */
  tunnel?: Tunnel
  /** what is recorded of requests; stopped with the peer. @default nothing */
  traces?: Traces | undefined
  log: Logger
}

export interface Peer {
  readonly self: Self
  readonly node: Node
  readonly gate: Gate
  /** whom it believes, and the credential that it shows */
  readonly trust: Trust
  readonly membership: Membership
  readonly view: View
  readonly ledger: Ledger
  readonly directory: Directory
  readonly dispatcher: Dispatcher
  readonly invoker: Invoker
  readonly presence: Presence
  /** where the mesh is entered, by this peer and by others */
  readonly entryPoints: EntryPoints
  /** the STUN and TURN servers that this peer goes by now */
  iceServers(): readonly IceServer[]
  /** the HTTP API on the local port; add routes before `start` */
  readonly api: FastifyInstance
  /** where requests enter the mesh: the listener of the API, and that of the tunnel if there is one */
  readonly entrances: readonly Entrance[]
  dispatch(request: DispatchRequest): Promise<DispatchAnswer>
  /**
   * Opens a connection to a service that speaks TCP. Aborting the signal resets it, also when it is open.
   *
   * @throws {MeshError} when no worker took it
   */
  connect(request: ConnectRequest): Promise<Connected<ForwardedConnection>>
  /** Shows a new credential from now on, to those who are connected too. */
  renew(credential: string): void
  start(): Promise<void>
  /** says goodbye, refuses new work, finishes what runs here and what has entered here, however long that takes */
  drain(): Promise<void>
  stop(): Promise<void>
  /** where the HTTP API listens; throws while it doesn't */
  readonly url: string
}
