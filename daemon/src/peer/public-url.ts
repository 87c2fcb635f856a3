import type { OwnHosts } from '../access/own-hosts.ts'
import { addrOfUrl } from '../node/index.ts'

/** Where the world reaches this peer over HTTPS, as its settings or its tunnel say. */
export class PublicUrl {
  #current: string | undefined

  constructor(url: string | undefined) {
    this.#current = url
  }

  get current(): string | undefined {
    return this.#current
  }

  /** The multiaddrs that come of it. */
  addrs(): string[] {
    return this.#current == null ? [] : [addrOfUrl(new URL(this.#current))]
  }

  /** @param url undefined when it is reached no more @returns whether anything is new */
  change(url: string | undefined, hosts: Pick<OwnHosts, 'add' | 'delete'>): boolean {
    if (url === this.#current) return false
    if (this.#current != null) hosts.delete(this.#current)
    if (url != null) hosts.add(url)
    this.#current = url
    return true
  }
}
