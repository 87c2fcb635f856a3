/**
 * A peer's own table of everybody, merged from adverts, goodbyes and load reports. It answers at once and from memory:
 * a request normally costs no lookup. What this peer itself experiences with others (latency, failures) is kept by
 * dispatch, not here.
 *
 * Time is local: an advert lives from when it arrived, whatever its sender's clock says.
 *
 * @example
 * ```ts
 * const view = createView({ now: Date.now })
 * view.learnAdvert(advert)
 * view.candidates('ner-extraction') // [{ peerId, offer, load, silent: false, ... }]
 * ```
 */
import type { Advert, Goodbye, ServiceOffer } from '../advert/index.ts'
import type { ServiceContract } from '../contract/index.ts'
import type { LoadReport } from '../load/index.ts'

export { createView } from './view.ts'

export interface ViewInit {
  /** milliseconds, of a clock that never goes back */
  now(): number
  /** peers kept; beyond it those heard of longest ago go. @default 10,000 */
  maxPeers?: number
}

/** One worker that says it runs a service. */
export interface Candidate {
  peerId: string
  offer: ServiceOffer
  /** the last report about this service, if one came */
  load?: LoadReport
  /** milliseconds (of the view's clock) at which `load` arrived */
  loadAt?: number
  /** milliseconds (of the view's clock) at which this worker was first seen with this service */
  since: number
  /** milliseconds (of the view's clock) at which the advert in force arrived */
  advertAt: number
  /** it missed several load reports: alive perhaps, but not to be preferred */
  silent: boolean
  /** classes of data that it may see */
  classes: readonly string[]
}

export interface PeerEntry {
  advert: Advert
  /** classes of data that it may see */
  classes: readonly string[]
  /** milliseconds (of the view's clock) at which anything last came from it */
  lastSeen: number
  /** by service */
  loads: ReadonlyMap<string, { report: LoadReport; at: number }>
  silent: boolean
}

/** What dispatch needs of the view. */
export interface CandidateSource {
  /** the canonical name for a name or alias; undefined when neither shipped nor seen in the last 24 hours */
  resolve(nameOrAlias: string): string | undefined
  /** the newest contract that any worker advertises, or that shipped with this peer */
  contract(service: string): ServiceContract | undefined
  /** the same list until something about them changes; it is not to be changed by who asked */
  candidates(service: string): Candidate[]
}

export interface View extends CandidateSource {
  /**
   * @param classes of data that the peer may see. @default those of an open mesh
   * @returns whether it was news: a greater sequence than any known of that peer
   */
  learnAdvert(advert: Advert, classes?: readonly string[]): boolean
  learnGoodbye(goodbye: Goodbye): boolean
  learnLoad(report: LoadReport): boolean
  /** Forgets a peer whose right to be here has ended, until it has something newer to say. */
  expel(peerId: string): void
  /** contracts that are known without any worker: those that ship with this peer */
  learnContract(contract: ServiceContract): void
  peer(peerId: string): PeerEntry | undefined
  peers(): Iterable<PeerEntry>
  /** every service known by name, with or without a worker now */
  services(): Iterable<ServiceContract>
  /** drops what has expired */
  sweep(): void
  addListener(listener: (change: ViewChange) => void): () => void
}

export type ViewChange =
  | { type: 'peer'; peerId: string }
  | { type: 'gone'; peerId: string }
  | { type: 'load'; peerId: string; service: string }
