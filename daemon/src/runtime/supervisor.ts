import type { Logger } from 'pino'
import type { Clock } from '../clock/index.ts'
import type { HealthSpec, ServiceManifest } from '../manifest/index.ts'
import { backoff } from './backoff.ts'
import { HUNG_GRACE, STABLE_AFTER, STOP_GRACE, SUSPECT_INTERVAL } from './constants.ts'
import { judge, type ProbeResult, probe } from './health.ts'
import type { Backend, BackendChange, BackendReport, BackendState, Target } from './index.ts'
import type { Launched, Launcher } from './launcher.ts'
import { originOf } from './target.ts'

export interface SupervisorComponents {
  clock: Clock
  random(): number
  log: Logger
  stopGrace?: number
}

/** Launches a backend, watches its health, and launches it again when it ends or hangs. */
export class Supervisor implements Backend {
  readonly #health: HealthSpec
  readonly #launcher: Launcher
  readonly #clock: Clock
  readonly #random: () => number
  readonly #log: Logger
  readonly #busy: () => boolean
  readonly #gone: () => void
  readonly #stopGrace: number
  readonly #listeners = new Set<(change: BackendChange) => void>()
  #state: BackendState = 'stopped'
  #stateAt = 0
  /** what runs now; what belongs to an earlier one is ignored */
  #current: Launched | undefined
  /** ends the one before, if it still takes its time */
  #ending: Promise<void> = Promise.resolve()
  /** grows with every launch and stop, so that late news are known as such */
  #generation = 0
  #launchedAt = 0
  /** of the launch under way */
  #launching = new AbortController()
  #healthyAt: number | undefined
  #failures = 0
  /** restarts in a row without a stable time in between */
  #attempt = 0
  #restarts = 0
  #timer: unknown
  #probing = false
  #stopping = false
  #probedAt = Number.NEGATIVE_INFINITY
  #lastError: { at: Date; message: string } | undefined

  constructor(
    { health }: Pick<ServiceManifest, 'health'>,
    launcher: Launcher,
    { clock, random, log, stopGrace }: SupervisorComponents,
    busy: () => boolean,
    gone: () => void = () => {}
  ) {
    this.#health = health
    this.#launcher = launcher
    this.#clock = clock
    this.#random = random
    this.#log = log
    this.#busy = busy
    this.#gone = gone
    this.#stopGrace = launcher.stopGrace ?? stopGrace ?? STOP_GRACE
    this.#stateAt = clock.now()
  }

  get state(): BackendState {
    return this.#state
  }

  get target(): Target | undefined {
    return this.#current?.target
  }

