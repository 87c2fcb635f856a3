import type { EntityType } from '../entity.ts'

/** To the thread: a text to read, or a text that nobody waits for any more. */
export type ToThread = { read: ReadTask } | { forget: number }

export interface ReadTask {
  number: number
  text: string
  types: EntityType[] | undefined
  /** leaves out what is less sure */
  least: number
}

/** From the thread. */
export type FromThread =
  | { sizes: Sizes }
  | { number: number; answer: Uint8Array; found: ReadonlyMap<EntityType, number> }
  | { number: number; tooMany: true }

export interface Sizes {
  organisations: number
  places: number
}
