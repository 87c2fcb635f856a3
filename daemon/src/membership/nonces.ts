import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** Seconds that a nonce is good for. */
export const LIFETIME = 300
/** Nonces that were used and haven't ended yet. Each cost its user a signature, and its address a place in its rate. */
export const MAX_USED = 10_000

const RANDOM = 16
const TIME = 6
const MAC = 16

/**
 * Numbers that are used once. Nothing is kept of those given out (they carry their end and a code that only this
 * process can make), only of those that came back.
 */
export class Nonces {
  readonly #key = randomBytes(32)
  readonly #now: () => number
  readonly #prefix: string
  /** those used, with their end: the earliest first, nearly */
  readonly #used = new Map<string, number>()

  /** @param now seconds since 1970 @param prefix how each begins */
  constructor(now: () => number, prefix = '') {
    this.#now = now
    this.#prefix = prefix
  }

  make(): string {
    const body = Buffer.alloc(RANDOM + TIME)
    randomBytes(RANDOM).copy(body)
    body.writeUIntBE(Math.floor(this.#now()) + LIFETIME, RANDOM, TIME)
    return this.#prefix + Buffer.concat([body, this.#mac(body)]).toString('base64url')
  }

  /** Whether it is one of ours and its time hasn't come. */
  isGood(nonce: string): boolean {
    const end = this.#endOf(nonce)
    return end != null && end > this.#now() && !this.#used.has(nonce)
  }

  /** Takes it out of use. @returns whether it was good, and there was room to remember it */
  use(nonce: string): boolean {
    const end = this.#endOf(nonce)
    if (end == null || !this.isGood(nonce)) return false
    for (const [used, until] of this.#used) if (until <= this.#now()) this.#used.delete(used)
    if (this.#used.size >= MAX_USED) return false
    this.#used.set(nonce, end)
    return true
  }

  #endOf(nonce: string): number | undefined {
    if (!nonce.startsWith(this.#prefix)) return undefined
    const text = nonce.slice(this.#prefix.length)
    const bytes = Buffer.from(text, 'base64url')
    if (bytes.byteLength !== RANDOM + TIME + MAC || bytes.toString('base64url') !== text) return undefined
    const body = bytes.subarray(0, RANDOM + TIME)
    return timingSafeEqual(this.#mac(body), bytes.subarray(RANDOM + TIME)) ? body.readUIntBE(RANDOM, TIME) : undefined
  }

  #mac(body: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update(body).digest().subarray(0, MAC)
  }
}
