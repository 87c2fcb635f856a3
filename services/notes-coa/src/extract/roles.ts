import type { Cue } from '../config.ts'
import type { Amount } from '../text/money.ts'
import type { Token } from '../text/tokens.ts'
import type { Aligned } from './align.ts'
import { type Document, within } from './document.ts'
import type { Frame } from './frames.ts'
import type { Statement } from './statements.ts'

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

export type Mode = 'debt' | 'income' | 'spending'

export interface CueMention {
  cues: readonly Cue[]
  from: number
  to: number
}

export interface Judged extends Aligned {
  role: Role | undefined
  /** what the sentence was speaking of just before */
  mode: Mode | undefined
  /** a deficit rather than a surplus */
  negative: boolean
}

const MODES: Partial<Record<Cue, Mode>> = { owe: 'debt', arrears: 'debt', earn: 'income', spend: 'spending' }
const SECTION_MODES: Record<string, Mode> = { debts: 'debt', income: 'income', spending: 'spending' }
/** How near a cue has to stand, in tokens. */
const NEAR = 7

/** Words within a firm's name ("Max Recovery") say nothing about a sum. */
export function findCues({ lexicon, tokens, names }: Document, from: number, to: number): CueMention[] {
  const firms = within(names, from, to).filter(({ kind }) => kind === 'creditor' || kind === 'organisation')
  const found: CueMention[] = []
  let firm = 0
  for (let i = from; i < to; ) {
    while (firm < firms.length && (firms[firm]?.to ?? to) <= i) firm += 1
    const inside = firms[firm]
    if (inside != null && inside.from <= i) {
      i = inside.to
      continue
    }
    const match = lexicon.cues.match(tokens, i, to)
    if (match == null) {
      i += 1
      continue
    }
    found.push({ cues: match.values, from: i, to: i + match.length })
    i += match.length
  }
  return found
}

/** The stretch around a sum in which words speak of it: back to the sum before, on to the next, within commas. */
interface Reach {
  left: number
  right: number
  /** as `left`, but not past a comma or "and" */
  clause: number
}

function reachOf(
  tokens: readonly Token[],
  statement: Statement,
  amount: Amount,
  previous: Amount | undefined,
  next: Amount | undefined
): Reach {
  const left = Math.max(previous?.after ?? statement.from, amount.from - 2 * NEAR)
  let clause = left
  for (let i = amount.from - 1; i >= left; i--) {
    const { lower = '' } = tokens[i] ?? {}
    if (lower === ';' || lower === ',' || (lower === 'and' && previous != null)) {
      clause = i + 1
      break
    }
  }
  const end = Math.min(next?.from ?? statement.to, amount.after + NEAR)
  let right = end
  for (let i = amount.after; i < end; i++) {
    const { lower = '' } = tokens[i] ?? {}
    if (
      lower === ';' ||
      lower === ',' ||
      lower === '.' ||
      (lower === '(' && (i > amount.after || next != null)) ||
      (lower === 'plus' && next != null) ||
      (lower === 'and' && next != null)
    ) {
      right = i
      break
    }
  }
  return { left, right, clause }
}

class Judge {
  readonly #doc: Document
  readonly #statement: Statement
  readonly #cues: readonly CueMention[]
  readonly #inherited: Mode | undefined

  constructor(doc: Document, statement: Statement, inherited: Mode | undefined) {
    this.#doc = doc
    this.#statement = statement
    this.#cues = findCues(doc, statement.from, statement.to)
    this.#inherited = inherited
  }

  judge(aligned: readonly Aligned[]): Judged[] {
    let previous: Role | undefined
    const judged: Judged[] = aligned.map((item, i) => {
      const reach = reachOf(
        this.#doc.tokens,
        this.#statement,
        item.amount,
        aligned[i - 1]?.amount,
        aligned[i + 1]?.amount
      )
      const mode = this.#modeAt(item.amount)
      const { role, negative } = this.#roleOf(item, reach, mode, i, aligned, previous)
      previous = role ?? previous
      return { ...item, role, mode, negative }
    })
    this.#fillLists(judged)
    return judged
  }

