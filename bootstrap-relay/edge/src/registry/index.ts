/**
 * Which relays there are. Two ways to keep that, by what the Worker is deployed with: a Durable Object, which hears of
 * silence at once, or a seed list in KV, which is free of charge for longer but only says where to ask.
 */
import type { Env } from '../env.ts'
import type { Place } from '../place.ts'
import { DurableRegistry } from './durable.ts'
import { SeedRegistry } from './kv.ts'

export interface Relay {
  /** origin */
  url: string
  place?: Place
  /** when it was last heard, in milliseconds since 1970; left out where that isn't known */
  seen?: number
}

/** What a relay says of itself, checked. */
export interface Heartbeat {
  /** peer id, or the name where it has none */
  id: string
  /** left out when it is as before */
  url?: string
  place?: Place
  /** whether the relay has writes of its daily share left */
  mayWrite: boolean
}

/** `deferred`: something changed, but the share of today is used up. */
export type Heard = 'unchanged' | 'written' | 'deferred' | 'unknown' | 'full'

export interface Registry {
  heard(heartbeat: Heartbeat, now: number): Promise<Heard>
  list(now: number): Promise<Relay[]>
}

/** @returns undefined when the Worker has neither: then `RELAYS` is all there is */
export function registryOf({ REGISTRY, SEEDS, ALLOW_PRIVATE }: Env): Registry | undefined {
  if (REGISTRY != null) return new DurableRegistry(REGISTRY)
  return SEEDS == null ? undefined : new SeedRegistry(SEEDS, ALLOW_PRIVATE === 'true')
}
