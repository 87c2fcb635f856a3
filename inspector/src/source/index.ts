/**
 * Where the inspector gets its answers: a daemon or relay asked over HTTP, or a peer of its own that joined the mesh.
 * Both speak of the mesh as one peer sees it; {@link MeshSource.via} says which.
 *
 * @example
 * ```ts
 * const source = await openSource({ daemon: 'http://127.0.0.1:8080' }, { env: process.env, signal })
 * for (const { name, services } of await source.peers(signal)) console.log(name, services)
 * await source.close()
 * ```
 */
import type { Duplex } from 'node:stream'
import type {
  Advert,
  DhtProviders,
  DhtStats,
  DhtTopology,
  Explanation,
  Health,
  MeshPlace,
  PeerRow,
  Pong,
  Service,
  Stats
} from './shapes.ts'

export { openSource, type SourceOptions } from './open.ts'
export type {
  Advert,
  Capabilities,
  DhtProviders,
  DhtStats,
  DhtTopology,
  Explanation,
  Health,
  MeshPlace,
  Offer,
  Pong,
  Service,
  ServiceLoad,
  Stats
} from './shapes.ts'

/** The peer through whose eyes the mesh is seen. */
export interface Via {
  mode: 'daemon' | 'peer'
  name: string
  peer_id: string
  /** where it was asked, or where it joined */
  url: string
}

/** What is known of one peer; shown as it is by `--json`. */
export interface PeerInfo extends Omit<PeerRow, 'worker_id'> {
  name: string
  /** whether it answered just now; absent when it wasn't asked */
  reachable?: boolean
}

export type KnownPeer = Pick<PeerInfo, 'name' | 'peer_id' | 'role'>

export interface PeerDetails {
  peer: PeerInfo
  advert: Advert
  /** what it says of itself; null when it didn't answer */
  health: Health | null
  stats: Stats | null
  /** why it didn't */
  unreachable?: string
}

/** A request for a service. Bodies are complete, or read once. */
export interface Call {
  /** name or alias */
  service: string
  method: string
  /** path and query below the service, starting with `/` */
  path: string
  /** lower-case names */
  headers: Record<string, string | string[]>
  body: Uint8Array | AsyncIterable<Uint8Array> | null
}

export interface CallAnswer {
  status: number
  headers: Record<string, string | string[]>
  /** throws {@link InspectorError} when the answer breaks off; leaving the loop cancels the call */
  body: AsyncIterable<Uint8Array>
}

export interface ConnectRequest {
  /** name or alias */
  service: string
  /** peer id */
  worker?: string
  dataClass?: string
}

/** A connection to a service that speaks TCP. */
export interface Connection {
  duplex: Duplex
  requestId: string | null
  /** peer id */
  worker: string | null
  path: string | null
  transport: string | null
}

export interface MeshSource {
  readonly via: Via
  /** Who has which name: what is known already, with nobody asked. */
  names(signal: AbortSignal): Promise<KnownPeer[]>
  /** Workers and relays, as they are now. */
  peers(signal: AbortSignal): Promise<PeerInfo[]>
  /** From where pages are connected directly with workers: `anywhere` or `local_network`, where {@link via} says so. */
  directPaths(signal: AbortSignal): Promise<string | undefined>
  /** Whether nobody joins the mesh without a credential, where {@link via} says so. */
  isClosed(signal: AbortSignal): Promise<boolean | undefined>
  services(signal: AbortSignal): Promise<Service[]>
  /** @param peerId whole */
  inspect(peerId: string, signal: AbortSignal): Promise<PeerDetails>
  /** One request with nothing to do, from {@link via} to the peer and back. */
  ping(peerId: string, signal: AbortSignal): Promise<Pong>
  /** Resolves with the head of the answer, whatever its status. */
  call(call: Call, signal: AbortSignal): Promise<CallAnswer>
  /**
   * Opens a connection to a service that speaks TCP.
   *
   * @param signal resets it, for as long as it lasts
   * @throws {InspectorError} what it is refused with
   */
  connect(request: ConnectRequest, signal: AbortSignal): Promise<Connection>
  explain(requestId: string, signal: AbortSignal): Promise<Explanation>
  /** What the worker signed that answered a request which entered at {@link via}: compact JWS, unchecked. */
  receipts(requestId: string, signal: AbortSignal): Promise<string[]>
  /** requests that entered at {@link via} */
  stats(signal: AbortSignal): Promise<Stats>
  /** Which mesh this is, and the place of {@link via} in it. */
  mesh(signal: AbortSignal): Promise<MeshPlace>
  readonly dht: DhtSource
  /** Nothing outlives it: connections, and the peer that was made. */
  close(): Promise<void>
}

export interface DhtSource {
  stats(signal: AbortSignal): Promise<DhtStats>
  topology(signal: AbortSignal): Promise<DhtTopology>
  providers(service: string, signal: AbortSignal): Promise<DhtProviders>
  advert(peerId: string, signal: AbortSignal): Promise<Advert>
}
