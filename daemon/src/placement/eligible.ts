import type { Capabilities } from '@hedgerow/protocols/advert'
import type { Tier } from '@hedgerow/protocols/contract'
import { STORAGE_DISK } from '../capabilities/constants.ts'
import { Budget } from './budget.ts'
import { MEMORY_SHARE } from './constants.ts'
import type { PlaceableService } from './index.ts'

export interface EligibleInput {
  services: readonly PlaceableService[]
  /** what this worker takes */
  tiers: readonly Tier[]
  capabilities: Capabilities
  pinned: readonly string[]
  forbidden: readonly string[]
  /** services that can't run here for another reason, with it */
  unable?: ReadonlyMap<string, string>
}

/** Names of the services that a worker could run: what it says of itself in its advert. */
export function eligibleServices({
  services,
  tiers,
  capabilities,
  pinned,
  forbidden,
  unable
}: EligibleInput): string[] {
  const budget = new Budget(capabilities)
  for (const { name, needs } of services) if (pinned.includes(name)) budget.take(needs)
  return services
    .filter(({ name, tier, needs, everywhere }) => {
      if (forbidden.includes(name) || unable?.has(name) === true) return false
      return pinned.includes(name) || everywhere || (tiers.includes(tier) && budget.fits(needs))
    })
    .map(({ name }) => name)
}

/** Why a service can't run on a worker, for people; undefined where nothing of itself stands in the way. */
export function whyNotEligible(
  { name, tier, needs }: PlaceableService,
  { tiers, capabilities, unable }: Pick<EligibleInput, 'tiers' | 'capabilities' | 'unable'>
): string | undefined {
  const other = unable?.get(name)
  if (other != null) return other
  if (!tiers.includes(tier)) {
    const takes = tiers.join(', ')
    return `it is for workers of type ${tier}, and this one takes ${takes} (WORKER_TYPE; auto takes storage from ${STORAGE_DISK / 1024} GiB of free disk on, gpu with a GPU)`
  }
  const { cores, memory, disk, gpus } = capabilities
  if (needs.cores > cores) return `it needs ${needs.cores} cores of ${cores}`
  const lent = Math.floor(memory * MEMORY_SHARE)
  if (needs.memory > lent) return `it needs ${needs.memory} MiB of memory, of ${lent} that services get here`
  if (needs.disk > disk) return `it needs ${needs.disk} MiB of disk, of ${disk} that are free`
  if (needs.gpu && !gpus.some(gpu => gpu.memory >= needs.gpuMemory)) {
    return gpus.length === 0 ? 'it needs a GPU' : `it needs a GPU with ${needs.gpuMemory} MiB`
  }
  return new Budget(capabilities).fits(needs) ? undefined : 'this machine is too small for it'
}
