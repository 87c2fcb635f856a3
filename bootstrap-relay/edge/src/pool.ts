import type { Place } from './place.ts'
import { type Experience, rank } from './rank.ts'
import { SILENCE } from './registry/constants.ts'
import type { Registry, Relay } from './registry/index.ts'

export interface PoolComponents {
  registry: Registry | undefined
  now(): number
}

/** Milliseconds for which a copy of the Worker keeps the list that it read. */
const LIST_TTL = 30_000
/** Milliseconds for which a relay that answered counts as being there. */
const TRUSTED = 15_000
/** Milliseconds that a relay has to say that it is there. */
const PROBE_TIMEOUT = 3000

/** The relays, and how this copy of the Worker fared with each. */
export class RelayPool {
  readonly #components: PoolComponents
  readonly #fixed: readonly Relay[]
  readonly #experience = new Map<string, Experience>()
  #list: { relays: Relay[]; at: number } | undefined

  /** @param fixed origins that are always asked, whoever registers */
  constructor(components: PoolComponents, fixed: readonly string[]) {
    this.#components = components
    this.#fixed = fixed.map(url => ({ url }))
  }

  /** Nearest first, those that failed a moment ago last. */
  async ranked(from: Place | undefined): Promise<Relay[]> {
    const now = this.#components.now()
    const relays = (await this.#relays(now)).filter(({ seen }) => seen == null || now - seen < SILENCE)
    return rank(relays, from, url => this.#experience.get(url), now)
  }

  /** The list has changed. */
  forget(): void {
    this.#list = undefined
  }

  /** @param latency milliseconds, of a question that every relay answers at once */
  answered(url: string, latency?: number): void {
    const known = this.#known(url)
    known.okAt = this.#components.now()
    if (latency != null) known.latency = known.latency == null ? latency : known.latency * 0.7 + latency * 0.3
  }

  failed(url: string): void {
    this.#known(url).failedAt = this.#components.now()
  }

  /** Whether a relay is there: asked, unless it has just shown so. What may not be sent twice is worth the question. */
  async isThere(url: string): Promise<boolean> {
    const { okAt, failedAt } = this.#known(url)
    const now = this.#components.now()
    if (okAt != null && now - okAt < TRUSTED && okAt > (failedAt ?? 0)) return true
    try {
      const { status, body } = await fetch(`${url}/health`, {
        redirect: 'manual',
        cache: 'no-store',
        signal: AbortSignal.timeout(PROBE_TIMEOUT)
      })
      // Nobody reads it, and what nobody reads holds one of the few connections that a request may have.
      await body?.cancel()
      if (status < 500) {
        this.answered(url)
        return true
      }
    } catch {
      // As good as no.
    }
    this.failed(url)
    return false
  }

  #known(url: string): Experience {
    const known = this.#experience.get(url) ?? {}
    this.#experience.set(url, known)
    return known
  }

  async #relays(now: number): Promise<Relay[]> {
    if (this.#list != null && now - this.#list.at < LIST_TTL) return this.#list.relays
    let registered: Relay[]
    try {
      registered = (await this.#components.registry?.list(now)) ?? []
    } catch (err) {
      // Over its quota, say. Whom this copy knows from before may still be there.
      console.warn(`the registry can't be read: ${err}`)
      if (this.#list == null) return [...this.#fixed]
      this.#list.at = now
      return this.#list.relays
    }
    const relays = [...registered, ...this.#fixed.filter(({ url }) => registered.every(one => one.url !== url))]
    for (const url of this.#experience.keys())
      if (relays.every(relay => relay.url !== url)) this.#experience.delete(url)
    // Who knows nobody asks again.
    this.#list = relays.length === 0 ? undefined : { relays, at: now }
    return relays
  }
}
