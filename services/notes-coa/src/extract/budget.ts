import type { Amount } from '../text/money.ts'
import { periodAdjective, readPeriod } from '../text/periods.ts'
import type { Token } from '../text/tokens.ts'
import type { Period, Said } from '../types.ts'
import type { Document } from './document.ts'
import type { Frame } from './frames.ts'
import type { Placed } from './money-facts.ts'
import type { Judged, Role } from './roles.ts'
import type { Statement } from './statements.ts'

export interface BudgetLine {
  /** the notes' own words for it */
  label: Said<string>
  amount: Said<number>
  /** undefined where neither the line nor its heading says */
  period?: Said<Period>
}

export interface StatedTotal {
  about: 'debts' | 'income' | 'spending' | 'surplus'
  amount: Said<number>
  period?: Said<Period>
}

export interface Budget {
  income: BudgetLine[]
  spending: BudgetLine[]
  stated: StatedTotal[]
  used: Set<number>
}

const TOTALS: Partial<Record<Role, StatedTotal['about']>> = {
  total_debts: 'debts',
  total_income: 'income',
  total_spending: 'spending',
  surplus: 'surplus'
}
const OWNERS = new Set([
  'his',
  'her',
  'their',
  'my',
  'our',
  'husband',
  'wife',
  'partner',
  "partner's",
  "wife's",
  "husband's",
  'mum',
  'dad',
  "dad's",
  "mum's",
  'joint',
  'small',
  'net',
  'average'
])
/** More than any budget has; sums of further lines are listed as not placed. */
const MAX_LINES = 300
const MAX_LABEL_WORDS = 6
const LABEL_STOPS = new Set([',', ';', '.', ':', '(', ')', '|', '=', '-', '–', '—', '?', '+', '"', '/'])
const SKIP = new Set([
  'on',
  'for',
  'in',
  'to',
  'of',
  'from',
  'a',
  'an',
  'the',
  'and',
  'is',
  'are',
  'at',
  'about',
  'around',
  'approx',
  'plus',
  'her',
  'his',
  'their',
  'he',
  'she',
  'they',
  'comes',
  'come',
  'out',
  'average',
  'averages',
  'now',
  'also',
  'has',
  'have',
  'brings'
])

class LabelReader {
  readonly #doc: Document
  readonly #statement: Statement

  constructor(doc: Document, statement: Statement) {
    this.#doc = doc
    this.#statement = statement
  }

