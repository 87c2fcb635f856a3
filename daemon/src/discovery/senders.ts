import { Rates } from '@hedgerow/protocols/rate'

/** Messages that one neighbour may pass on each second: those of hundreds of busy workers, and few enough to check. */
const PER_SECOND = 300
/** And at once, as after a partition that has healed. */
const BURST = 600
/** What is invalid is nobody's to pass on, and costs as much to check. */
const INVALID_COST = 20
/** So many more are no accident. */
const PATIENCE_PER_SECOND = 50
const PATIENCE = 1000
/** Milliseconds that such a neighbour isn't listened to. */
const DEAF = 60_000
/** Below what gossipsub ignores a peer's messages for, before it looks at them. */
const FLOODING_SCORE = -1000
const MAX_REMEMBERED = 1000

/** Which neighbours send more gossip than there can be. */
export class Senders {
  readonly #now: () => number
  readonly #admitted: Rates
  readonly #excess: Rates
  readonly #deafUntil = new Map<string, number>()

  constructor({ now }: { now(): number }) {
    this.#now = now
    this.#admitted = new Rates({ perSecond: PER_SECOND, burst: BURST, max: MAX_REMEMBERED, now })
    this.#excess = new Rates({ perSecond: PATIENCE_PER_SECOND, burst: PATIENCE, max: MAX_REMEMBERED, now })
  }

  /** @returns whether the message is worth a look */
  admit(peerId: string): boolean {
    if (this.#admitted.take(peerId)) return true
    if (!this.#excess.take(peerId)) this.#ignore(peerId)
    return false
  }

  /** What it passed on was invalid. */
  blame(peerId: string): void {
    if (!this.#admitted.take(peerId, INVALID_COST)) this.admit(peerId)
  }

  /** For gossipsub: what adds to the score of a peer. */
  score(peerId: string): number {
    const until = this.#deafUntil.get(peerId)
    if (until == null) return 0
    if (this.#now() < until) return FLOODING_SCORE
    this.#deafUntil.delete(peerId)
    return 0
  }

  #ignore(peerId: string): void {
    if (this.#deafUntil.size >= MAX_REMEMBERED) this.#deafUntil.clear()
    this.#deafUntil.set(peerId, this.#now() + DEAF)
  }
}
