import type { PeerStatus } from '../api/index.ts'
import type { PeerConfig, ServiceHost } from './index.ts'
import type { Network } from './network.ts'

/** Milliseconds after which a peer that found nobody serves all the same. */
const JOIN_TIMEOUT = 20_000

/** How far a peer is in its life: what `/health` says, and whether it still takes requests. */
export class Phase {
  readonly startedAt = performance.now()
  readonly #relays: PeerConfig['relays']
  readonly #node: Pick<Network['node'], 'getConnections'>
  readonly #services: Pick<ServiceHost, 'settled'>
  #current: 'starting' | 'running' | 'draining' = 'starting'

  constructor(
    { relays }: Pick<PeerConfig, 'relays'>,
    { node }: Pick<Network, 'node'>,
    services: Pick<ServiceHost, 'settled'>
  ) {
    this.#relays = relays
    this.#node = node
    this.#services = services
  }

  get draining(): boolean {
    return this.#current === 'draining'
  }

  run(): void {
    if (this.#current === 'starting') this.#current = 'running'
  }

  drain(): void {
    this.#current = 'draining'
  }

  get status(): PeerStatus {
    if (this.draining) return 'draining'
    return this.#current === 'running' && this.#joined && this.#services.settled() ? 'healthy' : 'starting'
  }

  get #joined(): boolean {
    return (
      this.#relays.length === 0 ||
      this.#node.getConnections().length > 0 ||
      performance.now() - this.startedAt > JOIN_TIMEOUT
    )
  }
}
