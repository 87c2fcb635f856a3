/**
 * A worker's signed statement: who I am, what I can do, which services I run, until when. And its goodbye, which takes
 * all of that back at once.
 *
 * Both travel sealed (`@hedgerow/protocols/statement`): signed by the peer's own key, so that anybody may pass them on.
 */
import type { ServiceContract } from '../contract/index.ts'

export { decodeAdvert, decodeGoodbye, encodeAdvert, encodeGoodbye } from './messages.ts'

export const ROLES = ['worker', 'relay', 'client'] as const
export type Role = (typeof ROLES)[number]

/** What a machine can do. Sizes in MiB. */
export interface Capabilities {
  /** logical cores */
  cores: number
  memory: number
  disk: number
  /** empty when there is none */
  gpus: Array<{ model: string; memory: number }>
  /** as in `process.arch` */
  arch: string
  /** as in `process.platform` */
  platform: string
}

/** One service as one worker runs it. */
export interface ServiceOffer {
  contract: ServiceContract
  /** what it has loaded or holds, as in `model/llama3` or `collection/default`; at most {@link MAX_RESOURCES} */
  resources: string[]
}

/**
 * How good a place to enter the mesh is, the best first: a `tunnel` or proxy that brings the internet, a `public` address,
 * or one of a `local` network.
 */
export const ENTRY_KINDS = ['tunnel', 'public', 'local'] as const
export type EntryKind = (typeof ENTRY_KINDS)[number]

/** A place where others enter the mesh by a peer. */
export interface EntryPoint {
  kind: EntryKind
  /** multiaddr, with no peer id */
  addr: string
  /** by which another peer says that it has dialled it there (`@hedgerow/protocols/vouch`), sealed */
  vouch: Uint8Array
}

export interface Advert {
  peerId: string
  /** grows with every advert and goodbye of a peer, across restarts; the greater one wins */
  sequence: bigint
  role: Role
  /** what its owner calls it */
  name: string
  version: string
  /** multiaddrs where it can be dialled */
  addrs: string[]
  /** where it can be reached over HTTPS by anyone */
  url?: string
  capabilities: Capabilities
  /** healthy and served now */
  services: ServiceOffer[]
  /** names of services that it could run, served or not: what placement ranks */
  eligible: string[]
  /** the peer's chain of credentials; left out in an open mesh */
  credential?: string
  /** where others enter the mesh by it, at most {@link MAX_ENTRIES}; the peer says so, its vouches prove it */
  entries?: EntryPoint[]
}

export interface Goodbye {
  peerId: string
  sequence: bigint
}

/** Milliseconds after its arrival that an advert is believed without a newer one. */
export const ADVERT_LIFETIME = 60 * 60_000
/** Milliseconds between two adverts when nothing changes. */
export const ADVERT_INTERVAL = 10 * 60_000
/** Bytes of a sealed advert; larger ones are refused. Twenty services with ten operations each take about 24 KiB. */
export const MAX_ADVERT_SIZE = 64 * 1024
export const MAX_SERVICES = 64
export const MAX_RESOURCES = 512
export const MAX_ADDRS = 32
export const MAX_ENTRIES = 4
