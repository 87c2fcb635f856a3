import { MeshError } from '@hedgerow/protocols/errors'
import { MAX_RETRY_AFTER, MIN_RETRY_AFTER } from './constants.ts'
import type {
  AcquireOptions,
  Admission,
  AdmissionInit,
  AdmissionLoad,
  AdmissionTotals,
  Outcome,
  Permit
} from './index.ts'
import { Measurements } from './measurements.ts'

interface Waiter {
  since: number
  grant(permit: Permit): void
  refuse(error: MeshError): void
}

export class QueueingAdmission implements Admission {
  readonly #init: AdmissionInit
  readonly #measured: Measurements
  /** in order of arrival; a set, so that one that leaves is out at once */
  readonly #waiting = new Set<Waiter>()
  readonly #totals: AdmissionTotals = { admitted: 0, done: 0, failed: 0, cancelled: 0, refused: 0 }
  #inFlight = 0
  #changed = false
  #drained: PromiseWithResolvers<void> | undefined

  constructor(init: AdmissionInit) {
    this.#init = init
    this.#measured = new Measurements(init.clock)
  }

  acquire({ signal, deadline }: AcquireOptions): Permit | Promise<Permit> {
    const { service, clock, concurrency, queue } = this.#init
    if (signal.aborted) throw clientGone(service)
    if (this.#drained != null) throw draining(service)
    const now = clock.now()
    if (deadline != null && deadline <= now) throw deadlinePassed(service)
    if (this.#inFlight < concurrency && this.#waiting.size === 0) return this.#admit(now, now)
    if (this.#waiting.size >= queue) {
      this.#totals.refused++
      const retryAfter = this.#retryAfter()
      throw new MeshError(
        'Busy',
        `${service} runs ${this.#inFlight} requests here and ${this.#waiting.size} wait; ask again in ${retryAfter} s`,
        { service, retry_after: retryAfter }
      )
    }
    return this.#wait(signal, now, deadline)
  }

  drain(): Promise<void> {
    this.#drained ??= Promise.withResolvers()
    this.#settleDrain()
    return this.#drained.promise
  }

  abandon(): void {
    this.#drained ??= Promise.withResolvers()
    this.refuseWaiting(draining(this.#init.service))
  }

  refuseWaiting(error: MeshError): void {
    for (const waiter of [...this.#waiting]) waiter.refuse(error)
  }

  load(): AdmissionLoad {
    return {
      inFlight: this.#inFlight,
      queued: this.#waiting.size,
      concurrency: this.#init.concurrency,
      latency: this.#measured.latency,
      errorRate: this.#measured.errorRate()
    }
  }

  totals(): AdmissionTotals {
    return { ...this.#totals }
  }

  changed(): boolean {
    const changed = this.#changed
    this.#changed = false
    return changed
  }

  #wait(signal: AbortSignal, since: number, deadline: number | undefined): Promise<Permit> {
    const { service, clock } = this.#init
    return new Promise((resolve, reject) => {
      const onAbort = (): void => waiter.refuse(clientGone(service))
      const leave = (): void => {
        this.#waiting.delete(waiter)
        this.#changed = true
        signal.removeEventListener('abort', onAbort)
        clock.clearTimeout(timer)
        this.#settleDrain()
      }
      const waiter: Waiter = {
        since,
        grant(permit) {
          leave()
          resolve(permit)
        },
        refuse(error) {
          leave()
          reject(error)
        }
      }
      const timer =
        deadline == null ? undefined : clock.setTimeout(() => waiter.refuse(deadlinePassed(service)), deadline - since)
      signal.addEventListener('abort', onAbort, { once: true })
      this.#waiting.add(waiter)
      this.#changed = true
    })
  }

  #admit(since: number, now: number): Permit {
    this.#inFlight++
    this.#totals.admitted++
    this.#changed = true
    let begun = false
    let over = false
    return {
      waited: now - since,
      firstByte: () => {
        if (begun || over) return
        begun = true
        this.#measured.firstByte(this.#init.clock.now() - now)
      },
      release: outcome => {
        if (over) return
        over = true
        this.#release(outcome, this.#init.clock.now() - now)
      }
    }
  }

  #release(outcome: Outcome, duration: number): void {
    this.#inFlight--
    this.#totals[outcome]++
    this.#changed = true
    this.#measured.finished(outcome, duration)
    this.#admitNext()
    this.#settleDrain()
  }

  #admitNext(): void {
    while (this.#inFlight < this.#init.concurrency) {
      const [next] = this.#waiting
      if (next == null) return
      next.grant(this.#admit(next.since, this.#init.clock.now()))
    }
  }

  #settleDrain(): void {
    if (this.#inFlight === 0 && this.#waiting.size === 0) this.#drained?.resolve()
  }

  /** Seconds until a place in the queue is likely free: the time that those before it need, shared by the places. */
  #retryAfter(): number {
    const { concurrency } = this.#init
    const ahead = this.#waiting.size + 1
    const seconds = (this.#measured.duration * ahead) / concurrency / 1000
    return Math.min(MAX_RETRY_AFTER, Math.max(MIN_RETRY_AFTER, Math.ceil(seconds)))
  }
}

const clientGone = (service: string): MeshError =>
  new MeshError('ClientGone', `the caller left before ${service} took the request`, { service })

const deadlinePassed = (service: string): MeshError =>
  new MeshError('Deadline', `the request's time was up before ${service} had room for it`, {
    service,
    retry_safe: true
  })

const draining = (service: string): MeshError =>
  new MeshError('Draining', `${service} is stopping here; another worker may have it`, { service })
