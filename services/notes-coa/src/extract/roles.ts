import type { Cue } from '../config.ts'
import type { Topic } from '../lexicon.ts'
import type { Amount } from '../text/money.ts'
import type { Aligned } from './align.ts'
import { findCues, type Mode, Surroundings } from './cues.ts'
import { type Document, within } from './document.ts'
import type { TopicMention } from './frames.ts'
import type { NameMention } from './names.ts'
import type { Statement } from './statements.ts'
import { SECTION_MODES, weigh } from './weigh.ts'

/** What a sum is, in its sentence. */
export type Role =
  | 'debt'
  | 'income'
  | 'spending'
  | 'payment'
  | 'total_debts'
  | 'total_income'
  | 'total_spending'
  | 'surplus'
  | 'other'

export interface Judged extends Aligned {
  role: Role | undefined
  /** a deficit rather than a surplus */
  negative: boolean
}

/** A sum with all that is known around it. */
export interface Sum extends Aligned {
  doc: Document
  statement: Statement
  /** the sums of the statement */
  all: readonly Aligned[]
  index: number
  near: Surroundings
  /** what the words of the sentence speak of last */
  mode: Mode | undefined
  /** what the sentences before spoke of */
  inherited: Mode | undefined
  /** what the last sum of the sentence that was placed is */
  previous: Role | undefined
  name: NameMention | undefined
  /** a firm or a person with a title, and not just where an income comes from */
  named: boolean
  mentions: readonly TopicMention[]
  topics: readonly Topic[]
}

const TOTALS: Record<Mode, Role> = { debt: 'total_debts', income: 'total_income', spending: 'total_spending' }
const WHOLES: readonly [Cue, Role][] = [
  ['all_debts', 'total_debts'],
  ['all_income', 'total_income'],
  ['all_spending', 'total_spending']
]
const CHARGES = new Set(['fee', 'fees', 'cost', 'costs', 'interest'])
const OFFERS = new Set(['of', 'paying', 'offered', 'offers', 'offer', 'them', 'him', 'her'])
/** How far before a sum a word like "worth" stands, in tokens; "was" stands closer. */
const OTHER_REACH = 6
const WAS_REACH = 2

/** The word before the sum, `back` tokens away. */
function word({ doc, amount }: Sum, back = 1): string {
  return doc.tokens[amount.from - back]?.lower ?? ''
}

function headedMode({ statement }: Sum): Mode | undefined {
  return SECTION_MODES[statement.section ?? '']
}

/** "Total: …", "Surplus: …", or "= £6,075" on a line of its own. */
function labelled(sum: Sum): Role | undefined {
  const { statement, index, all, amount, mode, inherited } = sum
  const { label } = statement
  const own = index === 0 && label != null && (label.startsWith('total') || label === 'surplus') ? label : undefined
  const equals = word(sum) === '=' && amount.from - 1 === statement.from && all.length === 1
  if (own === 'surplus' || own === 'total_debts' || own === 'total_income' || own === 'total_spending') return own
  return own != null || equals ? TOTALS[headedMode(sum) ?? mode ?? inherited ?? 'debt'] : undefined
}

/** A sum that the notes call the whole of debts, income or spending. */
function stated(sum: Sum): Role | undefined {
  const { doc, statement, amount, after, near, index, all, named, topics, inherited } = sum
  if (named) return undefined
  const total = near.near('total', true)
  const before = sum.before != null && near.coversWhole(sum.before) ? undefined : sum.before
  const bracket = doc.tokens[amount.after]?.text === '('
  const own = statement.label === 'income' || statement.label === 'spending' ? statement.label : undefined
  if (before == null && (after == null || total)) {
    const lone = all.length === 1 || bracket || total
    if (own != null && index === 0 && lone && amount.from === statement.from) return TOTALS[own]
    const whole = WHOLES.find(([cue]) => near.wholeBetween(cue, near.left, amount.from))?.[1]
    // "owes £300" is a debt, "Debts: £300" all of them
    if (whole != null) return whole === 'total_debts' && !total && word(sum) !== ':' ? undefined : whole
  }
  if (!total) return undefined
  if (
    before != null &&
    near.between('all_spending', before.from, before.to) &&
    near.between('total', before.to, amount.from)
  )
    return 'total_spending'
  const part = index > 0 && word(sum) === '('
  const about = headedMode(sum) ?? near.modeAt(amount) ?? inherited
  return about == null || part || (topics.length > 0 && before != null) ? undefined : TOTALS[about]
}

