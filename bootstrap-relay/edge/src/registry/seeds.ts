/**
 * The seed list: one small document in KV, and the decision whether a heartbeat is worth one of the day's writes.
 * The free tier has 1,000 a day, so a heartbeat every 30 s can't be one; the document counts them itself.
 */
import { isRecord } from '../bytes.ts'
import { distance, type Place, readPlace } from '../place.ts'
import { relayOrigin } from '../urls.ts'
import { MAX_RELAYS } from './constants.ts'
import type { Heard, Heartbeat } from './index.ts'

/** Writes a day for each relay: four of them may use up what the free tier gives. */
export const DAILY_WRITES = 250
/** Writes a day for all of them together. */
export const DAILY_TOTAL = 1000
/** Days of silence after which a relay is left out when the list is next written. */
const KEPT_DAYS = 7
/** Kilometres: guesses of where an address is change from day to day. */
const MOVED = 500
const DAY = 86_400_000

export interface Seed {
  id: string
  url: string
  place?: Place
  /** when it was last written, in days since 1970: every relay that is up writes itself once a day */
  day: number
  /** on that day */
  writes: number
}

export interface Seeds {
  relays: Seed[]
  /** as `relays[].day`, of the whole */
  day: number
  writes: number
}

/** KV counts its days by UTC too. */
export const dayOf = (now: number): number => Math.floor(now / DAY)

/** What the list would be after a heartbeat; with no list, nothing is to be written. */
export function decide(seeds: Seeds, heartbeat: Heartbeat, now: number): { heard: Heard; seeds?: Seeds } {
  const { id, mayWrite } = heartbeat
  const today = dayOf(now)
  const before = seeds.relays.find(seed => seed.id === id)
  const url = heartbeat.url ?? before?.url
  if (url == null) return { heard: 'unknown' }
  const moved = isMoved(before?.place, heartbeat.place)
  if (before != null && before.url === url && before.day === today && !moved) return { heard: 'unchanged' }
  const others = seeds.relays.filter(seed => seed.id !== id && seed.url !== url && today - seed.day <= KEPT_DAYS)
  if (others.length >= MAX_RELAYS) return { heard: 'full' }
  const writes = before?.day === today ? before.writes : 0
  const total = seeds.day === today ? seeds.writes : 0
  if (!mayWrite || writes >= DAILY_WRITES || total >= DAILY_TOTAL) return { heard: 'deferred' }
  const place = moved ? heartbeat.place : before?.place
  const seed = { id, url, ...(place == null ? {} : { place }), day: today, writes: writes + 1 }
  return { heard: 'written', seeds: { relays: [...others, seed], day: today, writes: total + 1 } }
}

function isMoved(before: Place | undefined, now: Place | undefined): boolean {
  return now != null && (before == null || distance(before, now) > MOVED)
}

/** What stands in KV: somebody may have written it by hand, and an older version otherwise. */
export function readSeeds(value: unknown, allowPrivate: boolean): Seeds {
  if (!isRecord(value) || !Array.isArray(value.relays)) return { relays: [], day: 0, writes: 0 }
  const relays = value.relays.slice(0, MAX_RELAYS).flatMap((entry: unknown): Seed[] => {
    if (!isRecord(entry) || typeof entry.id !== 'string') return []
    const url = relayOrigin(entry.url, allowPrivate)
    if (url == null) return []
    const place = isRecord(entry.place) ? readPlace(entry.place.latitude, entry.place.longitude) : undefined
    return [
      { id: entry.id, url, ...(place == null ? {} : { place }), day: count(entry.day), writes: count(entry.writes) }
    ]
  })
  return { relays, day: count(value.day), writes: count(value.writes) }
}

function count(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0
}
