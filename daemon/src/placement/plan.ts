import { Budget } from './budget.ts'
import type { PlaceableService, PlacementWorker } from './index.ts'
import { rank } from './rank.ts'

/** Who should run what. */
export interface Plan {
  /** by service, best first */
  chosen: ReadonlyMap<string, readonly string[]>
  /** by service: those eligible that were not chosen but have room left, best first */
  reserve: ReadonlyMap<string, readonly string[]>
}

/**
 * The plan that all workers make from the same view. Each service gets its first worker before any gets a second, and
 * those with the greatest needs choose first, so that what fits only on a large machine finds it free.
 */
export function makePlan(services: readonly PlaceableService[], workers: readonly PlacementWorker[]): Plan {
  const budgets = new Map(workers.map(({ peerId, capabilities }) => [peerId, new Budget(capabilities)]))
  const placed = byNeed(services)
    .filter(({ everywhere }) => !everywhere)
    .map(service => ({
      service,
      ranked: rank(
        service,
        workers.filter(({ eligible }) => eligible.includes(service.name))
      ).map(({ peerId }) => peerId),
      chosen: [] as string[]
    }))
  const rounds = Math.max(0, ...placed.map(({ service, ranked }) => Math.min(service.replicas, ranked.length)))
  for (let round = 0; round < rounds; round++) {
    for (const { service, ranked, chosen } of placed) {
      // Who found no worker in the round before finds none in this.
      if (service.replicas <= round || chosen.length < round) continue
      const next = ranked.find(peer => !chosen.includes(peer) && budgets.get(peer)?.fits(service.needs) === true)
      if (next == null) continue
      budgets.get(next)?.take(service.needs)
      chosen.push(next)
    }
  }
  return {
    chosen: new Map(placed.map(({ service, chosen }) => [service.name, chosen])),
    reserve: new Map(
      placed.map(({ service, ranked, chosen }) => [
        service.name,
        ranked.filter(peer => !chosen.includes(peer) && budgets.get(peer)?.fits(service.needs) === true)
      ])
    )
  }
}

/** Those that are hardest to place first: GPU, then memory. An order that doesn't change as workers come and go. */
export function byNeed<S extends PlaceableService>(services: readonly S[]): S[] {
  return [...services].sort(
    (a, b) =>
      Number(b.needs.gpu) - Number(a.needs.gpu) ||
      b.needs.gpuMemory - a.needs.gpuMemory ||
      b.needs.memory - a.needs.memory ||
      (a.name < b.name ? -1 : 1)
  )
}
