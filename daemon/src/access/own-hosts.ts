import { networkInterfaces } from 'node:os'
import { isLoopback } from './locality.ts'

/** The names, with ports, by which this peer is called from elsewhere. */
export class OwnHosts {
  readonly #names: Set<string>

  /** @param urls its public ones */
  constructor(urls: readonly string[]) {
    this.#names = new Set(urls.map(url => new URL(url).host))
  }

  /** A public URL that it has got meanwhile, from a tunnel. */
  add(url: string): void {
    this.#names.add(new URL(url).host)
  }

  /** One that it has no more. */
  delete(url: string): void {
    this.#names.delete(new URL(url).host)
  }

  /** @param host as in URLs and `Host` */
  has = (host: string): boolean => this.#names.has(host)

  /** The same, or an address of this machine. */
  reaches = (host: string): boolean => {
    if (this.#names.has(host) || isLoopback(`http://${host}`)) return true
    const name = URL.parse(`http://${host}`)?.hostname.replace(/^\[|\]$/g, '')
    return Object.values(networkInterfaces()).some(list => list?.some(({ address }) => address === name))
  }
}
