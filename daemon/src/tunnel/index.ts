/**
 * A way into this peer from the internet, where no port of it can be reached: runs Cloudflare's `cloudflared` and watches
 * it. A quick tunnel needs no account and has another name at every start; a named one has a token and keeps its name.
 * What it carries comes to a listener of its own on loopback, never to the local API.
 *
 * @example
 * ```ts
 * const tunnel = createTunnel({ mode: 'quick', port: 8090 }, { log })
 * tunnel.addListener(() => announce(tunnel.status().url))
 * tunnel.start()
 * await tunnel.stop()
 * ```
 */
import type { Logger } from 'pino'
import { GroupReaper } from '../runtime/reaper.ts'
import { TIMING, type Timing } from './constants.ts'
import { CloudflaredTunnel } from './supervisor.ts'

export type { Timing } from './constants.ts'

/** `quick`: no account, a new name at each start; `named`: made at Cloudflare, with a token. */
export type TunnelMode = 'quick' | 'named'

/**
 * - `starting`: the program runs and has no connection to Cloudflare yet
 * - `ready`: the world gets through
 * - `disconnected`: the program runs and has lost its connection
 * - `backing-off`: the program has ended or couldn't be run; it is started again in a while
 */
export type TunnelState = 'stopped' | 'starting' | 'ready' | 'disconnected' | 'backing-off'

export type TunnelProblemCode =
  | 'missing-program'
  | 'not-runnable'
  | 'bad-token'
  | 'rate-limited'
  | 'no-network'
  | 'no-connection'
  | 'hung'
  | 'exited'

export interface TunnelProblem {
  code: TunnelProblemCode
  /** what happened and what to do about it */
  message: string
}

export interface TunnelStatus {
  state: TunnelState
  /** where the world reaches this peer; only while it does */
  url?: string
  /** what is wrong, until the tunnel is ready again */
  problem?: TunnelProblem
}

interface CommonInit {
  /** on loopback, where what comes through the tunnel is served */
  port: number
  /** @default `cloudflared`, looked for in `PATH` */
  program?: string
  /** @default {@link TIMING} */
  timing?: Partial<Timing>
}

export type TunnelInit = CommonInit &
  (
    | { mode: 'quick' }
    | {
        mode: 'named'
        /** its public URL, as it was set at Cloudflare */
        url: string
        /** asked at each start, so that a new one counts. May reject with why there is none. */
        token(): Promise<string>
      }
  )

export interface TunnelComponents {
  log: Logger
  /** uniform in [0, 1). @default Math.random */
  random?(): number
}

export interface Tunnel {
  status(): TunnelStatus
  /** starts of the program after the first */
  readonly restarts: number
  /** Runs the program from now on, whatever happens to it. */
  start(): void
  /** Ends the program. */
  stop(): Promise<void>
  /** called after each change of {@link status} */
  addListener(listener: () => void): () => void
}

export function createTunnel(init: TunnelInit, { log, random = Math.random }: TunnelComponents): Tunnel {
  const timing = { ...TIMING, ...init.timing }
  return new CloudflaredTunnel(init, { log, random, timing, reaper: new GroupReaper(log) })
}
