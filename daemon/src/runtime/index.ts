/**
 * Runs services: starts the backend behind one, watches it, starts it again when it fails, and passes requests to it,
 * as many as its admission allows. A backend is an HTTP server, or one of raw TCP; this module neither knows what it does nor
 * trusts it: it may crash, hang, answer halves or floods, and only its own requests suffer.
 *
 * @example
 * ```ts
 * const instance = createServiceInstance({ manifest, environment, clock: systemClock, random: Math.random, log, reaper })
 * instance.addListener(() => advertise(instance.ready, instance.resources))
 * instance.start()
 *
 * const match = matchOperation(manifest.contract, 'POST', '/')
 * const answer = await instance.invoke({ operation: match.operation, path: match.path, method, headers, body }, { signal })
 * for await (const chunk of answer.body) res.write(chunk)
 *
 * await instance.drain()
 * await instance.stop()
 * ```
 */
import type { Operation } from '@hedgerow/protocols/contract'
import type { Headers, IncomingAnswer, OutgoingRequest } from '@hedgerow/protocols/invocation'
import type { Span } from '@hedgerow/protocols/tracing'
import type { Logger } from 'pino'
import type { AdmissionLoad, AdmissionTotals } from '../admission/index.ts'
import type { Clock } from '../clock/index.ts'
import type { ContainerEngine } from '../containers/index.ts'
import type { BackendSpec, ServiceManifest } from '../manifest/index.ts'
import { ContainerLauncher } from './container.ts'
import { HostedService } from './instance.ts'
import type { Launcher } from './launcher.ts'
import { ProcessLauncher } from './process.ts'
import { GroupReaper } from './reaper.ts'
import { RunningServer } from './running-server.ts'
import { Supervisor } from './supervisor.ts'
import type { TcpConnection } from './tcp-connections.ts'

export type { ConnectionEnd, TcpConnection } from './tcp-connections.ts'

/**
 * - `starting`: launched, no healthy answer yet
 * - `healthy`: serves
 * - `unhealthy`: runs, but says that it can't work, or doesn't answer
 * - `backing-off`: ended or was ended; launched again in a while
 * - `draining`: finishes what it has in hand, and isn't launched again
 */
export const BACKEND_STATES = ['stopped', 'starting', 'healthy', 'unhealthy', 'backing-off', 'draining'] as const
export type BackendState = (typeof BACKEND_STATES)[number]

/** Where a backend's server is. */
export type Target = HttpTarget | TcpTarget

export interface HttpTarget {
  protocol: 'http'
  /** as in `http://127.0.0.1:11434` */
  origin: string
  /** put before every path; empty or `/some/where` */
  prefix: string
}

export interface TcpTarget {
  protocol: 'tcp'
  /** a name, or an IP address without brackets */
  host: string
  port: number
}

/** The server behind a service, watched. */
export interface Backend {
  readonly state: BackendState
  /** where requests go; undefined while there is nothing to send them to */
  readonly target: Target | undefined
  /** launches it, unless it runs already */
  start(): void
  /** A request failed in a way that puts it in doubt: looks at its health now, not at the next interval. */
  suspect(): void
  /** It may go on, but isn't launched again. */
  drain(): void
  /** Ends it: asks, waits, then kills it with all that it started. */
  stop(): Promise<void>
  report(): BackendReport
  /** called after each change of {@link state} */
  addListener(listener: (change: BackendChange) => void): () => void
}

export interface BackendChange {
  state: BackendState
  previous: BackendState
  /** why, where something went wrong */
  reason?: string
}

/** For `inspect`. */
export interface BackendReport {
  type: BackendSpec['type']
  state: BackendState
  /** milliseconds that it has been in this state */
  since: number
  /** as in `http://127.0.0.1:11434` or `tcp://127.0.0.1:5432` */
  origin: string | undefined
  pid: number | undefined
  /** the id of its container */
  container: string | undefined
  /** launches after the first */
  restarts: number
  /** the last thing that went wrong */
  lastError: { at: Date; message: string } | undefined
  /** the last lines it wrote to stderr, without any secret of ours but as it wrote them */
  stderr: string[]
}

/** What a process is told about the mesh. */
export interface BackendEnvironment {
  peerId: string
  /** where it can call other services */
  meshUrl: string
  /** the context for what a service does on its own account */
  serviceContext(service: string): string
  /** the folder under which each service that keeps state has its own */
  stateDir: string
}

export interface RuntimeComponents {
  clock: Clock
  /** uniform in [0, 1) */
  random(): number
  log: Logger
  environment: BackendEnvironment
  reaper: Reaper
  /** runs containers. @default none: services in containers can't be launched */
  containers?: ContainerEngine
  /** milliseconds that a process has to end when it is stopped. @default 10,000 */
  stopGrace?: number
}

