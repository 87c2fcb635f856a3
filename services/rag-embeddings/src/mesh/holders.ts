import type { Instance } from './instances.ts'

export interface HoldersInit {
  /** milliseconds without a sign of life after which a holder counts as gone */
  grace: number
  now?: () => number
}

/** After a failed contact a peer is left alone for this share of the grace, so that not every write waits for it. */
const REST_AFTER_FAILURE = 1 / 4

/**
 * Who holds what, from the mesh's adverts and from first-hand contact. An advert lags behind a death by seconds and
 * behind a new copy by as much, so contact counts more: an advertised holder that doesn't answer is on its way out.
 */
export class Holders {
  readonly #grace: number
  readonly #now: () => number
  /** collection → peer → when it last proved, or was last advertised, to hold it */
  readonly #lastProof = new Map<string, Map<string, number>>()
  readonly #failedAt = new Map<string, number>()
  #advertised: readonly Instance[] = []

  constructor({ grace, now = Date.now }: HoldersInit) {
    this.#grace = grace
    this.#now = now
  }

  /** Takes note of what the mesh advertises now; `held` are the collections that are of interest. */
  advertised(instances: readonly Instance[], held: readonly string[]): void {
    this.#advertised = instances
    for (const { peer, collections } of instances) {
      if (this.#failedAt.has(peer)) continue
      for (const collection of held) if (collections.has(collection)) this.#prove(collection, peer)
    }
    for (const [collection, peers] of this.#lastProof) {
      for (const [peer, at] of peers) if (this.#now() - at > this.#grace) peers.delete(peer)
      if (peers.size === 0) this.#lastProof.delete(collection)
    }
    const known = new Set(instances.map(({ peer }) => peer))
    for (const [peer, at] of this.#failedAt) {
      if (!known.has(peer) && this.#now() - at > this.#grace) this.#failedAt.delete(peer)
    }
  }

  /** It answered, and holds the collection. */
  proved(collection: string, peer: string): void {
    this.#failedAt.delete(peer)
    this.#prove(collection, peer)
  }

  /** It answered that it doesn't hold the collection. */
  denied(collection: string, peer: string): void {
    this.#failedAt.delete(peer)
    this.#lastProof.get(collection)?.delete(peer)
  }

  /** It didn't answer. */
  failed(peer: string): void {
    this.#failedAt.set(peer, this.#now())
  }

  /** Holders of the collection besides this instance, those included that are out of reach but not yet gone. */
  of(collection: string): string[] {
    const peers = this.#lastProof.get(collection) ?? new Map<string, number>()
    return [...peers].filter(([, at]) => this.#now() - at <= this.#grace).map(([peer]) => peer)
  }

  /** Peers to ask for the collection: its holders, and who says to be one though it didn't answer for long. */
  worthAsking(collection: string): string[] {
    const saying = this.#advertised.filter(({ collections }) => collections.has(collection)).map(({ peer }) => peer)
    return [...new Set([...this.of(collection), ...saying])].filter(peer => this.reachable(peer))
  }

  /** Whether it makes sense to ask this peer something now. */
  reachable(peer: string): boolean {
    const failedAt = this.#failedAt.get(peer)
    return failedAt == null || this.#now() - failedAt > this.#grace * REST_AFTER_FAILURE
  }

  #prove(collection: string, peer: string): void {
    const peers = this.#lastProof.get(collection)
    if (peers == null) this.#lastProof.set(collection, new Map([[peer, this.#now()]]))
    else peers.set(peer, this.#now())
  }
}