/** A payment, by how it is put: "at £20 a month", "rent plus £30 a week", "payments of £585", "been paying £400". */
function paid(sum: Sum): Role | undefined {
  const { amount, before, after, near, statement, named, topics, previous, mode } = sum
  const periodic = amount.period != null
  const at = ['at', '@'].includes(word(sum)) && (named || topics.length === 0 || previous === 'debt' || mode === 'debt')
  const plus = ['+', 'plus'].includes(word(sum)) && after == null && previous == null
  if (periodic && !statement.firm && (at || plus)) return 'payment'
  const minimum = near.cues.some(
    ({ cues, from, to }) => cues.includes('payment') && from >= amount.from - 5 && to <= amount.from && to - from > 1
  )
  if (periodic && headedMode(sum) == null && minimum) return 'payment'
  if (statement.firm) return undefined
  const offered =
    OFFERS.has(word(sum)) &&
    (before == null || before.to <= amount.from - 2) &&
    near.cues.some(({ cues, to }) => cues.includes('payment') && to <= amount.from && amount.from - to <= 1)
  return offered || (word(sum, 2) === 'of' && word(sum) === 'which') ? 'payment' : undefined
}

function leftOver({ near, named, topics, statement }: Sum): Role | undefined {
  const owed = topics.some(({ debt, spending }) => debt != null && !spending)
  if (named || owed || near.near('arrears') || !near.near('surplus', topics.length === 0)) return undefined
  return topics.length === 0 || statement.label === 'surplus' ? 'surplus' : undefined
}

/** What an option would cost: "IVA (£310 for five years)", "DMP at £80". */
function pricesOption({ doc, statement, amount: { from } }: Sum): boolean {
  const { tokens, lexicon, names } = doc
  if (statement.firm && statement.section === 'debts') return false
  for (let i = Math.max(statement.from, from - 5); i < from; i++) {
    if (within(names, i - 6, from).some(name => name.from <= i && i < name.to && name.kind !== 'name')) continue
    const match = lexicon.options.match(tokens, i, from)
    if (match != null && from - (i + match.length) <= 1 && tokens[i]?.text !== 'bs') return true
  }
  return false
}

/** A mortgage or secured loan that is paid as it should be. */
function keptUp({ near, amount, topics }: Sum): boolean {
  const home = topics.some(({ debt }) => debt === 'mortgage' || debt === 'secured_loan')
  if (!home || amount.period != null || near.near('arrears', true)) return false
  return near.cues.some(({ cues, from }) => cues.includes('nil') && from >= amount.after)
}

/** What something is worth, costs or was. */
function valued(sum: Sum): boolean {
  const { doc, statement, amount, before, near, mentions } = sum
  const { tokens } = doc
  if (statement.firm && headedMode(sum) != null && !near.near('other')) return false
  // "overdraft is at its £1,000 limit"
  if (before != null && ['its', 'the', 'his', 'her'].includes(word(sum)) && word(sum, 2) === 'at') return false
  // "Lowell (was Vodafone)" tells of the creditor, not of the sum
  const floor = Math.max(
    near.clause,
    amount.from - OTHER_REACH,
    (before?.original == null ? before?.from : before.to) ?? 0
  )
  // in a list of debts, fees are owed too
  const debts = statement.firm && statement.section === 'debts'
  // "budgeting advance" is a kind of debt
  const owed = mentions.filter(topic => topic.topics.some(({ debt }) => debt != null))
  return near.cues.some(({ cues, from, to }) => {
    if (!cues.includes('other') || owed.some(topic => topic.from <= from && to <= topic.to)) return false
    const { lower = '' } = tokens[from] ?? {}
    if (debts && CHARGES.has(lower)) return false
    if (from >= amount.after) {
      const atTheLimit = tokens[from - 1]?.lower === 'the' && tokens[from - 2]?.lower === 'at' && from > amount.after
      return from < amount.after + 3 && to <= near.right && !atTheLimit
    }
    return from >= (lower === 'was' ? Math.max(floor, amount.from - WAS_REACH) : floor) && to <= amount.from
  })
}

