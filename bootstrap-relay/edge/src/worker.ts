/**
 * A Cloudflare Worker in front of the relays of a mesh: one stable name at which frontends find entry points, and at which
 * every HTTP request and WebSocket reaches a relay that is up. It holds nothing that relays don't know; no part of the mesh
 * needs it.
 */
import { createEdge } from './edge.ts'

export { RelayRegistry } from './registry/durable.ts'
export default createEdge()
