import { type MeshError, statusOf, type Trail } from '../errors/index.ts'
import { HEADERS } from '../ids/index.ts'
import type { Headers } from '../invocation/index.ts'
import type { AttemptSpan } from '../tracing/index.ts'
import { Alarm } from './alarm.ts'
import { type Abandoned, type Abandonment, type Answered, Attempt, type AttemptOwner, type Result } from './attempt.ts'
import { BACKOFF, HEDGE_FLOOR, HEDGE_MIN_SAMPLES, LOOK_INTERVAL, MAX_RECORDED_CANDIDATES } from './constants.ts'
import type { Engine } from './engine.ts'
import type { Prospect } from './experience.ts'
import { timeoutHeader } from './headers.ts'
import type { DispatchAnswer } from './index.ts'
import { blame, learn } from './judge.ts'
import { type Failure, failure } from './outcome.ts'
import type { Plan } from './plan.ts'
import { type AttemptRecord, attemptRecord, type Decision, type Outcome, type Reason } from './records.ts'
import { type RequestBody, requestBody } from './request-body.ts'
import { retryCost } from './retry.ts'
import { selectFirst, selectIdle, selectionInput, selectNext, selectOnly } from './selection.ts'
import { type Context, meshError, nobodyIn, verdict } from './verdict.ts'

/**
 * One request from its first attempt to the last byte of its answer. Everything that happens to it (an answer, a
 * failure, time, the caller leaving) comes in as a call, and is dealt with to the end before the next one.
 */
export class Exchange implements AttemptOwner {
  private readonly engine: Engine
  private readonly plan: Plan
  private readonly decision: Decision
  private readonly alarm: Alarm
  private readonly body: RequestBody
  private readonly failures: Failure[] = []
  /** attempts that haven't ended */
  private readonly active = new Set<Attempt>()
  private readonly tried = new Set<Prospect['peer']>()
  private hedgeAt = Infinity
  private lookAt = Infinity
  private resumeAt = Infinity
  private backoffs = 0
  private delivered = false
  private over = false
  private resolve: (answer: DispatchAnswer) => void = () => {}
  private reject: (error: MeshError) => void = () => {}

  /** @throws {MeshError} `BodyTooLarge` */
  constructor(engine: Engine, plan: Plan, decision: Decision) {
    this.engine = engine
    this.plan = plan
    this.decision = decision
    this.alarm = new Alarm(engine.clock, () => this.ring())
    this.body = requestBody(plan.request.body, plan.operation.bodyLimit, error =>
      this.giveUp(error, error.code === 'BodyTooLarge' ? 'BodyTooLarge' : 'ClientGone')
    )
  }

