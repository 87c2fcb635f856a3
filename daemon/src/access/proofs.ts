import { createHash } from 'node:crypto'
import { MAX_PROOFS, MAX_PROOFS_PER_PEER } from './constants.ts'

export interface ProofsInit {
  /** of one peer. @default 10 000 */
  maxPerPeer?: number
  /** @default 100 000 */
  max?: number
  /** milliseconds of the wall clock, which the times in proofs are of */
  now(): number
}

/**
 * The proofs that were used, until they are too old to be used anyway. Where that would be too many, new ones are
 * refused: to forget one would let it be used again.
 */
export class Proofs {
  readonly #init: ProofsInit
  /** digest to when it may be forgotten, those used first at the front */
  readonly #used = new Map<string, { until: number; peer: string }>()
  readonly #perPeer = new Map<string, number>()

  constructor(init: ProofsInit) {
    this.#init = init
  }

  get size(): number {
    return this.#used.size
  }

  /** @param until milliseconds of the wall clock at which nobody takes it any more */
  use(peer: string, id: string, until: number): 'fresh' | 'used' | 'too many' {
    const { max = MAX_PROOFS, maxPerPeer = MAX_PROOFS_PER_PEER } = this.#init
    this.#forget()
    // Of a stranger's own making: kept at one length.
    const digest = createHash('sha256').update(`${peer} ${id}`).digest('base64url')
    if (this.#used.has(digest)) return 'used'
    const own = this.#perPeer.get(peer) ?? 0
    if (own >= maxPerPeer || this.#used.size >= max) return 'too many'
    this.#used.set(digest, { until, peer })
    this.#perPeer.set(peer, own + 1)
    return 'fresh'
  }

  /** From the front only: one that may be kept for longer holds up those behind it by as much as the window. */
  #forget(): void {
    const now = this.#init.now()
    for (const [digest, { until, peer }] of this.#used) {
      if (until > now) return
      this.#used.delete(digest)
      const left = (this.#perPeer.get(peer) ?? 1) - 1
      if (left === 0) this.#perPeer.delete(peer)
      else this.#perPeer.set(peer, left)
    }
  }
}