  /**
   * In a list of bills one that no dictionary knows is a bill too ("food 280, fone 15, bus 40"); so are the parts that
   * stand in brackets after a total.
   */
  #fillLists(judged: Judged[]): void {
    const { tokens } = this.#doc
    judged.forEach((item, i) => {
      const before = judged[i - 1]
      if (item.role != null || before == null || item.amount.pence == null || item.amount.certainty === 'bare') return
      const words = tokens.slice(before.amount.after, item.amount.from)
      const next = judged[i + 1]?.role
      const listed = before.role === 'spending' || before.role === 'income'
      if (listed && (next == null || next === before.role) && words.length > 0 && words.length <= 4) {
        item.role = before.role
        return
      }
      const part = before.role === 'total_income' ? 'income' : before.role === 'total_spending' ? 'spending' : undefined
      if (part != null && words[0]?.text === '(' && words.length <= 4) item.role = part
    })
  }

  #near(cue: Cue, reach: Reach, whole = false): boolean {
    const { clause, left, right } = reach
    return this.#cues.some(({ cues, from, to }) => cues.includes(cue) && from >= (whole ? left : clause) && to <= right)
  }

  #before(cue: Cue, from: number, to: number): boolean {
    return this.#cues.some(mention => mention.cues.includes(cue) && mention.from >= from && mention.to <= to)
  }

  /** "IVA (£310 for five years)", "DMP at £80" */
  #pricesOption({ from }: Amount): boolean {
    const { tokens, lexicon, names } = this.#doc
    for (let i = Math.max(this.#statement.from, from - 5); i < from; i++) {
      if (within(names, i - 6, from).some(name => name.from <= i && i < name.to && name.kind !== 'name')) continue
      const match = lexicon.options.match(tokens, i, from)
      if (match != null && from - (i + match.length) <= 1 && tokens[i]?.text !== 'bs') return true
    }
    return false
  }

  #coversWhole(frame: Frame): boolean {
    return this.#cues.some(
      ({ cues, from, to }) => cues.some(cue => cue.startsWith('all_')) && from <= frame.from && to >= frame.to
    )
  }

  /** As `#before`, but a short word ("out", "exp") counts only where it opens the sentence. */
  #whole(cue: Cue, from: number, to: number): boolean {
    const start = this.#statement.from
    return this.#cues.some(mention => {
      if (!mention.cues.includes(cue) || mention.from < from || mention.to > to) return false
      const word = this.#doc.tokens[mention.from]?.text ?? ''
      return mention.to - mention.from > 1 || word.length > 5 || mention.from <= start + 1
    })
  }

  /** What the words up to the sum speak of last. */
  #modeAt(amount: Amount): Mode | undefined {
    let mode: Mode | undefined
    for (const { cues, from } of this.#cues) {
      if (from >= amount.from) break
      for (const cue of cues) mode = MODES[cue] ?? mode
    }
    return mode
  }

  #roleOf(
    item: Aligned,
    reach: Reach,
    mode: Mode | undefined,
    i: number,
    all: readonly Aligned[],
    previous: Role | undefined
  ): { role: Role | undefined; negative: boolean } {
    const { amount, before, after } = item
    const name = before?.name ?? after?.name
    const topics = [before, after].flatMap(frame => frame?.topics ?? [])
    // "a BT pension": the firm is where an income comes from
    const source =
      topics.some(topic => topic.topics.some(({ income, spending, debt }) => income && !spending && debt == null)) &&
      !topics.some(topic => topic.topics.some(({ debt }) => debt != null))
    const office = name?.entry?.kind === 'tax' || name?.entry?.kind === 'benefit_overpayment'
    const named =
      name != null && name.kind !== 'relation' && name.kind !== 'name' && (!source || (office && amount.period == null))
    const negative = amount.negative || this.#near('deficit', reach, true)
    const label = this.#statement.label
    if (label != null && i === 0 && (label.startsWith('total_') || label === 'surplus' || label === 'total')) {
      return {
        role: this.#total(label, mode),
        negative: amount.negative || (/deficit|shortfall/.test(this.#labelText()) && !/surplus/.test(this.#labelText()))
      }
    }
    // "= £6,075" on a line of its own
    const equals =
      this.#doc.tokens[amount.from - 1]?.text === '=' && amount.from - 1 === this.#statement.from && all.length === 1
    if (equals) return { role: this.#total('total', mode), negative: false }
    const stated = this.#stated(item, reach, i, all, named, topics.length > 0)
    if (stated != null) return { role: stated, negative: false }
    const about = SECTION_MODES[this.#statement.section ?? '']
    const at = ['at', '@'].includes(this.#doc.tokens[amount.from - 1]?.lower ?? '')
    if (
      at &&
      amount.period != null &&
      !this.#statement.firm &&
      (named || topics.length === 0 || previous === 'debt' || mode === 'debt')
    )
      return { role: 'payment', negative }
    // "rent plus £30 a week"
    const plus = ['+', 'plus'].includes(this.#doc.tokens[amount.from - 1]?.lower ?? '')
    if (plus && amount.period != null && after == null && previous == null && !this.#statement.firm)
      return { role: 'payment', negative }
    if (about == null && amount.period != null && this.#payment(amount)) return { role: 'payment', negative }
    if (amount.pence === 0 && !this.#statement.firm) return { role: 'other', negative }
    if (!this.#statement.firm && this.#instalment(item)) return { role: 'payment', negative }
    const surplus =
      !named &&
      !this.#near('arrears', reach) &&
      this.#near('surplus', reach, topics.length === 0) &&
      !this.#aboutDebt(topics)
    if (surplus && (topics.length === 0 || this.#statement.label === 'surplus')) return { role: 'surplus', negative }
    const owed = this.#statement.firm && this.#statement.section === 'debts'
    if (!owed && this.#pricesOption(amount)) return { role: 'other', negative }
    const home =
      topics.some(topic => topic.topics.some(({ debt }) => debt === 'mortgage' || debt === 'secured_loan')) &&
      !this.#near('arrears', reach, true)
    if (
      home &&
      amount.period == null &&
      this.#cues.some(({ cues, from }) => cues.includes('nil') && from >= amount.after)
    )
      return { role: 'other', negative }
    if (this.#isOther(item, reach)) return { role: 'other', negative }
    return { role: this.#weigh(item, reach, mode, named, previous), negative }
  }

  /** "minimum payments currently £270 a month" */
  #payment({ from }: Amount): boolean {
    return this.#cues.some(
      ({ cues, from: start, to }) => cues.includes('payment') && start >= from - 5 && to <= from && to - start > 1
    )
  }

  /** "payments of £585", "been paying £400", "offered them £20", "of which £450 is penalties": not what is owed itself. */
  #instalment({ amount: { from }, before }: Aligned): boolean {
    const { tokens } = this.#doc
    const near = this.#cues.some(
      ({ cues, from: start, to }) =>
        cues.includes('payment') && to <= from && from - to <= 1 && start >= this.#statement.from
    )
    const leads =
      near &&
      (before == null || before.to <= from - 2) &&
      ['of', 'paying', 'offered', 'offers', 'offer', 'them', 'him', 'her'].includes(tokens[from - 1]?.lower ?? '')
    return leads || (tokens[from - 2]?.lower === 'of' && tokens[from - 1]?.lower === 'which')
  }

  #labelText(): string {
    const span = this.#statement.labelSpan
    return span == null ? '' : this.#doc.notes.slice(span.start, span.end).toLowerCase()
  }

  #aboutDebt(topics: Frame['topics']): boolean {
    return topics.some(topic => topic.topics.some(({ debt, spending }) => debt != null && !spending))
  }

  #total(label: string, mode: Mode | undefined): Role | undefined {
    if (label === 'surplus') return 'surplus'
    if (label === 'total_debts' || label === 'total_income' || label === 'total_spending') return label
    const about = SECTION_MODES[this.#statement.section ?? ''] ?? mode ?? this.#inherited
    return about === 'debt'
      ? 'total_debts'
      : about === 'income'
        ? 'total_income'
        : about === 'spending'
          ? 'total_spending'
          : 'total_debts'
  }

  /** A sum that the notes call the whole of debts, income or spending. */
  #stated(
    item: Aligned,
    reach: Reach,
    i: number,
    all: readonly Aligned[],
    named: boolean,
    about: boolean
  ): Role | undefined {
    const { amount, after } = item
    let { before } = item
    if (named) return undefined
    const { label } = this.#statement
    const total = this.#near('total', reach, true)
    const whole: [Cue, Role][] = [
      ['all_debts', 'total_debts'],
      ['all_income', 'total_income'],
      ['all_spending', 'total_spending']
    ]
    const bracket = this.#doc.tokens[amount.after]?.text === '('
    const lone = all.length === 1 || bracket || total
    // "Household spend on the budget sheet is £2,260": the frame is part of the words for the whole
    if (before != null && this.#coversWhole(before)) before = undefined
    const left = before == null ? reach.left : before.to
    if (before == null && (label === 'income' || label === 'spending') && i === 0 && (after == null || total)) {
      const start = amount.from === this.#statement.from
      if (start && lone) return label === 'income' ? 'total_income' : 'total_spending'
    }
    if (before == null && !(after != null && !total)) {
      for (const [cue, role] of whole)
        if (this.#whole(cue, left, amount.from))
          return role === 'total_debts' && !total && this.#doc.tokens[amount.from - 1]?.text !== ':' ? undefined : role
    }
    const part = i > 0 && this.#doc.tokens[amount.from - 1]?.text === '('
    const bills =
      before != null &&
      this.#before('all_spending', before.from, before.to) &&
      this.#before('total', before.to, amount.from)
    if (total && bills) return 'total_spending'
    if (!total || (about && before != null) || part) return undefined
    const mode = this.#modeAt(amount)
    const section = SECTION_MODES[this.#statement.section ?? ''] ?? mode ?? this.#inherited
    if (section == null) return undefined
    return section === 'debt' ? 'total_debts' : section === 'income' ? 'total_income' : 'total_spending'
  }

  /** What something is worth, costs or was. */
  #isOther({ amount, before, after }: Aligned, { clause, right }: Reach): boolean {
    const { tokens } = this.#doc
    const { firm, section } = this.#statement
    if (
      firm &&
      section != null &&
      SECTION_MODES[section] != null &&
      !this.#near('other', { clause, right, left: clause })
    )
      return false
    // "overdraft is at its £1,000 limit"
    if (
      before != null &&
      ['its', 'the', 'his', 'her'].includes(tokens[amount.from - 1]?.lower ?? '') &&
      tokens[amount.from - 2]?.lower === 'at'
    )
      return false
    // "Lowell (was Vodafone)" tells of the creditor, not of the sum
    const floor = Math.max(clause, amount.from - 6, (before?.original == null ? before?.from : before.to) ?? 0)
    // in a list of debts, fees are owed too
    const debts = firm && section === 'debts'
    // "budgeting advance" is a kind of debt
    const owed = [before, after]
      .flatMap(frame => frame?.topics ?? [])
      .filter(topic => topic.topics.some(({ debt }) => debt != null))
    return this.#cues.some(
      ({ cues, from, to }) =>
        cues.includes('other') &&
        !(debts && CHARGES.has(tokens[from]?.lower ?? '')) &&
        !owed.some(topic => topic.from <= from && to <= topic.to) &&
        !(from > amount.after && tokens[from - 1]?.lower === 'the' && tokens[from - 2]?.lower === 'at') &&
        ((from >= (tokens[from]?.lower === 'was' ? Math.max(floor, amount.from - 2) : floor) && to <= amount.from) ||
          (from >= amount.after && from < amount.after + 3 && to <= right))
    )
  }

  #weigh(
    item: Aligned,
    reach: Reach,
    mode: Mode | undefined,
    named: boolean,
    previous: Role | undefined
  ): Role | undefined {
    const { amount, before, after } = item
    const statement = this.#statement
    const period = amount.period ?? statement.period?.value
    const section = statement.firm ? SECTION_MODES[statement.section ?? ''] : undefined
    const soft = statement.firm ? undefined : SECTION_MODES[statement.section ?? '']
    const name = before?.name ?? after?.name
    const topics = [before, after].flatMap(frame => frame?.topics ?? []).flatMap(topic => topic.topics)
    const owes = this.#near('owe', reach)
    // "the rent account is £1,425 down"
    const arrears = this.#near('arrears', reach) || this.#doc.tokens[amount.after]?.lower === 'down'
    const pays = this.#near('payment', reach)
    if (
      pays &&
      !arrears &&
      section !== 'spending' &&
      section !== 'income' &&
      (period != null || named) &&
      (named || mode === 'debt' || topics.some(({ debt }) => debt != null))
    ) {
      if (
        period != null ||
        this.#cues.some(({ cues, to }) => cues.includes('payment') && to <= amount.from && to >= amount.from - 3)
      )
        return 'payment'
    }
    const canDebt = topics.some(({ debt }) => debt != null)
    // a neighbour may be spoken of without being owed
    const lends =
      (!statement.prose && this.#inherited === 'debt') ||
      mode === 'debt' ||
      section === 'debt' ||
      canDebt ||
      before?.to === amount.from
    const scores: Record<Mode, number> = { debt: 0, income: 0, spending: 0 }
    const canIncome = topics.some(({ income }) => income)
    const canSpend = topics.some(({ spending }) => spending)
    if (named) scores.debt += name?.kind === 'place' ? 2 : 3
    else if (name?.kind === 'relation') scores.debt += owes ? 2.5 : lends ? 1 : -0.5
    else if (name != null) scores.debt += owes ? 2.5 : 1
    if (owes) scores.debt += 2
    if (arrears) scores.debt += 3
    // "council tax £1,340 (Barnet)": bills don't come with who is owed in brackets
    const given = before?.name == null && after?.name != null && this.#doc.tokens[after.from - 1]?.text === '('
    if (given && canDebt) scores.debt += 2
    if (previous === 'debt' || previous === 'income' || previous === 'spending') scores[previous] += CONTINUES
    if (canDebt) scores.debt += canSpend || canIncome ? 0.5 : 2.5
    if (topics.length > 0 && !canDebt && name == null) scores.debt -= 3
    if (amount.period != null && !arrears) scores.debt -= named && !canSpend ? 2 : 3.5
    if (canIncome) scores.income += canSpend || canDebt ? 1.5 : 3.5
    else if (topics.length > 0) scores.income -= 2
    if (canSpend) scores.spending += canDebt || canIncome ? 2 : 3
    else if (topics.length > 0) scores.spending -= canIncome ? 2 : 1.5
    if (named) {
      scores.income -= 2
      scores.spending -= 1
    }
    if (amount.period != null) {
      scores.income += 0.5
      scores.spending += 0.7
    }
    for (const [about, weight] of [
      [section, FIRM],
      [soft, 1],
      [mode, 2],
      [mode == null ? this.#inherited : undefined, statement.prose ? INHERITED : LISTED]
    ] as const) {
      if (about != null) scores[about] += weight
    }
    const ranked = (['debt', 'income', 'spending'] as const).toSorted((a, b) => scores[b] - scores[a])
    const best = ranked[0]
    if (best == null || scores[best] < THRESHOLD) return undefined
    // so much a month is never what is owed
    if (best === 'debt' && amount.period != null && section !== 'debt') return named ? 'payment' : undefined
    if (best !== 'debt' && before == null && after == null && section == null && mode == null) return undefined
    // "Aqua, limit £1,200, balance £1,190" goes on about what was named; else a sum owed to nobody for nothing is no debt
    const goesOn = (previous === 'other' && owes) || (!statement.prose && this.#inherited === 'debt')
    if (best === 'debt' && before == null && after == null && section !== 'debt' && !goesOn) return undefined
    return best
  }
}

const CHARGES = new Set(['fee', 'fees', 'cost', 'costs', 'interest'])
const THRESHOLD = 1.9
/** What the sentence before spoke of; what the line before in a list was. */
const INHERITED = 1.2
const LISTED = 2.2
/** A list goes on as it began. */
const CONTINUES = 0.9
/** What a heading or label says outweighs most of what a line says. */
const FIRM = 6.5

/** Says what each sum of a statement is. `inherited` is what the sentences before spoke of. */
export function judge(
  doc: Document,
  statement: Statement,
  aligned: readonly Aligned[],
  inherited: Mode | undefined
): Judged[] {
  return new Judge(doc, statement, inherited).judge(aligned)
}
