import { DECIDE_INTERVAL, DECIDE_JITTER, DECIDE_MAX, DECIDE_MIN, FIRST_REST, FIRST_REST_MAX } from './constants.ts'
import { NOTHING_YET, type Placement, type Placer, type PlacerComponents, type PlacerInit } from './index.ts'
import { place } from './place.ts'

/** Decides when something has changed, and now and then. */
export class PlacementLoop implements Placer {
  readonly #init: PlacerInit
  readonly #components: PlacerComponents
  #latest: Placement | undefined
  #running = false
  #startedAt = 0
  #timer: unknown
  #dueAt = Number.POSITIVE_INFINITY

  constructor(init: PlacerInit, components: PlacerComponents) {
    this.#init = init
    this.#components = components
  }

  get latest(): Placement | undefined {
    return this.#latest
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    this.#startedAt = this.#components.clock.now()
    this.#schedule(FIRST_REST)
  }

  changed(): void {
    if (!this.#running) return
    const { clock, random } = this.#components
    if (this.#latest == null) {
      // Peers are still being found. A worker that thinks itself alone would start everything.
      const left = this.#startedAt + FIRST_REST_MAX - clock.now()
      this.#schedule(Math.max(0, Math.min(FIRST_REST, left)))
      return
    }
    const wait = DECIDE_MIN + random() * (DECIDE_MAX - DECIDE_MIN)
    // What is due sooner stays due: changes without end must not put it off.
    if (clock.now() + wait < this.#dueAt) this.#schedule(wait)
  }

  stop(): void {
    this.#running = false
    this.#components.clock.clearTimeout(this.#timer)
  }

  #decide(): void {
    const { clock, random, services, workers, current, apply } = this.#components
    const now = clock.now()
    this.#latest = place({
      ...this.#init,
      now,
      services: services(),
      workers: workers(),
      current: current(),
      memory: this.#latest?.memory ?? NOTHING_YET
    })
    const interval = DECIDE_INTERVAL * (1 + DECIDE_JITTER * (2 * random() - 1))
    this.#schedule(Math.min(interval, (this.#latest.reviewAt ?? Number.POSITIVE_INFINITY) - now))
    apply(this.#latest)
  }

  #schedule(wait: number): void {
    const { clock } = this.#components
    clock.clearTimeout(this.#timer)
    this.#dueAt = clock.now() + wait
    this.#timer = clock.setTimeout(() => this.#decide(), wait)
  }
}
