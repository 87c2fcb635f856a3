/**
 * `hedgerow doctor`: what works from this machine and what doesn't, from the name of a relay to each route that a frontend
 * calls. A check looks (in bounded time) and gives its findings to a pure function, which says what they mean and what to
 * do. Checks that don't wait for each other run at once; they are told in order.
 *
 * @example
 * ```ts
 * const report = await examine({ url: 'https://mesh.example.org', env: process.env }, signal)
 * for (const { title, state, found, fix } of report.checks) console.log(state, title, found, fix)
 * ```
 */
import type { Bootstrap } from '@hedgerow/daemon/discovery'
import type { DaemonSource } from '../../source/daemon.ts'
import type { Joined } from '../../source/join.ts'

export { examine } from './examine.ts'

/** `none`: not looked at, or nothing that this machine must have. */
export type State = 'well' | 'wrong' | 'none'

/** What a check says. */
export type Verdict = { state: 'well' | 'none'; found: string } | { state: 'wrong'; found: string; fix: string }

/** A verdict on one of the things that a check looks at, where there are several. */
export type Finding = Verdict & { title?: string }

export const CHECK_IDS = [
  'name',
  'relay',
  'websocket',
  'clock',
  'mesh',
  'credential',
  'join',
  'dht',
  'events',
  'reservation',
  'nat',
  'entry',
  'direct',
  'gpu',
  'docker',
  'routes'
] as const
export type CheckId = (typeof CHECK_IDS)[number]

export interface Check {
  id: CheckId
  /** what it looks at, in a word or two */
  title: string
  /** milliseconds it may take */
  limit: number
  /** checks that must have gone well; else there is nothing to look at */
  needs?: readonly CheckId[]
  /** checks that must have ended, however they did */
  after?: readonly CheckId[]
  /** what to do when it takes longer */
  late: string
  /** Throws what it can't make anything of. */
  look(visit: Visit, signal: AbortSignal): Promise<Verdict | Finding[]>
}

export interface DoctorInit {
  /** of a relay. @default the first of HEDGEROW_RELAY, else what the daemon of this machine knows */
  url?: string
  /** a daemon of this machine, where it isn't found by itself */
  daemon?: string
  /** an API key, of the relay for its routes */
  key?: string
  invite?: string
  credential?: string
  mesh?: string
  /** names or aliases of services whose routes are tried. @default all that ship, and all that the mesh knows */
  services?: readonly string[]
  env: Record<string, string | undefined>
  /** milliseconds since 1970. @default Date.now */
  now?(): number
  /** where Docker's socket may be. @default as HEDGEROW_DOCKER_SOCKET or DOCKER_HOST says, else where Docker and Podman have it */
  dockerSockets?: readonly string[]
  /** called for each result, in order */
  onResult?(result: Result): void
}

/** One examination; what a check found out is there for later ones. */
export interface Visit {
  readonly init: DoctorInit
  readonly url: URL
  now(): number
  /** the daemon of this machine */
  local?: DaemonSource
  relay?: RelayAnswer
  bootstrap?: Bootstrap
  /** resolves when this command is a peer of the mesh */
  joining?: Promise<Joined>
  joined?: Joined
  /** multiaddrs by which others saw this peer connect */
  observed: Set<string>
}

export interface RelayAnswer {
  status: string
  name: string
  /** its clock, in milliseconds since 1970; undefined where it doesn't say */
  date: number | undefined
  /** this machine's, half-way between question and answer */
  askedAt: number
}

export type Result = Finding & {
  check: CheckId
  title: string
  /** milliseconds it took */
  ms: number
}

export interface DoctorReport {
  url: string
  /** nothing is wrong */
  well: boolean
  checks: Result[]
  /** as the command ends: 0 all is well, 1 something is wrong, 3 nothing could be reached */
  exit_code: 0 | 1 | 3
}
