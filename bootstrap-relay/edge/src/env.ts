import type { RelayRegistry } from './registry/durable.ts'

/** What the Worker is deployed with; `README.md` says how to set each. */
export interface Env {
  /** secret that relays show when they register; with none, nobody can */
  EDGE_TOKEN?: string
  /** relays that are always asked: https URLs, comma-separated */
  RELAYS?: string
  /** KV namespace with the seed list that relays keep */
  SEEDS?: KVNamespace
  /** the Durable Object that relays register with; where it is bound, KV isn't used */
  REGISTRY?: DurableObjectNamespace<RelayRegistry>
  /** origins of pages that may call, comma-separated; `*` = any. @default * */
  CORS_ORIGINS?: string
  /** `true` lets relays be at http: URLs and private addresses: for trying out on one machine only */
  ALLOW_PRIVATE?: string
}
