import type { Capabilities } from '@hedgerow/protocols/advert'
import type { Tier } from '@hedgerow/protocols/contract'
import { Budget } from './budget.ts'
import type { PlaceableService } from './index.ts'

export interface EligibleInput {
  services: readonly PlaceableService[]
  /** what this worker takes */
  tiers: readonly Tier[]
  capabilities: Capabilities
  pinned: readonly string[]
  forbidden: readonly string[]
}

/** Names of the services that a worker could run: what it says of itself in its advert. */
export function eligibleServices({ services, tiers, capabilities, pinned, forbidden }: EligibleInput): string[] {
  const budget = new Budget(capabilities)
  for (const { name, needs } of services) if (pinned.includes(name)) budget.take(needs)
  return services
    .filter(({ name, tier, needs, everywhere }) => {
      if (forbidden.includes(name)) return false
      return pinned.includes(name) || everywhere || (tiers.includes(tier) && budget.fits(needs))
    })
    .map(({ name }) => name)
}
