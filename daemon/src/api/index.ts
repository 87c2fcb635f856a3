/**
 * The HTTP API that every peer has, on its local port and (without the ingress) over libp2p: health, stats, metrics,
 * what the peer knows of services, workers and the DHT, why a request went where it went.
 *
 * Each file holds routes that belong together and names what they need. JSON is in snake_case.
 */
import type { Capabilities, Role } from '@hedgerow/protocols/advert'
import type { Caller } from '../access/index.ts'
import type { EngineStatus } from '../containers/index.ts'
import type { ClaimReport } from '../entry/index.ts'
import type { CredentialStatus } from '../membership/index.ts'
import type { TunnelStatus } from '../tunnel/index.ts'

export { adminRoutes } from './admin.ts'
export { dhtRoutes } from './dht.ts'
export { dialBackRoutes } from './dial-back.ts'
export { enrolRoutes } from './enrol.ts'
export { eventRoutes } from './events.ts'
export { explainRoutes } from './explain.ts'
export { healthRoute, statsRoutes } from './health.ts'
export { membersOnly } from './members.ts'
export { meshRoutes, revocationRoutes } from './mesh.ts'
export { openaiRoutes } from './openai.ts'
export { askRoutes, peersRoutes } from './peers.ts'
export { placementRoutes } from './placement.ts'
export { peerReceiptRoutes, receiptRoutes } from './receipts.ts'
export { renewalRoutes } from './renewal.ts'
export { createApi } from './server.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** who sent it */
    readonly caller: Caller
  }
  interface FastifyContextConfig {
    /** nobody has to say who they are to get this (files of a page); of peers' routes, every member may ask */
    everybody?: boolean
    /** a body belongs to a service, which has its own bounds */
    streamed?: boolean
  }
}

/** This peer, as it shows itself. */
export interface Self {
  peerId: string
  /** what its owner calls it */
  workerId: string
  role: Role
  mesh: string
  /** whether nobody joins the mesh without a credential */
  closed: boolean
  version: string
  capabilities: Capabilities
  /** milliseconds since it started */
  uptime(): number
  status(): PeerStatus
  /** names of the services it serves now */
  services(): string[]
  /** names of the services that placement or its owner gave it */
  assigned(): string[]
  directPaths(): DirectPaths
  /** whether services can be run in containers; undefined on peers that run none */
  containers(): EngineStatus | undefined
  /** undefined where none is run */
  tunnel(): TunnelStatus | undefined
  /** where it means to be an entry point, and whether it is one */
  entry(): ClaimReport[]
  /** undefined in an open mesh */
  credential(): CredentialStatus | undefined
}

/**
 * From where a page can be connected with this peer (a relay: with the workers of the mesh) directly: `local_network`
 * where no STUN server is named, by which two peers behind NATs would find each other.
 */
export type DirectPaths = 'anywhere' | 'local_network'

export type PeerStatus = 'starting' | 'healthy' | 'draining'
