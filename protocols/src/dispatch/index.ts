/**
 * Chooses a worker for one request, sends it, and chooses another when that fails.
 *
 * Dispatch knows peers only through the interfaces below, so the whole of it runs in a test with a fake clock and no
 * network, in Node and in a page.
 *
 * @example
 * ```ts
 * const dispatcher = createDispatcher({ view, finder, invoker, pinger, clock, random: Math.random, self })
 * const answer = await dispatcher.dispatch({ service: 'ner', method: 'POST', path: '/', headers, body, signal })
 * answer.status; answer.worker; answer.attempts
 * for await (const chunk of answer.body) res.write(chunk)
 *
 * const { connection } = await dispatcher.connect({ service: 'postgresql', signal }, openConnection)
 * ```
 */
import type { ServiceContract } from '../contract/index.ts'
import type { ForwardRequest } from '../forward/index.ts'
import type {
  Body,
  Headers,
  IncomingAnswer,
  InvokeOptions,
  Invoker,
  Path,
  Route,
  Transport
} from '../invocation/index.ts'
import type { DispatchSpan } from '../tracing/index.ts'
import type { CandidateSource } from '../view/index.ts'

export { createDispatcher } from './dispatcher.ts'

export interface DispatchRequest {
  /** {@link HEADERS.requestId}; made when left out */
  id?: string
  /** name or alias */
  service: string
  method: string
  /** path and query below the service; `/` for its main operation */
  path: string
  headers: Headers
  /** an iterable is read as far as is needed, and never closed: it may be a socket on which the answer has yet to go out */
  body: Body
  /** aborted when the caller leaves */
  signal: AbortSignal
  /** milliseconds that the caller will wait for the whole answer. @default no limit of its own */
  timeout?: number
  /** only this peer may answer */
  worker?: string
  /** only workers that hold this may answer, as in `model/llama3` */
  resource?: string
  /** only workers that may see data of this class may answer. @default what the service asks for, else anybody */
  dataClass?: string
  /**
   * Called when it is known what the service is, which may be after looking for it: what it throws refuses the request
   * before any of it is sent.
   */
  check?(contract: ServiceContract): void
  /** how many calls this one is nested in. @default 0 */
  depth?: number
  /** `service/{name}` when a service calls on its own account, which alone may use internal operations */
  caller?: string
  /** of a nested call: which classes of data its caller may see. @default those of whoever sends it */
  callerClasses?: readonly string[]
  /** the caller vouches that doing it twice does no harm (`Idempotency-Key`), whatever the operation declares */
  repeatable?: boolean
  /** the caller's W3C traceparent, continued; a new trace when left out or malformed */
  traceparent?: string
  /** what is recorded of the request: each attempt becomes a child of it, and the trace is its. @default nothing */
  span?: DispatchSpan | undefined
}

/** A connection to a service that speaks TCP. */
export interface ConnectRequest
  extends Pick<
    DispatchRequest,
    'id' | 'service' | 'signal' | 'worker' | 'resource' | 'dataClass' | 'check' | 'depth' | 'caller' | 'traceparent'
  > {}

/** A connection as dispatch sees it: what passes on it is no business of its own. */
export interface RawConnection {
  /** how the worker was reached, where that is known */
  route?: Route
  /** resolves when it has ended in order, rejects when it was reset */
  closed: Promise<void>
}

/**
 * Opens a connection to one worker. The signal resets it, also when it is open already.
 *
 * @throws {MeshError} what the worker refuses with, or an `InvocationError`
 */
export type OpenConnection<C extends RawConnection> = (
  peerId: string,
  request: ForwardRequest,
  options: InvokeOptions
) => Promise<C>

export interface Connected<C extends RawConnection>
  extends Pick<DispatchAnswer, 'requestId' | 'worker' | 'attempts' | 'route' | 'traceparent'> {
  connection: C
}

export interface DispatchAnswer extends IncomingAnswer {
  requestId: string
  /** as in `POST /extract` */
  operation: string
  /** peer id of who answered */
  worker: string
  attempts: number
  route: Route
  traceparent: string
}

