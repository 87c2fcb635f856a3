import { Budget } from './budget.ts'
import { BLOCKED_PATIENCE, GAP_PATIENCE, SUPERFLUOUS_PATIENCE } from './constants.ts'
import type {
  PlaceableService,
  Placement,
  PlacementDecision,
  PlacementInput,
  PlacementMemory,
  PlacementReason
} from './index.ts'
import { byNeed, makePlan } from './plan.ts'

/** What is to be said of one service before room is considered. */
interface Claim {
  service: PlaceableService
  /** runs here if there is room, in the order of {@link CLAIMS}; false = doesn't */
  kind: ClaimKind | false
  reason: PlacementReason
  planned: readonly string[]
  /** workers that run it now */
  running: number
}

/**
 * - `fixed`: here whatever happens
 * - `settled`: planned, and runs here
 * - `needed`: runs here, and too few run it elsewhere
 * - `new`: planned, and doesn't run here yet
 * - `spare`: runs here, and often enough elsewhere
 * - `stand-in`: would fill a gap
 */
type ClaimKind = 'fixed' | 'settled' | 'needed' | 'new' | 'spare' | 'stand-in'
/** Who gets room first. What serves somebody is worth more than what could, unless that has waited for too long. */
const PATIENT: readonly ClaimKind[] = ['fixed', 'settled', 'needed', 'new', 'spare', 'stand-in']
const IMPATIENT: readonly ClaimKind[] = ['fixed', 'settled', 'new', 'needed', 'spare', 'stand-in']

/** Decides which services this worker runs. A pure function: what it must remember it is given and gives back. */
export function place(input: PlacementInput): Placement {
  const { now, self, workers } = input
  const memory = remember(input)
  const claims = byNeed(input.services).map(service => claim(service, input, memory))
  const own = workers.find(({ peerId }) => peerId === self)
  const budget = own == null ? undefined : new Budget(own.capabilities)
  const waitedTooLong = [...memory.blocked.values()].some(since => now - since >= BLOCKED_PATIENCE)

  const run = new Set<string>()
  const blocked = new Map<string, number>()
  const refused = new Set<string>()
  for (const kind of waitedTooLong ? IMPATIENT : PATIENT) {
    for (const { service, kind: claimed } of claims) {
      if (claimed !== kind) continue
      const { name, needs } = service
      // What runs and is wanted isn't stopped for want of room on paper.
      const certain = kind === 'fixed' || kind === 'settled' || (kind === 'needed' && !waitedTooLong)
      if (certain) budget?.take(needs)
      if (certain || budget?.takeIfFits(needs) === true) run.add(name)
      else {
        refused.add(name)
        if (kind === 'new') blocked.set(name, memory.blocked.get(name) ?? now)
      }
    }
  }
  const decisions = claims.map(({ service, reason, planned, running }): PlacementDecision => {
    const { name, replicas } = service
    const why = refused.has(name) ? 'no-room' : reason
    const wanted = Number.isFinite(replicas) ? replicas : planned.length
    return { service: name, run: run.has(name), reason: why, planned, wanted, running }
  })
  const next: PlacementMemory = { gap: memory.gap, superfluous: memory.superfluous, blocked }
  return { run, decisions, memory: next, reviewAt: reviewAt(next, now) }
}

function claim(service: PlaceableService, input: Remembering, memory: Known): Claim {
  const { self, now, pinned, forbidden, current, workers } = input
  const { name, replicas, everywhere } = service
  const planned = memory.plan.chosen.get(name) ?? []
  const running = memory.running.get(name)?.size ?? 0
  const as = (kind: Claim['kind'], reason: PlacementReason): Claim => ({ service, kind, reason, planned, running })

  if (forbidden.includes(name)) return as(false, 'forbidden')
  if (pinned.includes(name)) return as('fixed', 'pinned')
  const eligible = workers.find(({ peerId }) => peerId === self)?.eligible.includes(name) === true
  if (!eligible) return as(false, 'not-eligible')
  if (everywhere) return as('fixed', 'everywhere')
  if (planned.includes(self)) return as(current.has(name) ? 'settled' : 'new', 'planned')
  if (current.has(name)) {
    const since = memory.superfluous.get(name)
    if (since == null) return as('needed', 'kept')
    return now - since >= SUPERFLUOUS_PATIENCE ? as(false, 'superfluous') : as('spare', 'kept')
  }
  const gap = memory.gap.get(name)
  if (gap != null && now - gap >= GAP_PATIENCE) {
    // As many of the reserve as are missing, the same ones in everybody's eyes.
    const idle = (memory.plan.reserve.get(name) ?? []).filter(peer => memory.running.get(name)?.has(peer) !== true)
    if (idle.slice(0, replicas - running).includes(self)) return as('stand-in', 'stand-in')
  }
  return as(false, 'not-planned')
}

type Remembering = PlacementInput

interface Known extends PlacementMemory {
  plan: ReturnType<typeof makePlan>
  /** by service: who runs it, as far as is known */
  running: ReadonlyMap<string, ReadonlySet<string>>
}

/** What holds now, and since when. */
function remember({ now, self, services, workers, current, memory }: PlacementInput): Known {
  const plan = makePlan(services, workers)
  const running = new Map<string, Set<string>>()
  for (const { peerId, services: run } of workers) {
    for (const name of run) {
      const peers = running.get(name) ?? new Set()
      running.set(name, peers.add(peerId))
    }
  }
  const gap = new Map<string, number>()
  const superfluous = new Map<string, number>()
  for (const { name, replicas, everywhere } of services) {
    if (everywhere) continue
    const peers = running.get(name) ?? new Set()
    if (peers.size < replicas) gap.set(name, memory.gap.get(name) ?? now)
    const planned = plan.chosen.get(name) ?? []
    if (!current.has(name) || planned.includes(self)) continue
    // Those that stay must be enough: others that aren't planned either may let go in the same moment.
    const enough = planned.length >= replicas && planned.every(peer => peers.has(peer))
    if (enough) superfluous.set(name, memory.superfluous.get(name) ?? now)
  }
  return { plan, running, gap, superfluous, blocked: memory.blocked }
}

function reviewAt({ gap, superfluous, blocked }: PlacementMemory, now: number): number | undefined {
  const times = [
    ...[...gap.values()].map(since => since + GAP_PATIENCE),
    ...[...superfluous.values()].map(since => since + SUPERFLUOUS_PATIENCE),
    ...[...blocked.values()].map(since => since + BLOCKED_PATIENCE)
  ].filter(at => at > now)
  return times.length === 0 ? undefined : Math.min(...times)
}
