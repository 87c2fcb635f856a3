import type { Credential } from '@hedgerow/protocols/membership'
import type { Logger } from 'pino'

/** Where an issuer renews, on its API for peers. */
export const RENEWAL_PATH = '/credential/renew'

/** Of its life, when a credential is renewed: two thirds, and up to this much sooner, so that not all come at once. */
const RENEW_AT = 2 / 3
const JITTER = 0.05
/** Milliseconds. */
const FIRST_BACKOFF = 1000
const MAX_BACKOFF = 10 * 60_000
/** Milliseconds; timers can't be set for longer than 24 days, nor do they run while a machine sleeps. */
const LONGEST_TIMER = 60 * 60_000
/** Seconds before the end of a credential that nobody renews by itself, from when on its owner is told. */
export const WARN_BEFORE = 14 * 86_400
/** Milliseconds between two such warnings. */
const WARN_INTERVAL = 24 * 60 * 60_000

/** When to renew, in seconds since 1970. @param random from 0 to 1 */
export function renewalAt({ issuedAt, expiresAt }: Credential, random: number): number {
  return issuedAt + (expiresAt - issuedAt) * (RENEW_AT - JITTER * random)
}

export interface RenewalInit {
  /** the credential as it is now; undefined while there is none */
  credential(): Credential | undefined
  /** asks the issuer for the next one, and takes it */
  renew(issuer: string): Promise<void>
  log: Logger
  /** seconds since 1970 */
  now(): number
  random(): number
}

/** Renews a credential in time, and says so where only a maintainer can. */
export class Renewal {
  readonly #init: RenewalInit
  #timer: NodeJS.Timeout | undefined
  #failures = 0
  #warnedAt = Number.NEGATIVE_INFINITY
  #stopped = true
  #random = 0

  constructor(init: RenewalInit) {
    this.#init = init
  }

  start(): void {
    this.#stopped = false
    this.changed()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  /** There is another credential. */
  changed(): void {
    if (this.#stopped) return
    this.#failures = 0
    this.#random = this.#init.random()
    this.#schedule()
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    const credential = this.#init.credential()
    if (credential == null || this.#stopped) return
    const due = (renewalAt(credential, this.#random) - this.#init.now()) * 1000
    const delay = credential.renewal == null ? WARN_INTERVAL : Math.max(due, this.#backoff())
    this.#timer = setTimeout(() => void this.#look(), Math.min(LONGEST_TIMER, Math.max(0, delay)))
    this.#timer.unref()
    if (credential.renewal == null) this.#warn(credential)
  }

  #backoff(): number {
    if (this.#failures === 0) return 0
    const delay = Math.min(MAX_BACKOFF, FIRST_BACKOFF * 2 ** (this.#failures - 1))
    return delay * (0.75 + this.#init.random() / 2)
  }

  async #look(): Promise<void> {
    const credential = this.#init.credential()
    if (credential?.renewal == null || this.#init.now() < renewalAt(credential, this.#random)) {
      this.#schedule()
      return
    }
    try {
      await this.#init.renew(credential.issuer)
      // The new one has come by `changed`.
    } catch (err) {
      if (this.#stopped) return
      this.#failures++
      this.#init.log.warn(
        { reason: err instanceof Error ? err.message : String(err), expires_at: isoTime(credential.expiresAt) },
        'the credential could not be renewed; trying again'
      )
      this.#schedule()
    }
  }

  #warn({ expiresAt, subject }: Credential): void {
    const left = expiresAt - this.#init.now()
    if (left > WARN_BEFORE || performance.now() - this.#warnedAt < WARN_INTERVAL) return
    this.#warnedAt = performance.now()
    this.#init.log.warn(
      { expires_at: isoTime(expiresAt) },
      `this peer's credential ends soon; sign it a new one: hedgerow mesh sign ${subject}`
    )
  }
}

/** @param seconds since 1970 */
export function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}