export interface Dispatcher {
  /**
   * Resolves with the head of the answer (for an idempotent operation: when it is complete or exceeds 64 KiB).
   *
   * @throws {MeshError} when no worker could answer
   */
  dispatch(request: DispatchRequest): Promise<DispatchAnswer>
  /**
   * Chooses a worker of a service that speaks TCP and opens a connection to it; another one when that fails. Once it is
   * open there is no other: what has passed can't be repeated. Aborting the signal resets it.
   *
   * @throws {MeshError} when no worker took it
   */
  connect<C extends RawConnection>(request: ConnectRequest, open: OpenConnection<C>): Promise<Connected<C>>
  /** the decision for one request; kept for a while, then forgotten */
  explain(requestId: string): Explanation | undefined
  /** totals since the start */
  stats(): DispatchStats
  /** what this peer itself experiences with another, for the admin routes and metrics */
  experience(peerId: string): PeerExperience | undefined
  /** clears timers; requests under way go on */
  stop(): void
}

export interface DispatcherComponents {
  view: CandidateSource
  invoker: Invoker
  /** asks the DHT for workers of a service that the view doesn't know */
  finder: Finder
  pinger: Pinger
  clock: Clock
  /** uniform in [0, 1) */
  random(): number
  /** this peer's id, and how to serve a request here; left out by peers that run no services */
  local?: { peerId: string; serve: Invoker['invoke'] }
}

export interface Finder {
  /**
   * Looks for workers of a service outside the view and teaches them to the view. Resolves with whether any was found,
   * as soon as the first is known.
   */
  find(service: string, signal: AbortSignal): Promise<boolean>
}

export interface Pinger {
  /** @returns milliseconds of the round trip; rejects when it fails */
  ping(peerId: string, signal: AbortSignal): Promise<number>
}

/** Time as dispatch sees it, so that tests can make it. */
export interface Clock {
  /** milliseconds of a clock that never goes back */
  now(): number
  setTimeout(callback: () => void, milliseconds: number): unknown
  clearTimeout(handle: unknown): void
  /** milliseconds since 1970, for what people read. @default Date.now */
  date?(): number
}

/** `GET /explain/{request_id}`; in snake_case because it is shown as it is. Times in milliseconds. */
export interface Explanation {
  request_id: string
  service: string
  operation: string
  /** ISO 8601 */
  at: string
  /** where the candidates came from */
  source: 'view' | 'dht' | 'local' | 'pinned'
  candidates: ExplainedCandidate[]
  chosen: string | null
  attempts: ExplainedAttempt[]
  outcome: string
  path: Path | null
  transport: Transport | null
  timing: { total_ms: number | null; lookup_ms: number; first_byte_ms: number | null }
}

export interface ExplainedCandidate {
  peer_id: string
  /** expected milliseconds to the first byte, the smaller the better; null when rejected */
  score: number | null
  /** why it was not considered */
  rejected?: string
  /** the parts of the score */
  latency_ms?: number
  round_trip_ms?: number
  in_flight?: number
  queued?: number
  concurrency?: number
  penalty?: number
}

export interface ExplainedAttempt {
  peer_id: string
  /** `answered`, the code of the error, `abandoned` (not the worker's fault), or `pending` */
  outcome: string
  detail?: string
  status?: number
  path: Path | null
  transport: Transport | null
  /** why this worker: `picked`, `new` (never tried before), `retry`, `hedge`, `pinned`, `only` */
  reason: string
  ms: number
}

export interface DispatchStats {
  local_requests: number
  forwarded_requests: number
  /** the view had a candidate */
  cache_hits: number
  cache_misses: number
  dht_lookups: number
  failed_requests: number
  retried_requests: number
  hedged_requests: number
  per_service: Record<
    string,
    { requests: number; failed: number; retried: number; in_flight: number; latency_ms: number }
  >
}

export interface PeerExperience {
  peer_id: string
  in_flight: number
  /** milliseconds; null before the first measurement */
  round_trip_ms: number | null
  consecutive_failures: number
  /** ejected from routing for this many more milliseconds; 0 = in routing */
  ejected_for_ms: number
  ejections: number
  /** an ejection here concerns the one service; the fields above concern the peer */
  per_service: Record<
    string,
    { latency_ms: number; in_flight: number; consecutive_failures: number; ejected_for_ms: number }
  >
}