  run(): Promise<DispatchAnswer> {
    return new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
      this.plan.service.inFlight++
      const { signal } = this.plan.request
      if (signal.aborted) return this.leave()
      if (this.engine.clock.now() >= this.plan.deadline) return this.expire()
      signal.addEventListener('abort', this.leave)
      this.alarm.set(this.plan.deadline)
      this.begin()
    })
  }

  // From an attempt

  settled(attempt: Attempt, result: Result): void {
    const { operationName: operation, window } = this.plan
    const connected = result.kind !== 'refused' || this.engine.connected(attempt.record.peerId)
    learn({ attempt, result, operation, window, connected, now: this.engine.clock.now() })
    if (result.kind === 'answered') {
      if (result.complete != null) this.release(attempt, 'answered')
      this.deliver(attempt, result)
      return
    }
    if (result.kind === 'abandoned') {
      this.release(attempt, 'abandoned', result.reason)
      return
    }
    this.release(attempt, result.code, result.detail)
    this.failures.push(result)
    // While another attempt is under way, it may still answer.
    if (this.active.size === 0 && !this.over) this.recover(result)
  }

  finished(attempt: Attempt, end: Failure | Abandoned | undefined): void {
    if (end == null) {
      this.release(attempt, 'answered')
      this.close('answered')
    } else if (end.kind === 'abandoned') {
      this.release(attempt, 'abandoned', end.reason)
      this.close(end.reason === 'Outrun' ? 'answered' : end.reason)
    } else {
      blame(attempt, end, true, this.engine.clock.now())
      this.release(attempt, end.code, end.detail)
      this.close(end.code)
    }
  }

  /** Not a failure yet: whichever of the two answers first is taken. */
  doubted(attempt: Attempt): void {
    const { plan, engine, body } = this
    if (this.over || this.active.size !== 1 || !this.active.has(attempt)) return
    if (!plan.repeatable || !body.replayable || !body.complete) return
    const next = selectNext(selectionInput(engine, plan), this.tried)
    if (next == null || !plan.service.budget.spend(1, engine.clock.now())) return
    this.hedgeAt = Infinity
    engine.totals.hedged++
    this.launch(next, 'hedge')
  }

  wake(time: number): void {
    if (!this.over) this.alarm.set(time)
  }

  explain(reason: Failure): MeshError {
    return meshError(reason, this.context)
  }

  // Choosing and sending

  private begin(): void {
    const { decision, plan, engine } = this
    const selection = selectFirst(selectionInput(engine, plan))
    decision.scores = selection.scores
    decision.rejected = selection.rejected.slice(0, MAX_RECORDED_CANDIDATES)
    for (const { peer, dialled } of selection.returning)
      if (dialled || engine.connected(peer.peerId)) engine.heartbeats.probe(peer)
    for (const peer of selection.unheard) if (engine.connected(peer.peerId)) engine.heartbeats.check(peer)
    if (selection.chosen == null) {
      for (const peer of selection.wedged) engine.heartbeats.watch(peer)
      this.giveUp(nobodyIn(selection, plan.needs, this.context))
      return
    }
    // Who vouches for a repetition expects it after a failure, not beside the first.
    if (plan.operation.idempotent && plan.window.count >= HEDGE_MIN_SAMPLES)
      this.hedgeAt = engine.clock.now() + Math.max(HEDGE_FLOOR, plan.window.high)
    if (plan.repeatable) this.lookAt = engine.clock.now() + LOOK_INTERVAL
    this.launch(selection.chosen, selection.reason)
    this.wake(Math.min(this.hedgeAt, this.lookAt))
  }

  private launch(prospect: Prospect, reason: Reason): void {
    const { engine, plan } = this
    const { peer, track } = prospect
    const now = engine.clock.now()
    const record = attemptRecord(peer.peerId, reason, now)
    this.decision.attempts.push(record)
    this.tried.add(peer)
    track.tried = true
    track.inFlight++
    peer.health.beginTrial()
    track.health.beginTrial()
    const { firstByteTimeout, chunkTimeout } = plan.operation
    const span = plan.request.span?.attempt(plan, record, this.decision.attempts.length)
    const attempt = new Attempt(
      {
        prospect,
        record,
        span,
        now: () => engine.clock.now(),
        firstByteTimeout,
        chunkTimeout,
        withhold: plan.withhold
      },
      this
    )
    this.active.add(attempt)
    engine.heartbeats.enter(peer, attempt)
    engine.heartbeats.measure(peer)
    const body = this.body.open(attempt)
    attempt.start(plan.invoke ?? engine.invoke, {
      method: plan.request.method,
      path: plan.path,
      headers: this.headers(now, span),
      body
    })
  }

  private headers(now: number, span: AttemptSpan | undefined): Headers {
    const { deadline } = this.plan
    // Most requests are sent once: only a further attempt needs headers of its own.
    const headers = this.tried.size === 1 ? this.plan.headers : { ...this.plan.headers }
    if (span != null) headers[HEADERS.traceparent] = span.traceparent
    if (deadline !== Infinity) headers[HEADERS.timeout] = timeoutHeader(deadline - now)
    return headers
  }

  private release(attempt: Attempt, outcome: AttemptRecord['outcome'], detail?: string): void {
    const { engine } = this
    const { record } = attempt
    const { peer, track } = attempt.prospect
    if (!this.active.delete(attempt)) return
    track.inFlight--
    engine.heartbeats.leave(peer, attempt)
    record.outcome = outcome
    record.detail = detail
    record.endedAt = engine.clock.now()
    record.route ??= engine.route(peer.peerId)
    attempt.span?.end(attempt)
  }

  // What happens

  private deliver(attempt: Attempt, answered: Answered): void {
    const { plan, decision, engine } = this
    const { record } = attempt
    this.delivered = true
    this.hedgeAt = Infinity
    for (const other of [...this.active]) if (other !== attempt) other.abandon('Outrun')
    record.route ??= engine.route(record.peerId)
    decision.chosen = record
    decision.firstByteAt = attempt.headAt
    engine.totals.answered(record.route)
    this.body.settle()
    const { status, headers, complete, body } = answered
    if (complete != null) this.close('answered')
    this.resolve({
      status,
      headers,
      complete,
      body,
      requestId: plan.requestId,
      operation: plan.operationName,
      worker: record.peerId,
      attempts: decision.attempts.length,
      route: record.route,
      traceparent: plan.traceparent
    })
  }

  private recover(reason: Failure): void {
    const { plan, engine, decision, body } = this
    const cost = retryCost({
      failure: reason,
      repeatable: plan.repeatable,
      replayable: body.replayable,
      attempts: decision.attempts.length
    })
    const retry = cost == null ? undefined : this.another(reason)
    if (cost == null || retry == null || !plan.service.budget.spend(cost, engine.clock.now())) {
      this.giveUp(verdict(this.failures, this.context))
      return
    }
    plan.service.retried++
    engine.totals.retried++
    this.hedgeAt = Infinity
    retry()
  }

  /** How to go on after a failure: with another worker, or with the only one after a while; undefined when there is no use. */
  private another({ code }: Failure): (() => void) | undefined {
    const { engine, plan } = this
    const input = selectionInput(engine, plan)
    const next = selectNext(input, this.tried)
    if (next != null) return () => this.launch(next, 'retry')
    const base = BACKOFF[this.backoffs]
    if (base == null || code === 'WorkerWedged' || code === 'Draining' || code === 'NotServed') return undefined
    const at = input.now + base * (0.5 + engine.random() / 2)
    if (selectOnly(input) == null || at >= plan.deadline) return undefined
    return () => {
      this.resumeAt = at
      this.wake(at)
    }
  }

  private resume(): void {
    const { engine, plan } = this
    this.resumeAt = Infinity
    this.backoffs++
    const sole = selectOnly(selectionInput(engine, plan))
    if (sole == null) this.giveUp(verdict(this.failures, this.context))
    else this.launch(sole, 'retry')
  }

  private hedge(): void {
    const { plan, engine, body } = this
    this.hedgeAt = Infinity
    const [slow] = this.active
    if (this.active.size !== 1 || slow?.headAt != null || !body.replayable || !body.complete) return
    const idle = selectIdle(selectionInput(engine, plan), this.tried)
    if (idle == null || !plan.service.budget.spend(1, engine.clock.now())) return
    engine.totals.hedged++
    this.launch(idle, 'hedge')
  }

  /** What has become of the worker's offer, while its answer is waited for? */
  private look(now: number): void {
    const { plan, engine, delivered } = this
    this.lookAt = delivered ? Infinity : now + LOOK_INTERVAL
    const [attempt] = this.active
    if (delivered || attempt == null || attempt.headAt != null) return
    const offers = engine.view.candidates(plan.service.name)
    if (!offers.some(({ peerId }) => peerId === attempt.record.peerId)) this.doubted(attempt)
  }

  private ring(): void {
    if (this.over) return
    const now = this.engine.clock.now()
    if (now >= this.plan.deadline) {
      this.expire()
      return
    }
    if (now >= this.resumeAt) this.resume()
    if (now >= this.hedgeAt) this.hedge()
    if (now >= this.lookAt) this.look(now)
    for (const attempt of [...this.active]) if (now >= attempt.dueAt) attempt.late()
    if (this.over) return
    let next = Math.min(this.plan.deadline, this.resumeAt, this.hedgeAt, this.lookAt)
    for (const { dueAt } of this.active) next = Math.min(next, dueAt)
    this.alarm.set(next)
  }

  private expire(): void {
    // A caller in a hurry says nothing about the worker, but it may well be gone.
    for (const { headAt, prospect } of this.active) if (headAt == null) this.engine.heartbeats.check(prospect.peer)
    this.giveUp(
      this.explain(failure('Deadline', "the caller's time was up before the answer was complete")),
      'Deadline'
    )
  }

  private readonly leave = (): void => {
    this.giveUp(this.explain(failure('ClientGone', 'the caller left before the answer was complete')), 'ClientGone')
  }

  /** Ends it without a (complete) answer. A caller that is reading already finds the error there. */
  private giveUp(error: MeshError, reason: Abandonment = 'ClientGone'): void {
    if (this.over) return
    if (!this.delivered) this.close(error.code)
    for (const attempt of [...this.active]) attempt.abandon(reason, error)
    if (this.delivered) return
    const trail = this.trail
    if (trail != null) error.trail = trail
    this.reject(error)
  }

  private get trail(): Trail | undefined {
    const { attempts } = this.decision
    const last = attempts.at(-1)
    if (last == null) return undefined
    const { peerId: worker, route } = last
    const trail: Trail = { worker, attempts: attempts.length, traceparent: this.plan.traceparent }
    return route == null || route.transport === 'unknown' ? trail : { ...trail, route }
  }

  private close(outcome: Exclude<Outcome, 'pending'>): void {
    if (this.over) return
    this.over = true
    this.alarm.clear()
    this.plan.request.signal.removeEventListener('abort', this.leave)
    this.body.close()
    const { service } = this.plan
    service.inFlight--
    this.decision.outcome = outcome
    this.decision.endedAt = this.engine.clock.now()
    // What is the caller's own doing is no failure of the service.
    if (outcome === 'answered' || (statusOf(outcome) < 500 && outcome !== 'Busy')) return
    service.failed++
    this.engine.totals.failed++
  }

  private get context(): Context {
    const { plan, decision } = this
    return {
      service: plan.service.name,
      operation: plan.operationName,
      repeatable: plan.repeatable,
      requestId: plan.requestId,
      attempts: decision.attempts.length,
      scores: decision.scores
    }
  }
}