/** Ends the processes of a daemon that is gone without a word (`kill -9`, a crash). One for all of a daemon's. */
export interface Reaper {
  /** @param pid the leader of a process group */
  add(pid: number): void
  drop(pid: number): void
  /** ends the reaper itself; the groups it still knows are killed */
  stop(): void
}

/** A request as a peer sent it, matched to an operation of the contract. */
export interface ServiceRequest extends OutgoingRequest {
  operation: Operation
  /** path and query as the backend knows them ({@link OperationMatch.path}) */
  path: string
  /** headers that the daemon itself vouches for; what a caller names `hedgerow-*` is dropped */
  stamp?: Headers
  /** called once it is admitted: what is recorded of the exchange with the backend. @default nothing */
  begin?(): Span
}

export interface ServiceInvokeOptions {
  /** aborted when the caller leaves: the backend's request is aborted too */
  signal: AbortSignal
  /** milliseconds that the caller will wait for the whole answer; told to the backend as `Hedgerow-Timeout` */
  timeout?: number
}

export interface ServiceAnswer extends IncomingAnswer {
  /** milliseconds */
  timing: {
    /** waiting for admission */
    queue: number
    /** from there to the first byte */
    backend: number
  }
}

/** One service as this worker runs it. */
export interface ServiceInstance {
  readonly manifest: ServiceManifest
  readonly state: BackendState
  /** healthy, and known what it holds if it says so: may be advertised */
  readonly ready: boolean
  /** what it has loaded or holds, sorted; empty unless {@link ready} */
  readonly resources: readonly string[]
  start(): void
  /**
   * Passes a request to the backend. Resolves with the head of the answer.
   *
   * @throws {MeshError} `Loading`, `NotServed`, `NotHttp`, `Busy`, `Draining`, `Deadline`, `ClientGone`, `BodyTooLarge`, `Malformed`,
   * `BackendFailed`, `FirstByteTimeout`; reading the body may throw `BackendFailed`, `ChunkTimeout`, `Deadline` and
   * `ClientGone`. `details.retry_safe` says whether sending the request again can do no harm.
   */
  invoke(request: ServiceRequest, options: ServiceInvokeOptions): Promise<ServiceAnswer>
  /**
   * Opens a connection to the backend, of a service that speaks TCP. It counts as a request in hand until it ends.
   *
   * @param options.signal aborted when the caller leaves: the connection is reset, also when it is open already
   * @throws {MeshError} `Loading`, `NotServed`, `NotTcp`, `Busy`, `Draining`, `ClientGone`, `BackendFailed`
   */
  connect(options: { signal: AbortSignal; requestId: string }): Promise<TcpConnection>
  load(): AdmissionLoad
  /** whether a number of {@link load} has changed since the last call */
  loadChanged(): boolean
  /** Refuses new requests. Resolves when those in hand are through; connections of TCP are reset after 25 s. */
  drain(): Promise<void>
  /** Ends what still runs, and the backend. It can be started again. */
  stop(): Promise<void>
  inspect(): InstanceReport
  /** called when {@link state}, {@link ready} or {@link resources} has changed */
  addListener(listener: () => void): () => void
}

export interface InstanceReport {
  service: string
  version: string
  file: string
  ready: boolean
  resources: readonly string[]
  backend: BackendReport
  load: AdmissionLoad
  totals: AdmissionTotals
}

export interface ServiceInstanceInit extends RuntimeComponents {
  manifest: ServiceManifest
}

/**
 * @param busy whether it has requests in hand
 * @param gone called as soon as a process is known to have ended, before anything else is done about it
 */
export function createBackend(
  manifest: ServiceManifest,
  components: RuntimeComponents,
  busy: () => boolean,
  gone: () => void
): Backend {
  return new Supervisor(manifest, createLauncher(manifest, components), components, busy, gone)
}

function createLauncher(manifest: ServiceManifest, components: RuntimeComponents): Launcher {
  const spec = manifest.backend
  switch (spec.type) {
    case 'process':
      return new ProcessLauncher(manifest, spec, components)
    case 'container':
      if (components.containers == null) throw new Error('a service in a container needs an engine')
      return new ContainerLauncher(manifest, spec, components.containers, components)
    case 'url':
      return new RunningServer('url', { protocol: 'http', origin: spec.origin, prefix: spec.prefix })
    case 'tcp':
      return new RunningServer('tcp', { protocol: 'tcp', host: spec.host, port: spec.port })
  }
}

export function createServiceInstance(init: ServiceInstanceInit): ServiceInstance {
  return new HostedService(init)
}

export function createReaper(log: Logger): Reaper {
  return new GroupReaper(log)
}