  start(): void {
    if (this.#state !== 'stopped' && !this.#stopping) return
    this.#stopping = false
    this.#attempt = 0
    this.#launch()
  }

  suspect(): void {
    if (this.#state !== 'healthy' || this.#probing) return
    this.#schedule(this.#probedAt + SUSPECT_INTERVAL - this.#clock.now(), () => this.#probe())
  }

  drain(): void {
    if (this.#state === 'stopped' || this.#state === 'draining') return
    this.#clock.clearTimeout(this.#timer)
    if (this.#current == null) {
      // Nothing serves: a launch under way is ended, at the latest when it is through.
      this.#generation++
      this.#launching.abort()
      this.#enter('stopped')
    } else this.#enter('draining')
  }

  async stop(): Promise<void> {
    this.#stopping = true
    this.#clock.clearTimeout(this.#timer)
    this.#generation++
    this.#launching.abort()
    if (this.#current != null) {
      this.#enter('draining')
      this.#end(this.#stopGrace)
    }
    const generation = this.#generation
    await this.#ending
    // It may have been started again meanwhile.
    if (generation !== this.#generation) return
    this.#stopping = false
    this.#enter('stopped')
  }

  report(): BackendReport {
    return {
      type: this.#launcher.type,
      state: this.#state,
      since: this.#clock.now() - this.#stateAt,
      origin: this.#current == null ? undefined : originOf(this.#current.target),
      pid: this.#current?.pid,
      container: this.#current?.container,
      restarts: this.#restarts,
      lastError: this.#lastError,
      stderr: this.#launcher.stderr()
    }
  }

  addListener(listener: (change: BackendChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #launch(): void {
    const generation = ++this.#generation
    this.#failures = 0
    this.#healthyAt = undefined
    this.#launchedAt = this.#clock.now()
    this.#enter('starting')
    // One at a time: the one before may hold a lock or a file that the next needs.
    const launching = new AbortController()
    this.#launching = launching
    this.#ending = this.#ending.then(() => this.#bringUp(generation, launching.signal))
  }

  async #bringUp(generation: number, signal: AbortSignal): Promise<void> {
    if (generation !== this.#generation) return
    let launched: Launched
    try {
      launched = await this.#launcher.launch(signal)
    } catch (err) {
      if (generation !== this.#generation) return
      const wait = err instanceof Error && 'wait' in err && typeof err.wait === 'number' ? err.wait : 0
      this.#failed(err instanceof Error ? err.message : String(err), wait)
      return
    }
    if (generation !== this.#generation) return launched.stop(HUNG_GRACE)
    this.#current = launched
    this.#launchedAt = this.#clock.now()
    void launched.exited?.then(() => {
      if (this.#current === launched) this.#gone()
    })
    void launched.ended.then(how => {
      if (this.#current === launched) this.#ended(how)
    })
    this.#probe()
  }

  #ended(how: string): void {
    this.#current = undefined
    if (this.#state === 'draining') {
      this.#generation++
      this.#enter('stopped')
    } else this.#failed(how)
  }

  /** What ran is over: waits a while, then launches it again. */
  #failed(reason: string, atLeast = 0): void {
    this.#note(reason)
    const stable = this.#healthyAt != null && this.#clock.now() - this.#healthyAt >= STABLE_AFTER
    if (stable) this.#attempt = 0
    const wait = Math.max(atLeast, backoff(this.#attempt++, this.#random()))
    this.#generation++
    this.#schedule(wait, () => {
      this.#restarts++
      this.#launch()
    })
    this.#enter('backing-off', reason)
    this.#log.warn({ reason, restart_in_ms: Math.round(wait) }, 'backend failed')
  }

  #end(grace: number): void {
    const ending = this.#current
    this.#current = undefined
    if (ending == null) return
    this.#ending = Promise.all([this.#ending, ending.stop(grace)]).then(() => {})
  }

  #probe(): void {
    const target = this.#current?.target
    if (target == null || this.#probing) return
    const generation = this.#generation
    this.#probing = true
    this.#probedAt = this.#clock.now()
    void probe(target, this.#health).then(result => {
      this.#probing = false
      if (generation === this.#generation) this.#judge(result)
      // What was launched meanwhile could not be looked at yet.
      else if (this.#state === 'starting') this.#probe()
    })
  }

  #judge(result: ProbeResult): void {
    if (this.#state === 'draining') return
    const now = this.#clock.now()
    const verdict = judge(
      {
        state: this.#state,
        failures: this.#failures,
        age: now - this.#launchedAt,
        busy: this.#busy(),
        restartable: this.#launcher.restartable
      },
      result,
      this.#health
    )
    this.#failures = verdict.failures
    if (verdict.state === 'healthy') this.#healthyAt ??= now
    else if (verdict.state === 'unhealthy') {
      if (this.#healthyAt != null && now - this.#healthyAt >= STABLE_AFTER) this.#attempt = 0
      this.#healthyAt = undefined
    }
    if (verdict.restart != null) {
      this.#end(HUNG_GRACE)
      this.#failed(verdict.restart)
      return
    }
    if (verdict.state === 'unhealthy' && verdict.reason != null) this.#note(verdict.reason)
    this.#schedule(verdict.wait, () => this.#probe())
    this.#enter(verdict.state, verdict.reason)
  }

  #note(message: string): void {
    this.#lastError = { at: new Date(), message }
  }

  #schedule(wait: number, act: () => void): void {
    this.#clock.clearTimeout(this.#timer)
    this.#timer = this.#clock.setTimeout(act, Math.max(0, wait))
  }

  #enter(state: BackendState, reason?: string): void {
    const previous = this.#state
    if (state === previous) return
    this.#state = state
    this.#stateAt = this.#clock.now()
    this.#log.info({ state, previous, ...(reason == null ? {} : { reason }) }, 'backend state')
    const change: BackendChange = { state, previous, ...(reason == null ? {} : { reason }) }
    for (const listener of this.#listeners) listener(change)
  }
}
