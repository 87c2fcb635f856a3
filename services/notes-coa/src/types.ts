/** A stretch of the notes, in UTF-16 units: `notes.slice(start, end)`. */
export interface Span {
  start: number
  end: number
}

/** A value with where the notes say it. */
export interface Said<T> {
  value: T
  span: Span
}

/** A span together with what stands there, so that a reader can see it without the notes. */
export interface Source extends Span {
  text: string
}

export type FactValue = string | number | boolean

/** One thing that the notes say. Money is in pence. */
export interface Fact {
  /** where it belongs, as in `debts[0].balance` */
  field: string
  value: FactValue
  source: Source
}

/** One sum that the service worked out from facts. */
export interface Calculation {
  field: string
  value: number
  /** the fields of the facts it was worked out from */
  from: string[]
  how: string
}

/** Something that the letter needs and the notes don't say. The letter has `[ADVISER TO COMPLETE: {prompt}]` in its place. */
export interface Gap {
  field: string
  prompt: string
}

export const PERIODS = ['day', 'week', 'fortnight', '4-weeks', 'month', 'quarter', 'year'] as const
export type Period = (typeof PERIODS)[number]

export function sourceOf(notes: string, { start, end }: Span): Source {
  return { start, end, text: notes.slice(start, end) }
}

export function contains(outer: Span, inner: Span): boolean {
  return outer.start <= inner.start && inner.end <= outer.end
}
