import { isRecord } from '../bytes.ts'
import { publicUrl } from '../urls.ts'

/** A public URL at which the mesh can be entered, as relays list them. */
export interface EntryPoint {
  worker_id: string
  peer_id?: string
  access_url: string
  /** relays of older versions don't say */
  kind?: (typeof KINDS)[number]
  services: string[]
}

/** How the internet gets there. */
const KINDS = ['tunnel', 'public', 'local'] as const

/** Of the merged list. */
export const MAX_POINTS = 256
const MAX_SERVICES = 64
/** Characters of a name or an id. */
const MAX_NAME = 200

/** What a relay answers to `/entry-points`: what isn't well-formed or nobody should be sent to is left out. */
export function readEntryPoints(value: unknown, allowPrivate: boolean): EntryPoint[] {
  if (!isRecord(value) || !Array.isArray(value.entry_points)) return []
  return value.entry_points.slice(0, MAX_POINTS).flatMap((entry: unknown): EntryPoint[] => {
    if (!isRecord(entry) || !isName(entry.worker_id)) return []
    if (typeof entry.access_url !== 'string' || publicUrl(entry.access_url, allowPrivate) == null) return []
    const services = Array.isArray(entry.services) ? entry.services.filter(isName).slice(0, MAX_SERVICES) : []
    const peer = isName(entry.peer_id) ? { peer_id: entry.peer_id } : {}
    const kind = KINDS.find(one => one === entry.kind)
    const how = kind == null ? {} : { kind }
    return [{ worker_id: entry.worker_id, ...peer, access_url: entry.access_url, ...how, services }]
  })
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME
}

/** One entry for each URL, in the order in which they were first named; services are those that anybody knows of. */
export function mergeEntryPoints(lists: readonly EntryPoint[][]): EntryPoint[] {
  const merged = new Map<string, EntryPoint>()
  for (const point of lists.flat()) {
    const key = new URL(point.access_url).href
    const known = merged.get(key)
    if (known != null) known.services = [...new Set([...known.services, ...point.services])].slice(0, MAX_SERVICES)
    else if (merged.size < MAX_POINTS) merged.set(key, { ...point })
  }
  return [...merged.values()]
}
