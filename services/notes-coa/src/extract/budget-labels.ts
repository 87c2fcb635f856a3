import type { Amount } from '../text/money.ts'
import { periodAdjective, readPeriod } from '../text/periods.ts'
import type { Said } from '../types.ts'
import { saidAt, spanOfTokens } from './debt-words.ts'
import type { Document } from './document.ts'
import type { Frame } from './frames.ts'
import type { Judged } from './roles.ts'
import type { Statement } from './statements.ts'

/** Whose it is, and what sort: "her wages", "small pension". */
const OWNERS = new Set('his her their my our husband wife partner mum dad joint small net average'.split(' '))
const STOPS = new Set([',', ';', '.', ':', '(', ')', '|', '=', '-', '–', '—', '?', '+', '"', '/', 'and'])
/** Words at the ends of a label that name nothing. */
const SMALL = new Set(
  'on for in to of from a an the and is are at about around approx plus her his their he she they comes come out average averages now also has have brings'.split(
    ' '
  )
)
const MAX_WORDS = 6
/** Words before a topic that may belong to its name. */
const MAX_LEAD = 3
/** Words between a topic and its sum that may belong to its name: "hostel meal plan of £38". */
const MAX_TAIL = 4

/** Finds what the notes call a line of a budget. */
export class LabelReader {
  readonly #doc: Document
  readonly #statement: Statement

  constructor(doc: Document, statement: Statement) {
    this.#doc = doc
    this.#statement = statement
  }

  /**
   * Its topic with whose it is, else what stands next to the sum. `leftwards`: the sum before has its words before it, as
   * in "gas 120, fone 15, bus 40".
   */
  read(
    { amount, before, after }: Judged,
    previous: Amount | undefined,
    next: Amount | undefined,
    leftwards: boolean
  ): Said<string> | undefined {
    const frame = topical(before) ?? topical(after) ?? before ?? after
    if (frame != null && frame.topics.length > 0) return this.#topic(frame, amount, previous)
    const sides = [this.#after(amount, next), this.#before(amount, previous)]
    if (!this.#statement.prose || leftwards) sides.reverse()
    return sides[0] ?? sides[1] ?? (frame == null ? undefined : this.#said(frame.from, frame.to)) ?? this.#labelled()
  }

  #said(from: number, to: number): Said<string> | undefined {
    return to <= from ? undefined : saidAt(this.#doc, spanOfTokens(this.#doc, { from, to }))
  }

  #word(i: number): string {
    return this.#doc.tokens[i]?.lower ?? ''
  }

  #isMark(i: number): boolean {
    return this.#doc.tokens[i]?.kind === 'mark'
  }

  #isCue(i: number): boolean {
    return this.#doc.lexicon.cues.match(this.#doc.tokens, i, i + 1) != null
  }

  #floor(previous: Amount | undefined): number {
    return Math.max(this.#statement.from, previous?.after ?? 0)
  }

  #topic(frame: Frame, amount: Amount, previous: Amount | undefined): Said<string> | undefined {
    const [first] = frame.topics
    const last = frame.topics.at(-1)
    if (first == null || last == null) return undefined
    const from = this.#withOwner(first.from, this.#floor(previous))
    return this.#said(from, this.#withRest(from, last.to, frame, amount))
  }

  /** Takes in whose it is: "Denise's carer's allowance", "part-time wages". */
  #withOwner(start: number, floor: number): number {
    const { tokens, lexicon } = this.#doc
    let from = start
    for (let steps = 0; from > floor && steps < MAX_LEAD; steps++) {
      const token = tokens[from - 1]
      if (token?.text === '-' && token.joined && from - 2 >= floor) {
        from -= 2
        continue
      }
      if (token == null || token.kind !== 'word' || token.newLine) break
      const listed = !this.#statement.prose && !SMALL.has(token.lower) && token.lower !== 'which'
      const owner = OWNERS.has(token.stem) || token.lower.endsWith("'s") || listed
      if (!owner || lexicon.cues.match(tokens, from - 1, from)?.values.includes('spend')) break
      from -= 1
    }
    return from
  }

  /** Takes in what goes on before the sum ("hostel meal plan of £38") and, in a list, up to the line's end. */
  #withRest(from: number, topicEnd: number, frame: Frame, amount: Amount): number {
    const { tokens } = this.#doc
    let to = topicEnd
    const between = tokens.slice(frame.to, Math.max(frame.to, amount.from))
    if (frame.to <= amount.from && between.length <= MAX_TAIL && between.every(({ kind }) => kind === 'word')) {
      to = amount.from
      while (to > topicEnd && (SMALL.has(this.#word(to - 1)) || this.#isCue(to - 1))) to -= 1
    }
    if (this.#statement.prose) return to
    while (to < this.#statement.to && to - from < MAX_WORDS) {
      const token = tokens[to]
      if (token?.kind !== 'word' || token.newLine || readPeriod(tokens, to, to + 3) != null) break
      to += 1
    }
    return to
  }

  /** "£90 on lunches" */
  #after(amount: Amount, next: Amount | undefined): Said<string> | undefined {
    const { tokens } = this.#doc
    const end = Math.min(next?.from ?? this.#statement.to, this.#statement.to)
    let from = amount.after
    while (from < end && SMALL.has(this.#word(from)) && this.#word(from) !== 'and') from += 1
    if (from === amount.after && this.#isMark(from)) return undefined
    let to = from
    while (to < end && to - from < MAX_WORDS && !STOPS.has(this.#word(to))) to += 1
    while (to > from && (SMALL.has(this.#word(to - 1)) || readPeriod(tokens, to - 1, to) != null)) to -= 1
    return this.#said(from, to)
  }

  /** "tobacco: £60" */
  #before(amount: Amount, previous: Amount | undefined): Said<string> | undefined {
    const floor = this.#floor(previous)
    let to = amount.from
    while (
      to > floor &&
      (this.#isMark(to - 1) || SMALL.has(this.#word(to - 1)) || periodAdjective(this.#word(to - 1)) != null)
    )
      to -= 1
    let from = to
    while (from > floor && to - from < MAX_WORDS && !STOPS.has(this.#word(from - 1))) from -= 1
    while (from < to && (SMALL.has(this.#word(from)) || this.#isMark(from))) from += 1
    return this.#said(from, to)
  }

  /** The label of the line itself: "Salary: £1,500" under no heading. */
  #labelled(): Said<string> | undefined {
    const { labelSpan } = this.#statement
    if (labelSpan == null) return undefined
    const text = this.#doc.notes.slice(labelSpan.start, labelSpan.end).replace(/[\s:=.-]{1,40}$/, '')
    return saidAt(this.#doc, { start: labelSpan.start, end: labelSpan.start + text.length })
  }
}

function topical(frame: Frame | undefined): Frame | undefined {
  return frame?.topics.some(({ topics }) => topics.some(({ income, spending }) => income || spending))
    ? frame
    : undefined
}
