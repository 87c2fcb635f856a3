import type { Instance } from './instances.ts'

export interface HoldersInit {
  /** milliseconds without a sign of life after which a holder counts as gone */
  grace: number
  now?: () => number
}

/** After a failed contact a peer is left alone for this share of the grace, so that not every write waits for it. */
const REST_AFTER_FAILURE = 1 / 4

/** Far more than ever hold one collection */
export const MOST_TOLD = 64

interface Proof {
  at: number
  /** from itself or the mesh; what other holders say is believed, but not handed on, or it would never end */
  firstHand: boolean
}

/**
 * Who holds what, from the mesh's adverts, from first-hand contact, and from what other holders say. An advert lags
 * behind a death by seconds and behind a new copy by as much, so contact counts more: an advertised holder that doesn't
 * answer is on its way out.
 */
export class Holders {
  readonly #grace: number
  readonly #now: () => number
  readonly #since: number
  /** collection → peer → when it last proved, or was last advertised, to hold it */
  readonly #lastProof = new Map<string, Map<string, Proof>>()
  /** peer → when it last asked for the state of a copy here */
  readonly #askedAt = new Map<string, number>()
  readonly #failedAt = new Map<string, number>()
  #advertised: readonly Instance[] = []

  constructor({ grace, now = Date.now }: HoldersInit) {
    this.#grace = grace
    this.#now = now
    this.#since = now()
  }

  /** Takes note of what the mesh advertises now; `held` are the collections that are of interest. */
  advertised(instances: readonly Instance[], held: readonly string[]): void {
    this.#advertised = instances
    for (const { peer, collections } of instances) {
      if (this.#failedAt.has(peer)) continue
      for (const collection of held) if (collections.has(collection)) this.#prove(collection, peer, true)
    }
    for (const [collection, peers] of this.#lastProof) {
      for (const [peer, { at }] of peers) if (this.#now() - at > this.#grace) peers.delete(peer)
      if (peers.size === 0) this.#lastProof.delete(collection)
    }
    const known = new Set(instances.map(({ peer }) => peer))
    for (const noted of [this.#failedAt, this.#askedAt]) {
      for (const [peer, at] of noted) if (!known.has(peer) && this.#now() - at > this.#grace) noted.delete(peer)
    }
  }

  /** It answered, and holds the collection. */
  proved(collection: string, peer: string): void {
    this.#failedAt.delete(peer)
    this.#prove(collection, peer, true)
  }

  /** It asked for the state of the copy here, to compare it with its own. */
  asked(collection: string, peer: string): void {
    this.proved(collection, peer)
    this.#askedAt.set(peer, this.#now())
  }

  /** When it last asked; as long as this instance has been there, if it never did. */
  lastAsked(peer: string): number {
    return this.#askedAt.get(peer) ?? this.#since
  }

  /** Another holder says that these are holders too. */
  heard(collection: string, peers: readonly string[]): void {
    for (const peer of peers) {
      if (this.#lastProof.get(collection)?.has(peer) !== true) this.#prove(collection, peer, false)
    }
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
    const peers = this.#lastProof.get(collection) ?? new Map<string, Proof>()
    return [...peers].filter(([, { at }]) => this.#now() - at <= this.#grace).map(([peer]) => peer)
  }

  /** Those of them that this instance knows of by itself, and that answered when last asked: what to tell others. */
  toTell(collection: string): string[] {
    const peers = this.#lastProof.get(collection)
    return this.of(collection)
      .filter(peer => peers?.get(peer)?.firstHand === true && !this.#failedAt.has(peer))
      .slice(0, MOST_TOLD)
  }

  /** Holders, and who says to be one though it didn't answer for long. */
  mayHold(collection: string): string[] {
    const saying = this.#advertised.filter(({ collections }) => collections.has(collection)).map(({ peer }) => peer)
    return [...new Set([...this.of(collection), ...saying])]
  }

  /** Peers to ask for the collection now. */
  worthAsking(collection: string): string[] {
    return this.mayHold(collection).filter(peer => this.reachable(peer))
  }

  /** Whether it makes sense to ask this peer something now. */
  reachable(peer: string): boolean {
    const failedAt = this.#failedAt.get(peer)
    return failedAt == null || this.#now() - failedAt > this.#grace * REST_AFTER_FAILURE
  }

  #prove(collection: string, peer: string, firstHand: boolean): void {
    const peers = this.#lastProof.get(collection)
    const proof = { at: this.#now(), firstHand }
    if (peers == null) this.#lastProof.set(collection, new Map([[peer, proof]]))
    else peers.set(peer, proof)
  }
}
