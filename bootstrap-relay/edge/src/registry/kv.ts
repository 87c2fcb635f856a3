import type { Heard, Heartbeat, Registry, Relay } from './index.ts'
import { decide, readSeeds, type Seeds } from './seeds.ts'

/** One key, because the free tier has 1,000 listings of keys a day, but 100,000 reads of one. */
const KEY = 'relays'
/** Seconds for which a place of Cloudflare's keeps what it read; the least that KV takes everywhere. */
const CACHE_TTL = 60

/**
 * The seed list in KV. Two relays that write at once overwrite each other, which the next heartbeat of the one that is
 * missing mends; their counts may be short by that, so relays count too.
 */
export class SeedRegistry implements Registry {
  readonly #kv: KVNamespace
  readonly #allowPrivate: boolean

  constructor(kv: KVNamespace, allowPrivate: boolean) {
    this.#kv = kv
    this.#allowPrivate = allowPrivate
  }

  async heard(heartbeat: Heartbeat, now: number): Promise<Heard> {
    const { heard, seeds } = decide(await this.#read(), heartbeat, now)
    if (seeds != null) await this.#kv.put(KEY, JSON.stringify(seeds))
    return heard
  }

  async list(): Promise<Relay[]> {
    const { relays } = await this.#read()
    return relays.map(({ url, place }) => (place == null ? { url } : { url, place }))
  }

  async #read(): Promise<Seeds> {
    let value: unknown
    try {
      value = await this.#kv.get(KEY, { type: 'json', cacheTtl: CACHE_TTL })
    } catch (err) {
      // Not JSON: the list begins anew. Anything else is KV's own trouble.
      if (!(err instanceof SyntaxError)) throw err
    }
    return readSeeds(value, this.#allowPrivate)
  }
}