  #said(from: number, to: number): Said<string> | undefined {
    const { tokens, notes } = this.#doc
    const first = tokens[from]
    const last = tokens[to - 1]
    if (first == null || last == null || to <= from) return undefined
    return {
      value: notes.slice(first.start, last.end).replace(/\s+/g, ' '),
      span: { start: first.start, end: last.end }
    }
  }

  /** The words for a line of a budget: its topic with whose it is, else what stands next to the sum. */
  read(
    { amount, before, after }: Judged,
    previous: Amount | undefined,
    next: Amount | undefined,
    leftwards: boolean
  ): Said<string> | undefined {
    const frame = topical(before) ?? topical(after) ?? before ?? after
    if (frame != null && frame.topics.length > 0) return this.#widened(frame, amount, previous)
    const right = this.#right(amount, next)
    const left = this.#left(amount, previous)
    // in "gas 120, fone 15, bus 40" what a sum is for stands before it
    const listed = !this.#statement.prose || leftwards
    return (
      (listed ? (left ?? right) : (right ?? left)) ??
      (frame == null ? undefined : this.#said(frame.from, frame.to)) ??
      this.#labelled()
    )
  }

  #widened(frame: Frame, amount: Amount, previous: Amount | undefined): Said<string> | undefined {
    const { tokens } = this.#doc
    const first = frame.topics[0]
    const last = frame.topics.at(-1)
    if (first == null || last == null) return undefined
    let { from } = first
    const floor = Math.max(this.#statement.from, previous?.after ?? 0)
    for (let steps = 0; from > floor && steps < 3; steps++) {
      const token = tokens[from - 1]
      if (token?.text === '-' && token.joined && from - 2 >= floor) {
        // "part-time wages"
        from -= 2
        continue
      }
      if (token == null || token.kind !== 'word' || token.newLine !== false) break
      const listed = !this.#statement.prose && !SKIP.has(token.lower) && token.lower !== 'which'
      const owner = OWNERS.has(token.lower) || token.lower.endsWith("'s") || listed
      if (!owner || this.#doc.lexicon.cues.match(tokens, from - 1, from)?.values.includes('spend')) break
      from -= 1
    }
    let { to } = last
    // "hostel meal plan of £38"
    if (
      frame.to <= amount.from &&
      amount.from - frame.to <= 4 &&
      tokens.slice(frame.to, amount.from).every(({ kind }) => kind === 'word')
    ) {
      to = amount.from
      while (
        to > last.to &&
        (SKIP.has(tokens[to - 1]?.lower ?? '') || this.#doc.lexicon.cues.match(tokens, to - 1, to) != null)
      )
        to -= 1
    }
    // "food and household", "phone and internet": the second word belongs to the line too, in a list
    if (!this.#statement.prose)
      while (
        to < tokens.length &&
        tokens[to]?.kind === 'word' &&
        tokens[to]?.newLine === false &&
        to - from < MAX_LABEL_WORDS &&
        readPeriod(tokens, to, to + 3) == null &&
        to < this.#statement.to
      )
        to += 1
    return this.#said(from, to)
  }

  #right(amount: Amount, next: Amount | undefined): Said<string> | undefined {
    const { tokens } = this.#doc
    const end = Math.min(next?.from ?? this.#statement.to, this.#statement.to)
    let from = amount.after
    while (from < end && SKIP.has(tokens[from]?.lower ?? '') && tokens[from]?.lower !== 'and') from += 1
    if (from === amount.after && tokens[from]?.kind === 'mark') return undefined
    let to = from
    while (
      to < end &&
      to - from < MAX_LABEL_WORDS &&
      !LABEL_STOPS.has(tokens[to]?.text ?? '') &&
      tokens[to]?.lower !== 'and'
    )
      to += 1
    while (to > from && (SKIP.has(tokens[to - 1]?.lower ?? '') || readPeriod(tokens, to - 1, to) != null)) to -= 1
    return this.#said(from, to)
  }

  #left(amount: Amount, previous: Amount | undefined): Said<string> | undefined {
    const { tokens } = this.#doc
    const floor = Math.max(this.#statement.from, previous?.after ?? 0)
    let to = amount.from
    while (
      to > floor &&
      (tokens[to - 1]?.kind === 'mark' ||
        SKIP.has(tokens[to - 1]?.lower ?? '') ||
        periodAdjective(tokens[to - 1]?.lower ?? '') != null)
    )
      to -= 1
    let from = to
    while (
      from > floor &&
      to - from < MAX_LABEL_WORDS &&
      !LABEL_STOPS.has(tokens[from - 1]?.text ?? '') &&
      tokens[from - 1]?.lower !== 'and'
    )
      from -= 1
    while (from < to && (SKIP.has(tokens[from]?.lower ?? '') || tokens[from]?.kind === 'mark')) from += 1
    return this.#said(from, to)
  }

  #labelled(): Said<string> | undefined {
    const { labelSpan } = this.#statement
    if (labelSpan == null) return undefined
    const value = this.#doc.notes.slice(labelSpan.start, labelSpan.end).replace(/[\s:=.-]{1,40}$/, '')
    return { value: value.replace(/\s+/g, ' '), span: { start: labelSpan.start, end: labelSpan.start + value.length } }
  }
}

function topical(frame: Frame | undefined): Frame | undefined {
  return frame?.topics.some(({ topics }) => topics.some(({ income, spending }) => income || spending))
    ? frame
    : undefined
}

/** "£50 on food and £38 on his meters each week", "… all monthly": a period at the end is about every sum before it. */
function trailingPeriod({ tokens }: Document, statement: Statement, last: Amount): Said<Period> | undefined {
  let end = statement.to
  while (end > last.after && tokens[end - 1]?.kind === 'mark') end -= 1
  for (let i = Math.max(last.after, end - 4); i < end; i++) {
    const match = readPeriod(tokens, i, end)
    if (match != null && i + match.length === end && i > last.after) {
      return { value: match.period, span: { start: tokens[i]?.start ?? 0, end: tokens[end - 1]?.end ?? 0 } }
    }
  }
  return undefined
}

/** "£1,488 a month, of which wages £1,100", "£1,733 a month (wages £1,420, UC £313)": parts have the whole's period. */
function partsOf({ tokens }: Document, items: readonly Judged[], i: number): Said<Period> | undefined {
  const first = items[0]
  if (first == null || i === 0 || first.role == null || TOTALS[first.role] == null) return undefined
  const words = tokens.slice(first.amount.after, first.amount.after + 5).map(({ lower }) => lower)
  return words[0] === '(' || words.includes('which') ? ownPeriod(tokens, first.amount) : undefined
}

function ownPeriod(tokens: readonly Token[], amount: Amount): Said<Period> | undefined {
  if (amount.period == null) return undefined
  return { value: amount.period, span: { start: amount.start, end: tokens[amount.after - 1]?.end ?? amount.end } }
}

/** "Each month she needs £695 for rent, …" */
function openingPeriod({ tokens }: Document, statement: Statement, first: Amount): Said<Period> | undefined {
  for (let i = statement.from; i < Math.min(first.from, statement.from + 4); i++) {
    const match = readPeriod(tokens, i, first.from)
    if (match != null)
      return {
        value: match.period,
        span: { start: tokens[i]?.start ?? 0, end: tokens[i + match.length - 1]?.end ?? 0 }
      }
  }
  return undefined
}

/** "weekly rent of £90" */
function leadingPeriod(
  { tokens }: Document,
  { amount, before }: Judged,
  statement: Statement,
  previous: Amount | undefined
): Said<Period> | undefined {
  const floor = Math.max(statement.from, previous?.after ?? statement.from)
  for (let i = Math.max(floor, (before?.from ?? amount.from) - 2); i < amount.from; i++) {
    const token = tokens[i]
    const period = periodAdjective(token?.lower ?? '')
    if (period != null && token != null) return { value: period, span: { start: token.start, end: token.end } }
  }
  return undefined
}

export function readBudget(doc: Document, placed: readonly Placed[]): Budget {
  const budget: Budget = { income: [], spending: [], stated: [], used: new Set() }
  for (const { statement, items } of placed) {
    const labels = new LabelReader(doc, statement)
    const last = items.at(-1)
    const first = items[0]
    const trailing =
      (last == null ? undefined : trailingPeriod(doc, statement, last.amount)) ??
      (first == null ? undefined : openingPeriod(doc, statement, first.amount))
    items.forEach((item, i) => {
      const { amount, role, negative } = item
      if (amount.pence == null || role == null) return
      const span = { start: amount.start, end: amount.end }
      const whole = partsOf(doc, items, i)
      const period =
        ownPeriod(doc.tokens, amount) ??
        leadingPeriod(doc, item, statement, items[i - 1]?.amount) ??
        trailing ??
        statement.period ??
        whole
      const about = TOTALS[role]
      if (about != null) {
        if (budget.stated.length >= MAX_LINES) return
        const value = about === 'surplus' && negative ? -amount.pence : amount.pence
        budget.stated.push({ about, amount: { value, span }, period })
      } else if (role === 'income' || role === 'spending') {
        const label = labels.read(
          item,
          items[i - 1]?.amount,
          items[i + 1]?.amount,
          items[i - 1]?.before != null && items[i - 1]?.after == null
        )
        if (label == null || budget[role].length >= MAX_LINES) return
        budget[role].push({ label, amount: { value: amount.pence, span }, period })
      } else {
        return
      }
      budget.used.add(amount.from)
    })
  }
  return budget
}
