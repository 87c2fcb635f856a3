/**
 * Whether a request to a listener on loopback is from this machine's own programs and people. To come from loopback is no
 * identity: pages of any site can send requests there, names that resolve there make a browser take it for that site, and
 * a proxy or a tunnel on this machine brings the whole world.
 */
import type { IncomingHttpHeaders } from 'node:http'

const LOOPBACK_NAME = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/** What proxies and tunnels add. A tunnel is told by its public name too, unless somebody took care to hide that. */
const FORWARDING = [
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-real-ip',
  'cf-connecting-ip',
  'cf-ray'
]

export function isLoopback(url: string): boolean {
  const hostname = URL.parse(url)?.hostname
  return hostname != null && LOOPBACK_NAME.test(hostname)
}

/** Whether a page may call. @param allowed origins; `*` for any */
export function isAllowedOrigin(origin: string, allowed: readonly string[]): boolean {
  return allowed.includes('*') || allowed.includes(origin) || isLoopback(origin)
}

/** By whom a request to a local listener was sent, as its headers tell. */
export type Locality =
  /** a program or page of this machine, or a page of a site that is named */
  | 'local'
  /** a page of just any site, where any may call (`*`), or a proxy on this machine that calls by a name of it */
  | 'guest'
  /** somebody from elsewhere, who has to say who they are: by the peer's public name */
  | 'stranger'
  /** a page of a site that may not call */
  | 'foreign page'
  /** a name that isn't this peer's */
  | 'foreign name'

export class Localities {
  readonly #corsOrigins: readonly string[]
  readonly #isOwnHost: (host: string) => boolean
  /** a name that was found to be this machine's: callers use the same one again and again */
  #ownName: string | undefined

  constructor(corsOrigins: readonly string[], isOwnHost: (host: string) => boolean) {
    this.#corsOrigins = corsOrigins
    this.#isOwnHost = isOwnHost
  }

  of(headers: IncomingHttpHeaders): Locality {
    const { host, origin } = headers
    let locality: Locality = 'local'
    for (const name of FORWARDING) if (headers[name] !== undefined) locality = 'guest'
    // Pages send some requests without an Origin (a picture's, say), but browsers tell all the same.
    const isForeign =
      origin === undefined
        ? headers['sec-fetch-site'] === 'cross-site'
        : !isLoopback(origin) && !this.#corsOrigins.includes(origin)
    if (isForeign) {
      if (!this.#corsOrigins.includes('*')) return 'foreign page'
      locality = 'guest'
    }
    if (host === undefined || this.#isThisMachine(host)) return locality
    return this.#isOwnHost(host.toLowerCase()) ? 'stranger' : 'foreign name'
  }

  #isThisMachine(host: string): boolean {
    if (host === this.#ownName) return true
    if (!isLoopback(`http://${host}`)) return false
    this.#ownName = host
    return true
  }
}