function other(sum: Sum): Role | undefined {
  return pricesOption(sum) || keptUp(sum) || valued(sum) ? 'other' : undefined
}

function nothing({ amount, statement }: Sum): Role | undefined {
  return amount.pence === 0 && !statement.firm ? 'other' : undefined
}

/** From the surest to the vaguest; the first that knows decides. */
const RULES: readonly ((sum: Sum) => Role | undefined)[] = [labelled, stated, paid, nothing, leftOver, other, weigh]

function isNamed(name: NameMention | undefined, topics: readonly Topic[], amount: Amount): boolean {
  if (name == null || name.kind === 'relation' || name.kind === 'name') return false
  // "a BT pension": the firm is where an income comes from; HMRC and DWP are owed what they paid too much
  const source =
    topics.some(({ income, spending, debt }) => income && !spending && debt == null) &&
    topics.every(({ debt }) => debt == null)
  const office = name.entry?.kind === 'tax' || name.entry?.kind === 'benefit_overpayment'
  return !source || (office && amount.period == null)
}

function isNegative({ doc, statement, amount, near }: Sum, role: Role | undefined): boolean {
  if (role !== 'surplus') return false
  const span = statement.labelSpan
  if (span == null || statement.label !== 'surplus') return amount.negative || near.near('deficit', true)
  const label = doc.notes.slice(span.start, span.end).toLowerCase()
  return amount.negative || (/deficit|shortfall/.test(label) && !label.includes('surplus'))
}

/**
 * In a list of bills one that no dictionary knows is a bill too ("food 280, fone 15, bus 40"); so are the parts that
 * stand in brackets after a total.
 */
function fillLists({ tokens }: Document, judged: readonly Judged[]): void {
  judged.forEach((item, i) => {
    const before = judged[i - 1]
    if (item.role != null || before == null || item.amount.pence == null || item.amount.certainty === 'bare') return
    const words = tokens.slice(before.amount.after, item.amount.from)
    if (words.length === 0 || words.length > 4) return
    const next = judged[i + 1]?.role
    const listed = before.role === 'spending' || before.role === 'income'
    if (listed && (next == null || next === before.role)) item.role = before.role
    else if (words[0]?.text === '(' && before.role === 'total_income') item.role = 'income'
    else if (words[0]?.text === '(' && before.role === 'total_spending') item.role = 'spending'
  })
}

/** Says what each sum of a statement is. `inherited` is what the sentences before spoke of. */
export function judge(
  doc: Document,
  statement: Statement,
  all: readonly Aligned[],
  inherited: Mode | undefined
): Judged[] {
  const cues = findCues(doc, statement.from, statement.to)
  let previous: Role | undefined
  const judged = all.map((aligned, index): Judged => {
    const { amount, before, after } = aligned
    const near = new Surroundings(doc.tokens, cues, statement, amount, all[index - 1]?.amount, all[index + 1]?.amount)
    const mentions = [before, after].flatMap(frame => frame?.topics ?? [])
    const topics = mentions.flatMap(mention => mention.topics)
    const name = before?.name ?? after?.name
    const sum: Sum = {
      ...aligned,
      doc,
      statement,
      all,
      index,
      near,
      inherited,
      previous,
      mentions,
      topics,
      name,
      mode: near.modeAt(amount),
      named: isNamed(name, topics, amount)
    }
    let role: Role | undefined
    for (const rule of RULES) {
      role = rule(sum)
      if (role != null) break
    }
    previous = role ?? previous
    return { ...aligned, role, negative: isNegative(sum, role) }
  })
  fillLists(doc, judged)
  return judged
}
