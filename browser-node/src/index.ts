/**
 * A page as a peer of the mesh. It joins through any relay, learns who offers what from signed statements, and sends
 * requests straight to workers over WebRTC; the relay introduces them and sees only ciphertext. Until that connection is
 * there, requests go over the relay's circuit; where libp2p can't be reached at all, over the relay's HTTP bridge.
 *
 * @example
 * ```ts
 * import { joinMesh } from '@hedgerow/browser-node'
 *
 * const mesh = await joinMesh({ relays: ['https://relay.example.org'] })
 * const response = await mesh.fetch('/service/notes/convert', { method: 'POST', body: JSON.stringify({ notes }) })
 * response.headers.get('hedgerow-path') // 'direct', 'relayed' or 'bridged'
 * const { letter } = await response.json()
 * await mesh.stop()
 * ```
 */
import type { Explanation } from '@hedgerow/protocols/dispatch'
import type { Path, Route } from '@hedgerow/protocols/invocation'
import { join } from './join.ts'
import type { PageTracing } from './tracing/index.ts'

export type { ExplainedAttempt, ExplainedCandidate, Explanation } from '@hedgerow/protocols/dispatch'
export type { MeshErrorCode } from '@hedgerow/protocols/errors'
export { MeshError } from '@hedgerow/protocols/errors'
export type { PageTracing } from './tracing/index.ts'

export interface MeshInit {
  /** web addresses of relays of one mesh, as in `https://relay.example.org`; any one of them is enough */
  relays: string[]
  /** leaves the mesh, or gives up joining it */
  signal?: AbortSignal
  /**
   * where the page keeps its key, so that it is the same peer after a reload: `localStorage`, or anything like it.
   * @default none: a new peer each time
   */
  storage?: KeyStorage
  /**
   * who the user is, for a closed mesh: an API key or an access token of the mesh's OIDC provider, or what gives the one
   * that is good now. The page gets its credential for it, and shows it on the HTTP bridge.
   */
  token?: string | (() => string | Promise<string>)
  /** lets the page into a closed mesh, as often as the invite says */
  invite?: string
  /** a credential for the page's key, had elsewhere; the page doesn't renew what it wasn't given a reason for */
  credential?: string
  /** which mesh it must be, as `hedgerow mesh show` says: the page then believes no relay that names another */
  mesh?: string
  /** workers to which a connection is kept open before anything is asked of them. @default 8 */
  keepConnected?: number
  /**
   * records this page's requests, as the first part of traces that go on at relays and workers: `openTelemetry()` of
   * `@hedgerow/browser-node/tracing`, with the frontend's own OpenTelemetry SDK. @default nothing is recorded
   */
  tracing?: PageTracing
}

export type KeyStorage = Pick<Storage, 'getItem' | 'setItem'>

/**
 * - `online`: connected to the mesh
 * - `bridged`: no peer can be reached, only a relay's HTTP bridge
 * - `offline`: nothing can be reached now; it goes on trying
 * - `stopped`: left for good
 */
export type MeshStatus = 'online' | 'bridged' | 'offline' | 'stopped'

/** One instance of {@link fetch}'s `init` more. */
export interface MeshRequestInit extends RequestInit {
  /** called as bodies move in either direction */
  onProgress?: (progress: Progress) => void
}

/** Bytes; totals are undefined while nobody knows them. */
export interface Progress {
  sent: number
  toSend: number | undefined
  received: number
  toReceive: number | undefined
}

/** Load of one worker with one service. */
export interface ServiceLoad {
  inFlight: number
  queued: number
  concurrency: number
  /** milliseconds */
  latency: number
}

/** How this page would reach a peer now; `none`: it is known, but there is no connection. */
export type PeerPath = Exclude<Path, 'local'> | 'none'

export interface PeerInfo {
  peerId: string
  /** what its owner calls it */
  name: string
  role: 'worker' | 'relay' | 'client'
  version: string
  path: PeerPath
  transport: Route['transport'] | 'none'
  /** milliseconds there and back, once measured */
  roundTrip: number | undefined
  /** it has missed several reports: it may be gone */
  silent: boolean
  /** milliseconds since anything was heard from it */
  silentFor: number
  services: string[]
  loads: Record<string, ServiceLoad>
  /** sizes in MiB */
  capabilities: {
    cores: number
    memory: number
    disk: number
    gpus: Array<{ model: string; memory: number }>
    arch: string
    platform: string
  }
  /** web address, where it has a public one */
  url: string | undefined
}

export interface ServiceInfo {
  name: string
  /** one line for people */
  title: string
  version: string
  aliases: string[]
  /** workers that it should have, mesh-wide */
  wanted: number
  /** peer ids of workers that offer it now */
  workers: string[]
}

/** Events carry nothing: ask again. They come at most ten times a second. */
export interface MeshEvents {
  /** peers, their services, their load or the ways to them have changed */
  peers: CustomEvent<void>
  status: CustomEvent<void>
}

export interface Mesh {
  /** this page's own id */
  readonly peerId: string
  /** the mesh's name */
  readonly name: string
  /** whether nobody joins it without a credential */
  readonly closed: boolean
  readonly status: MeshStatus
  /** why direct connections can't be expected beyond this network, if so: nobody named a STUN server */
  readonly iceServers: readonly RTCIceServer[]
  /**
   * As the browser's own `fetch`, for `/service/{service}/{path}` and `/v1/...`: same arguments, a standard
   * `Response`, streamed bodies, abort.
   *
   * Errors of the mesh are answers (RFC 9457 problem details), as over HTTP. What fails without an answer is a
   * `TypeError` with a {@link MeshError} as its `cause`; an abort rejects with the signal's reason.
   */
  fetch(input: string | URL | Request, init?: MeshRequestInit): Promise<Response>
  peers(): PeerInfo[]
  services(): ServiceInfo[]
  /** why a request of this page went where it went; kept for ten minutes */
  explain(requestId: string): Explanation | undefined
  addEventListener<K extends keyof MeshEvents>(
    type: K,
    listener: (event: MeshEvents[K]) => void,
    options?: AddEventListenerOptions | boolean
  ): void
  removeEventListener<K extends keyof MeshEvents>(type: K, listener: (event: MeshEvents[K]) => void): void
  /** Closes every connection. Requests under way fail. Does nothing the second time. */
  stop(): Promise<void>
}

/**
 * Joins a mesh: resolves as soon as requests can be sent, in whatever way.
 *
 * @throws {TypeError} when no relay answers (its `cause` says what was tried), `relays` isn't usable, or the mesh is
 * closed to this page (its `cause` is a {@link MeshError} with the code `Unauthorized`)
 */
export function joinMesh(init: MeshInit): Promise<Mesh> {
  return join(init)
}
