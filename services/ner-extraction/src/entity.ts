/** The types of entity that the service finds. */
export const ENTITY_TYPES = [
  'PERSON',
  'ORG',
  'MONEY',
  'DATE',
  'POSTCODE',
  'NINO',
  'PHONE',
  'EMAIL',
  'PLACE',
  'ACCOUNT'
] as const
export type EntityType = (typeof ENTITY_TYPES)[number]

/**
 * What an entity rests on: a `rule` (a pattern or a cue beside it), the `gazetteer` (a list of organisations, places or
 * names), or a `model` (how names are spelt, weighed with the words around).
 */
export const SOURCES = ['rule', 'gazetteer', 'model'] as const
export type Source = (typeof SOURCES)[number]

/** A stretch of text, in UTF-16 code units, the end exclusive. */
export interface Span {
  start: number
  end: number
}

/** A span that a rule proposes; {@link resolve} picks among those that overlap. */
export interface Candidate extends Span {
  type: EntityType
  source: Source
  /** 0 to 1 */
  confidence: number
  /** what kind of the type it is, as in `sort_code` for an ACCOUNT or `debt_collector` for an ORG */
  kind?: string
  /** the value in one canonical form: pence, ISO date, E.164, the creditor's usual name */
  normalized?: string
}

export interface Entity extends Candidate {
  /** exactly `text.slice(start, end)` of what was sent */
  text: string
}

/**
 * Of candidates that overlap the surest stays; of two as sure the longer, then the earlier.
 * The result is sorted and free of overlaps.
 */
export function resolve(candidates: Candidate[]): Candidate[] {
  const ranked = candidates
    .filter(({ start, end }) => end > start)
    .sort((a, b) => b.confidence - a.confidence || b.end - b.start - (a.end - a.start) || a.start - b.start)
  const taken = new SpanSet()
  return ranked.filter(candidate => taken.add(candidate)).sort((a, b) => a.start - b.start)
}

/** Spans that don't overlap, found by binary search. */
export class SpanSet {
  readonly #spans: Span[] = []

  /** @returns false, and keeps nothing, when the span overlaps one that is there */
  add(span: Span): boolean {
    const index = this.#firstEndingAfter(span.start)
    const next = this.#spans[index]
    if (next != null && next.start < span.end) return false
    this.#spans.splice(index, 0, { start: span.start, end: span.end })
    return true
  }

  overlaps(span: Span): boolean {
    const next = this.#spans[this.#firstEndingAfter(span.start)]
    return next != null && next.start < span.end
  }

  #firstEndingAfter(position: number): number {
    let low = 0
    let high = this.#spans.length
    while (low < high) {
      const middle = (low + high) >> 1
      const span = this.#spans[middle]
      if (span != null && span.end <= position) low = middle + 1
      else high = middle
    }
    return low
  }
}
