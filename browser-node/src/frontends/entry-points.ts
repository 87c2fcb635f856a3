/** Milliseconds for which a list is as good as new. */
const FRESH = 60_000
/** Milliseconds for which an older list is used on when nobody answers: asking may take the whole of {@link TIMEOUT}. */
const STALE = 5000
/** Milliseconds that one address may take to answer. */
const TIMEOUT = 5000

export interface EntryPoint {
  url: string
  services: string[]
}

export interface EntryPointsInit {
  /** web addresses of lists, as in `https://relay.example.org/entry-points` */
  urls: string[]
  fetch?: typeof fetch
  /** milliseconds. @default Date.now */
  now?(): number
}

/**
 * Where the mesh can be entered over plain HTTP: asked of several addresses at once, kept for a minute, and used on when
 * none of them answers. An entry point that failed goes to the end of the list.
 */
export class EntryPoints {
  readonly #urls: string[]
  readonly #fetch: typeof fetch
  readonly #now: () => number
  #points: EntryPoint[] = []
  #freshUntil = -Infinity
  #asking: Promise<void> | undefined

  constructor({ urls, fetch = globalThis.fetch.bind(globalThis), now = Date.now }: EntryPointsInit) {
    if (urls.length === 0) throw new TypeError('entryPoints: name at least one address, as in https://…/entry-points')
    this.#urls = urls
    this.#fetch = fetch
    this.#now = now
  }

  /** Those that offer a service first. @throws {Error} when there never was a list */
  async for(service: string): Promise<string[]> {
    if (this.#now() >= this.#freshUntil) {
      this.#asking ??= this.#ask().finally(() => {
        this.#asking = undefined
      })
      try {
        await this.#asking
      } catch (err) {
        if (this.#points.length === 0) throw err
        this.#freshUntil = this.#now() + STALE
      }
    }
    const offers = ({ services }: EntryPoint): number => Number(services.includes(service))
    return this.#points.toSorted((a, b) => offers(b) - offers(a)).map(({ url }) => url)
  }

  failed(url: string): void {
    const index = this.#points.findIndex(point => point.url === url)
    if (index !== -1) this.#points.push(...this.#points.splice(index, 1))
  }

  async #ask(): Promise<void> {
    try {
      this.#points = await Promise.any(this.#urls.map(url => this.#askOne(url)))
      this.#freshUntil = this.#now() + FRESH
    } catch (err) {
      const reasons = err instanceof AggregateError ? err.errors.map(cause => (cause as Error).message) : [String(err)]
      throw new Error(`no list of entry points answers: ${reasons.join('; ')}`, { cause: err })
    }
  }

  async #askOne(url: string): Promise<EntryPoint[]> {
    const response = await this.#fetch(url, { signal: AbortSignal.timeout(TIMEOUT) })
    if (!response.ok) throw new Error(`${url} answers ${response.status}`)
    const body: unknown = await response.json()
    const rows = typeof body === 'object' && body != null && 'entry_points' in body ? body.entry_points : undefined
    if (!Array.isArray(rows)) throw new Error(`${url} does not answer {entry_points}`)
    const points = rows.flatMap(parse)
    if (points.length === 0) throw new Error(`${url} knows no entry point`)
    return points
  }
}

function parse(row: unknown): EntryPoint[] {
  if (typeof row !== 'object' || row == null || !('access_url' in row) || typeof row.access_url !== 'string') return []
  const url = URL.parse(row.access_url)
  if (url == null || !/^https?:$/.test(url.protocol)) return []
  const services = 'services' in row && Array.isArray(row.services) ? row.services : []
  return [{ url: url.origin, services: services.filter(name => typeof name === 'string') }]
}
