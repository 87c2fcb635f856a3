import type { Capabilities } from '@hedgerow/protocols/advert'
import type { Tier } from '@hedgerow/protocols/contract'
import { STORAGE_DISK } from './constants.ts'
import type { WorkerKind } from './index.ts'

/** The tiers of services that a worker of this kind takes. */
export function tiersOf(kind: WorkerKind, { gpus, disk }: Pick<Capabilities, 'gpus' | 'disk'>): Tier[] {
  if (kind !== 'auto') return [kind]
  const tiers: Tier[] = ['cpu', 'edge']
  if (gpus.length > 0) tiers.push('gpu')
  if (disk >= STORAGE_DISK) tiers.push('storage')
  return tiers
}
