/**
 * Bounds what a service takes on at once: so many requests run, so many wait in order, and one more is refused at once
 * with `Busy`, so that its ingress can ask another worker instead of queueing blindly.
 *
 * @example
 * ```ts
 * const admission = createAdmission({ service: 'ner', concurrency: 4, queue: 32, clock })
 * const permit = await admission.acquire({ signal })
 * try {
 *   const answer = await work()
 *   permit.firstByte()
 *   await send(answer)
 *   permit.release('done')
 * } catch (err) {
 *   permit.release('failed')
 * }
 * ```
 */
import type { MeshError } from '@hedgerow/protocols/errors'
import type { Clock } from '../clock/index.ts'
import { QueueingAdmission } from './admission.ts'

export interface AdmissionInit {
  /** for the errors */
  service: string
  /** requests that may run at once */
  concurrency: number
  /** requests that may wait; one more is refused */
  queue: number
  clock: Clock
}

export interface AcquireOptions {
  /** aborted when the caller leaves: a request that still waits is dropped */
  signal: AbortSignal
  /** milliseconds of the clock after which waiting makes no sense */
  deadline?: number
}

/**
 * - `done`: answered
 * - `failed`: the worker or its backend failed
 * - `cancelled`: the caller left or was at fault, which says nothing about the worker
 */
export type Outcome = 'done' | 'failed' | 'cancelled'

/** The right to run one request. */
export interface Permit {
  /** milliseconds that the request waited for it */
  readonly waited: number
  /** the answer has begun: what a load report's latency is measured to */
  firstByte(): void
  /** ends the request; only the first call counts */
  release(outcome: Outcome): void
}

export interface AdmissionLoad {
  /** requests that run now */
  inFlight: number
  /** requests that wait */
  queued: number
  /** how many may run at once */
  concurrency: number
  /** milliseconds from admission to the first byte, exponentially weighted; 0 before the first request */
  latency: number
  /** share of requests that failed, exponentially weighted, fading while nothing happens; 0 to 1 */
  errorRate: number
}

export interface AdmissionTotals {
  admitted: number
  done: number
  failed: number
  cancelled: number
  /** turned away with `Busy` */
  refused: number
}

export interface Admission {
  /**
   * A permit: at once where there is room, else a promise of one.
   *
   * @throws {MeshError} (or rejects with it) `Busy`, `Draining`, `Deadline` or `ClientGone`; nothing was executed then
   */
  acquire(options: AcquireOptions): Permit | Promise<Permit>
  /** Refuses new requests from now on. Resolves when those that run and those that wait are through. */
  drain(): Promise<void>
  /** Refuses new requests and those that wait. */
  abandon(): void
  /** Refuses those that wait now, with this error; new ones are taken as before. */
  refuseWaiting(error: MeshError): void
  load(): AdmissionLoad
  totals(): AdmissionTotals
  /** whether a number of {@link load} has changed since the last call */
  changed(): boolean
}

export function createAdmission(init: AdmissionInit): Admission {
  return new QueueingAdmission(init)
}
