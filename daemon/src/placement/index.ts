/**
 * Decides which services this worker runs. There is no coordinator: every worker computes the same plan from the same
 * view, takes its own part of it, and where views differ for a while the plans do too, until the views agree again.
 *
 * A plan depends on who is there and what they can do, never on who runs what now. What runs now decides only when to
 * let go: a service moves when the worker that it moves to has it running, and not before.
 *
 * @example
 * ```ts
 * const placer = createPlacer(
 *   { self, pinned: [], forbidden: ['llm-inference'] },
 *   { clock: systemClock, random: Math.random, services, workers, current, apply: ({ run }) => host.runExactly(run) }
 * )
 * placer.start()
 * view.addListener(() => placer.changed())
 * ```
 */
import type { Capabilities } from '@hedgerow/protocols/advert'
import type { Tier } from '@hedgerow/protocols/contract'
import type { Clock } from '../clock/index.ts'
import type { Needs } from '../manifest/index.ts'
import { PlacementLoop } from './placer.ts'

export { eligibleServices, whyNotEligible } from './eligible.ts'
export { liveWorkers, placeable } from './from.ts'
export { place } from './place.ts'
export { makePlan, type Plan } from './plan.ts'

/** A service as placement sees it. */
export interface PlaceableService {
  name: string
  tier: Tier
  /** how many workers should run it, mesh-wide; Infinity = all that can */
  replicas: number
  needs: Needs
  /** its server runs already, whatever we decide: each worker that has it offers it */
  everywhere: boolean
}

/** A worker that is alive, as its advert describes it. */
export interface PlacementWorker {
  peerId: string
  capabilities: Capabilities
  /** names of services that it could run */
  eligible: readonly string[]
  /** names of services that it runs and that are healthy */
  services: readonly string[]
}

export interface PlacementInput {
  self: string
  /** milliseconds of a clock that never goes back */
  now: number
  /** those that this worker has manifests of */
  services: readonly PlaceableService[]
  /** all that are alive, this one among them */
  workers: readonly PlacementWorker[]
  /** the owner wants these here, whatever the plan says */
  pinned: readonly string[]
  /** the owner doesn't want these here */
  forbidden: readonly string[]
  /** what this worker runs now, healthy or not */
  current: ReadonlySet<string>
  /** what the last decision left; {@link NOTHING_YET} at first */
  memory: PlacementMemory
}

/** Since when something has been so, by service; in milliseconds of the clock. */
export interface PlacementMemory {
  /** fewer run than are wanted */
  gap: ReadonlyMap<string, number>
  /** it runs here, and elsewhere often enough without us */
  superfluous: ReadonlyMap<string, number>
  /** it should run here, but something else takes the room */
  blocked: ReadonlyMap<string, number>
}

export const NOTHING_YET: PlacementMemory = { gap: new Map(), superfluous: new Map(), blocked: new Map() }

/** Why a service is run here, or isn't. */
export type PlacementReason =
  /** its owner says so */
  | 'pinned'
  /** it is served from here in any case */
  | 'everywhere'
  /** the plan has it here */
  | 'planned'
  /** those that the plan names don't run it, and haven't for a while */
  | 'stand-in'
  /** the plan has it elsewhere, but it is needed here until it runs there */
  | 'kept'
  /** the plan has it elsewhere, and it runs there */
  | 'superfluous'
  | 'forbidden'
  /** this machine is of another kind, or lacks what it needs */
  | 'not-eligible'
  /** others are to run it */
  | 'not-planned'
  /** the plan has it here, but what still runs here leaves no room */
  | 'no-room'

export interface PlacementDecision {
  service: string
  run: boolean
  reason: PlacementReason
  /** more about it, for people; where it is not eligible */
  detail?: string
  /** who should run it, best first */
  planned: readonly string[]
  /** how many should, and how many do */
  wanted: number
  running: number
}

export interface Placement {
  /** names of the services to run here */
  run: ReadonlySet<string>
  /** one for each service known, run or not */
  decisions: PlacementDecision[]
  memory: PlacementMemory
  /** milliseconds of the clock at which time alone may change the decision */
  reviewAt: number | undefined
}

export interface PlacerInit {
  self: string
  pinned: readonly string[]
  forbidden: readonly string[]
}

export interface PlacerComponents {
  clock: Clock
  /** uniform in [0, 1) */
  random(): number
  services(): readonly PlaceableService[]
  /** all that are alive, this one among them */
  workers(): readonly PlacementWorker[]
  current(): ReadonlySet<string>
  /** called after each decision, changed or not */
  apply(placement: Placement): void
}

export interface Placer {
  /** Decides for the first time when the view has come to rest, and from then on as things change. */
  start(): void
  /** The view, or what this worker can do, has changed: decides again soon. */
  changed(): void
  /** the last decision */
  readonly latest: Placement | undefined
  stop(): void
}

export function createPlacer(init: PlacerInit, components: PlacerComponents): Placer {
  return new PlacementLoop(init, components)
}
