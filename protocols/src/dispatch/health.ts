import { EJECTION, EJECTION_MEMORY, MAX_EJECTION, MAX_FAILURES } from './constants.ts'

/**
 * - `in`: in routing
 * - `out`: ejected
 * - `unproven`: has been out for long enough to be dialled, but hasn't shown yet that it answers
 * - `trial`: may get one request to show that it works
 * - `tried`: has that request in hand
 */
export type Standing = 'in' | 'out' | 'unproven' | 'trial' | 'tried'

/** Why something was taken out, from what may be the requests' fault to what can't be. */
export const CAUSES = ['failing', 'unreachable', 'wedged'] as const
export type Cause = (typeof CAUSES)[number]

/** Whether a peer, or one service on it, is fit to be routed to, as this peer experienced it. */
export class Health {
  /** failures since the last success */
  failures = 0
  /** ejections in a row */
  ejections = 0
  cause: Cause = 'failing'
  /** when it was last taken out */
  ejectedAt = -Infinity
  private until = -Infinity
  private ejected = false
  private proven = false
  private trying = false
  private readonly needsProof: boolean

  /** @param needsProof whether a ping must be answered before a request is risked */
  constructor(needsProof: boolean) {
    this.needsProof = needsProof
  }

  /** @param aliveAt when it last said by itself that it is there: an ejection from before that is over */
  standing(now: number, aliveAt = -Infinity): Standing {
    if (!this.ejected) return 'in'
    const waited = now >= this.until || aliveAt > this.ejectedAt
    if (this.needsProof && !this.proven) return waited ? 'unproven' : 'out'
    if (!waited && !this.spoke) return 'out'
    return this.trying ? 'tried' : 'trial'
  }

  /** Milliseconds that it will stay out at the least; 0 when it isn't out. */
  remaining(now: number): number {
    if (!this.ejected || this.spoke) return 0
    return Math.max(this.until - now, this.needsProof && !this.proven ? 1 : 0)
  }

  succeed(): void {
    this.failures = 0
    if (!this.ejected || !this.trying) return
    this.ejected = false
    this.trying = false
  }

  /** @returns whether this took it out */
  fail(now: number): boolean {
    this.failures++
    // What comes back from requests that were under way when it was taken out says nothing new.
    if (this.ejected ? !this.trying : this.failures < MAX_FAILURES) return false
    this.eject('failing', now)
    return true
  }

  eject(cause: Cause, now: number): void {
    this.trying = false
    if (this.ejected && !this.proven && now < this.until && CAUSES.indexOf(cause) <= CAUSES.indexOf(this.cause)) return
    if (now - this.until > EJECTION_MEMORY) this.ejections = 0
    this.until = now + Math.min(MAX_EJECTION, EJECTION * 2 ** this.ejections)
    this.ejections++
    this.cause = cause
    this.ejectedAt = now
    this.ejected = true
    this.proven = false
  }

  /** An answer ends the silence that it was taken out for. It says nothing of failures: they have to be waited out. */
  private get spoke(): boolean {
    return this.needsProof && this.proven && this.cause !== 'failing'
  }

  /** It is out, and nothing was heard of it since. */
  get isSilent(): boolean {
    return this.ejected && !this.proven
  }

  /** It answered a ping. */
  prove(): void {
    this.proven = true
  }

  /** A request is sent; while it is ejected, that request decides whether it is back. */
  beginTrial(): void {
    this.trying = this.ejected
  }

  /** That request ended without telling anything, as when its caller left. */
  endTrial(): void {
    this.trying = false
  }
}
