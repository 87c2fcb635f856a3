import { Pool } from 'undici'
import { CONNECT_TIMEOUT, MAX_HEAD } from './constants.ts'
import type { HttpTarget } from './index.ts'

/** Kept-alive connections to one backend. How many there are follows from its admission. */
export class BackendConnection {
  readonly target: HttpTarget
  readonly pool: Pool

  constructor(target: HttpTarget) {
    this.target = target
    this.pool = new Pool(target.origin, {
      allowH2: false,
      pipelining: 1,
      maxHeaderSize: MAX_HEAD,
      connectTimeout: CONNECT_TIMEOUT,
      headersTimeout: 0,
      bodyTimeout: 0
    })
  }

  /** Ends what is under way, too. */
  destroy(): void {
    this.pool.destroy().catch(() => {})
  }
}
