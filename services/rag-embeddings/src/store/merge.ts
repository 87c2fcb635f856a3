import { timeOf, type Version } from './version.ts'

/** What instances tell each other about a document before they send it. */
export interface Entry {
  version: Version
  /** a tombstone: the document was deleted by this version */
  deleted: boolean
  data_class?: string | undefined
}

/** Whether `incoming` replaces what is there. The latest version wins, so merges commute, associate and repeat. */
export function wins(incoming: Version, present: Version | undefined): boolean {
  return present == null || incoming > present
}

export interface ComparisonInit {
  /** when the two copies were last known to be equal, by this instance's clock; undefined: never */
  equalAt: number | undefined
  now: number
  /** milliseconds after which tombstones are forgotten */
  tombstoneLife: number
}

export interface Comparison {
  /** ids of which the other has a later version, or which only it has */
  pull: string[]
  /** ids of which this instance has a later version, or which only it has */
  push: string[]
  /** ids to forget here: they were deleted there, so long ago that the tombstone is gone */
  drop: string[]
}

/** Clocks may differ by so much; in doubt a document is kept. */
const CLOCK_LEEWAY = 60 * 60 * 1000

/**
 * What to do so that two copies of a collection become equal.
 *
 * While tombstones are kept, "only one has it" means that the other hasn't heard of it. Two copies which were apart for
 * longer need another rule: a document that both had when they were last equal and that one has no trace of now was
 * deleted there.
 */
export function compare(
  mine: ReadonlyMap<string, Entry>,
  theirs: ReadonlyMap<string, Entry>,
  { equalAt, now, tombstoneLife }: ComparisonInit
): Comparison {
  const apartTooLong = equalAt != null && now - equalAt > tombstoneLife - CLOCK_LEEWAY
  const forgottenByOther = ({ version, deleted }: Entry): boolean =>
    deleted
      ? timeOf(version) < now - tombstoneLife
      : apartTooLong && equalAt != null && timeOf(version) < equalAt - CLOCK_LEEWAY
  const result: Comparison = { pull: [], push: [], drop: [] }
  for (const [id, entry] of theirs) {
    const present = mine.get(id)
    if (present == null ? !forgottenByOther(entry) : wins(entry.version, present.version)) result.pull.push(id)
  }
  for (const [id, entry] of mine) {
    const other = theirs.get(id)
    if (other != null) {
      if (wins(entry.version, other.version)) result.push.push(id)
    } else if (!forgottenByOther(entry)) result.push.push(id)
    else if (!entry.deleted) result.drop.push(id)
  }
  return result
}
