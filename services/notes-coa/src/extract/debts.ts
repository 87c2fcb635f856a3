import type { DebtRecord } from '../text/layout.ts'
import { type Amount, scanMoney } from '../text/money.ts'
import { readNumberWords } from '../text/numbers.ts'
import type { Period, Said, Span } from '../types.ts'
import { type Document, within } from './document.ts'
import type { Frame } from './frames.ts'
import type { Placed } from './money-facts.ts'
import type { NameMention } from './names.ts'
import type { Judged } from './roles.ts'
import { type Statement, tokenAt } from './statements.ts'

export interface Debt {
  creditor?: Said<string>
  /** who was owed before */
  original?: Said<string>
  /** code of the kind of debt; `span` says by which word */
  kind?: Said<string>
  balance?: Said<number>
  /** where running text tells of the same sum again */
  again: Span[]
  /** "2 months @ £650": the balance is the product */
  product?: { count: Said<number>; each: Said<number> }
  arrears?: Said<number>
  payment?: Said<number> & { period?: Said<Period> }
  /** as the notes say */
  priority?: Said<boolean>
  stage?: Said<string>
  /** where the debt is spoken of */
  whole: Span
  /** from running text, where one debt may be told of twice */
  prose: boolean
}

const MONTHS = new Set([
  'months',
  'month',
  'mths',
  'mth',
  'weeks',
  'week',
  'wks',
  'wk',
  'instalments',
  'payments',
  "months'",
  "weeks'"
])

/** More than anybody owes; sums of further ones are listed as not placed. */
const MAX_DEBTS = 300
/** Debts that are added up in search of a total among them. */
const MAX_SUMMED = 200

export class DebtReader {
  readonly #doc: Document
  /** the last debt told of, by creditor */
  readonly #latest = new Map<string, Debt>()
  readonly debts: Debt[] = []
  /** sums that were placed, by token index */
  readonly used = new Set<number>()
  /** what turned out to be the total of other debts */
  readonly totals: Said<number>[] = []

  constructor(doc: Document) {
    this.#doc = doc
  }

  read(placed: readonly Placed[]): void {
    const entries: { at: number; add: () => void }[] = [
      ...placed.map(item => ({ at: item.statement.start, add: () => this.#statement(item) })),
      ...this.#doc.records.map(record => ({ at: record.whole.start, add: () => this.#record(record) }))
    ]
    for (const { add } of entries.toSorted((a, b) => a.at - b.at)) add()
    this.#mergeRepeats()
    this.#landlords()
    this.#summaries()
  }

  #text({ start, end }: Span): string {
    return this.#doc.notes.slice(start, end).replace(/\s+/g, ' ')
  }

  #span(item: { from: number; to: number }): Span {
    const { tokens } = this.#doc
    return { start: tokens[item.from]?.start ?? 0, end: tokens[item.to - 1]?.end ?? 0 }
  }

  #named(name: NameMention | undefined): Said<string> | undefined {
    if (name == null) return undefined
    const span = this.#span(name)
    return { value: name.entry?.name ?? this.#text(span), span }
  }

  #statement({ statement, items }: Placed): void {
    let last: Debt | undefined
    const collector = this.#collector(statement, items)
    items.forEach((item, i) => {
      if (item.role === 'payment') this.#payment(item, last, statement)
      if (last != null && item.role !== 'payment' && this.#restates(item, last, statement)) return
      if (item.role !== 'debt' || this.debts.length >= MAX_DEBTS) return
      const former = items[i - 1]
      // "Nationwide loan, originally £12,000, £7,310 outstanding"
      const about =
        item.before == null && item.after == null && former?.role === 'other'
          ? { ...item, before: former.before }
          : item
      last = this.#debt(about, statement, items, i, collector)
      if (last == null) return
      this.debts.push(last)
      if (last.creditor != null) this.#latest.set(last.creditor.value, last)
    })
  }

  /** A second sum about the same debt: what is left of it, or the arrears on it. */
  #restates(item: Judged, last: Debt, statement: Statement): boolean {
    const { tokens } = this.#doc
    const { amount, before, after } = item
    const named = (frame: Frame | undefined): boolean => frame?.name != null
    if (named(before) || named(after) || amount.pence == null) return false
    const left = tokens.slice(Math.max(statement.from, amount.from - 8), amount.from).map(({ lower }) => lower)
    const right = tokens.slice(amount.after, Math.min(statement.to, amount.after + 4)).map(({ lower }) => lower)
    const of = right[0] === 'of' && ['it', 'that', 'this', 'which'].includes(right[1] ?? '')
    const rest =
      of || left.includes('still') || left.includes('which') || right.includes('remains') || right.includes('remaining')
    const lent = /\b(?:borrowed|taken out|took out|took|lent)\b/.test(
      this.#text({ start: statement.start, end: amount.start })
    )
    const span = { start: amount.start, end: amount.end }
    // "Oakam loan of £800, £410 left"
    const bareLeft =
      before == null &&
      after == null &&
      ['left', 'outstanding', 'remaining'].includes(right[0] ?? '') &&
      (last.balance?.value ?? 0) > amount.pence &&
      tokens[amount.from - 1]?.text === ','
    if ((rest && lent) || bareLeft) {
      if (last.balance != null) this.used.delete(tokenAt(tokens, last.balance.span.start))
      last.balance = { value: amount.pence, span }
      last.whole = { start: last.whole.start, end: Math.max(last.whole.end, amount.end) }
      this.used.add(amount.from)
      item.role = 'debt'
      return true
    }
    if (item.role !== 'debt') return false
    const bare = before == null && after == null
    if (bare && (left.includes('arrears') || right.includes('arrears')) && last.balance != null) {
      last.arrears = { value: amount.pence, span }
      this.used.add(amount.from)
      return true
    }
    return bare && left.includes('(') && !left.includes(')')
  }

  #payment({ amount, before, after }: Judged, last: Debt | undefined, statement: Statement): void {
    const name = this.#named(before?.name ?? after?.name)
    const own = last != null && (name == null || last.creditor?.value === name.value) ? last : undefined
    const earlier = own ?? (name != null && statement.prose ? this.#latest.get(name.value) : undefined)
    if (earlier == null || earlier.payment != null || amount.pence == null) return
    const { tokens } = this.#doc
    const period =
      amount.period == null
        ? undefined
        : { value: amount.period, span: { start: amount.start, end: tokens[amount.after - 1]?.end ?? amount.end } }
    earlier.payment = { value: amount.pence, span: { start: amount.start, end: amount.end }, period }
    this.used.add(amount.from)
  }

  /** "Lowell, who have bought a Vodafone account (£487) and …": the collector of every debt in the sentence. */
  #collector(statement: Statement, items: readonly Judged[]): NameMention | undefined {
    const first = items.find(({ role }) => role === 'debt')
    if (first == null || items.length < 2) return undefined
    const names = within(this.#doc.names, statement.from, first.amount.from)
    const collector = names.find(({ entry }) => entry?.kind === 'collected')
    if (collector == null) return undefined
    const others = items.filter(({ before, after }) =>
      [before?.name, after?.name].some(name => name != null && name !== collector)
    )
    const verb = /\b(?:bought|taken over|took over|collecting|collect|chasing|holds?|hold)\b/.test(
      this.#text({ start: this.#span(collector).end, end: first.amount.start })
    )
    return verb && others.length > 0 ? collector : undefined
  }

  #debt(
    item: Judged,
    statement: Statement,
    items: readonly Judged[],
    i: number,
    collector: NameMention | undefined
  ): Debt | undefined {
    const { amount, before, after } = item
    const name = pickName(before, after) ?? this.#subject(item, statement, items)
    const span = this.#reach(item)
    const debt: Debt = { whole: span, again: [], prose: statement.prose }
    debt.creditor = this.#named(name)
    const passedOn = before?.name != null && after?.name != null && after.name !== name ? after.name : undefined
    debt.original = this.#named(before?.original ?? after?.original ?? passedOn)
    if (collector != null && name !== collector) {
      debt.original = debt.creditor ?? debt.original
      debt.creditor = this.#named(collector)
    }
    debt.kind = this.#kind([before, after]) ?? this.#carriedKind(items, i) ?? this.#listKind(statement, items)
    if (name == null && !statement.prose && (statement.section === 'debts' || debt.kind != null || before == null))
      debt.creditor = this.#leftover(item, statement, items[i - 1]?.amount)
    this.#balance(debt, amount, statement)
    debt.priority = this.#priority(statement, item, items[i - 1]?.amount, items[i + 1]?.amount)
    debt.stage = this.#stage(statement, items.length === 1 ? undefined : item)
    return debt
  }

  /** "Mortgage £480 a month with Leeds BS, 3 months behind: £1,440" */
  #carriedKind(items: readonly Judged[], i: number): Said<string> | undefined {
    const earlier = items[i - 1]
    return earlier?.amount.period == null
      ? undefined
      : this.#kind([earlier.before].filter(frame => frame?.name == null))
  }

  /** "Two store cards, Newday £610 and Argos £455": the kind that heads the list. */
  #listKind(statement: Statement, items: readonly Judged[]): Said<string> | undefined {
    const first = items[0]
    const start = Math.min(first?.amount.from ?? statement.to, first?.before?.from ?? statement.to)
    const topics = this.#topics(statement.from, start)
    const [topic] = topics
    const next = this.#doc.tokens[topic?.to ?? 0]?.text
    return topic != null && topics.length === 1 && (next === ',' || next === ':')
      ? this.#kind([{ from: topic.from, to: topic.to, topics }])
      : undefined
  }

  /** "HMRC say she was overpaid £1,310": the one firm that the sentence names before its one sum. */
  #subject({ amount }: Judged, statement: Statement, items: readonly Judged[]): NameMention | undefined {
    if (items.length > 1 || statement.firm) return undefined
    const names = within(this.#doc.names, statement.from, amount.from)
    const firms = names.filter(({ kind }) => kind === 'creditor' || kind === 'organisation')
    const landlords = names.filter(({ kind, debt }) => kind === 'relation' && debt === 'rent')
    const [only] = firms.length > 0 ? firms : landlords
    return firms.length > 1 ? undefined : only
  }

  #reach({ amount, before, after }: Judged): Span {
    const { tokens } = this.#doc
    const from = Math.min(before?.from ?? amount.from, amount.from)
    const to = Math.max(after?.to ?? amount.to, amount.to)
    return { start: tokens[from]?.start ?? amount.start, end: tokens[to - 1]?.end ?? amount.end }
  }

  /** The kind of debt by the most telling word, else by what is usually owed to the creditor or the first lender. */
  #kind(frames: readonly (Frame | undefined)[]): Said<string> | undefined {
    for (const frame of frames) {
      for (const topic of frame?.topics ?? []) {
        const code = topic.topics.find(({ debt }) => debt != null)?.debt
        if (code != null) return { value: code, span: this.#span(topic) }
      }
    }
    for (const frame of frames) {
      for (const name of [frame?.original, frame?.name, frame?.relation]) {
        const kind = name?.kind === 'relation' ? name.debt : name?.entry?.kind
        if (name != null && kind != null && kind !== 'other') return { value: kind, span: this.#span(name) }
      }
    }
    return undefined
  }

  /** What a list of debts names that no dictionary knows: the words before the sum. */
  #leftover({ amount, before }: Judged, statement: Statement, previous: Amount | undefined): Said<string> | undefined {
    const { tokens } = this.#doc
    const end = before == null ? amount.from : before.from
    let from = Math.max(statement.from, previous?.after ?? statement.from)
    while (from < end && tokens[from]?.kind === 'mark') from += 1
    let to = from
    while (
      to < end &&
      to - from < 6 &&
      (tokens[to]?.kind === 'word' ||
        (tokens[to]?.joined && !/[:;,(|]/.test(tokens[to]?.text ?? '')) ||
        tokens[to]?.text === '&')
    )
      to += 1
    while (to > from && tokens[to - 1]?.kind === 'mark') to -= 1
    if (to === from || tokens[from]?.kind !== 'word') return undefined
    const words = tokens.slice(from, to)
    if (words.every(({ lower, kind }) => kind !== 'word' || this.#doc.lexicon.common.has(lower))) return undefined
    const span = this.#span({ from, to })
    return { value: this.#text(span), span }
  }

  #balance(debt: Debt, amount: Amount, statement: Statement): void {
    const span = { start: amount.start, end: amount.end }
    if (amount.pence == null) return
    this.used.add(amount.from)
    const count = this.#count(amount, statement)
    if (count != null) debt.product = { count, each: { value: amount.pence, span } }
    else debt.balance = { value: amount.pence, span }
  }

  /** "2 months @ £650", "three weeks at £112". */
  #count({ from }: Amount, statement: Statement): Said<number> | undefined {
    const { tokens } = this.#doc
    if (
      !['@', 'at', 'x', '×', 'of'].includes(tokens[from - 1]?.lower ?? '') ||
      !MONTHS.has(tokens[from - 2]?.lower ?? '')
    )
      return undefined
    if (tokens[from - 1]?.lower === 'of') return undefined
    const at = from - 3
    const number = tokens[at]
    if (at < statement.from || number == null) return undefined
    const value = number.kind === 'number' ? Number(number.text) : readNumberWords(tokens, at, at + 1)?.value
    if (value == null || !Number.isInteger(value) || value < 1 || value > 60) return undefined
    return { value, span: { start: number.start, end: number.end } }
  }

  #priority(statement: Statement, { amount }: Judged, previous?: Amount, next?: Amount): Said<boolean> | undefined {
    const from = previous == null ? statement.from : previous.after
    const own = readPriority(this.#doc, Math.max(from, statement.from), next?.from ?? statement.to, amount)
    if (own != null) return own
    return statement.priority
  }

  #stage(statement: Statement, only: Judged | undefined): Said<string> | undefined {
    const { tokens, lexicon } = this.#doc
    const to = only == null ? statement.to : Math.min(statement.to, only.amount.after + 8)
    for (let i = only?.amount.after ?? statement.from; i < to; i++) {
      if (only != null && (tokens[i]?.text === '£' || tokens[i]?.kind === 'number')) return undefined
      const match = lexicon.stages.match(tokens, i, to)
      if (match == null) continue
      const span = this.#span({ from: i, to: i + match.length })
      return { value: this.#text(span), span }
    }
    return undefined
  }

  #record(record: DebtRecord): void {
    if (this.debts.length >= MAX_DEBTS) return
    const { tokens } = this.#doc
    const debt: Debt = { whole: record.whole, again: [], prose: false }
    const cell = record.creditor
    if (cell != null) {
      const from = tokenAt(tokens, cell.start)
      const to = tokenAt(tokens, cell.end)
      const names = within(this.#doc.names, from, to)
      const name = names.find(({ kind }) => kind !== 'name' && kind !== 'relation')
      const kind = this.#kind([{ from, to, name, topics: this.#topics(from, to) }])
      debt.kind = kind
      debt.creditor = this.#named(name)
      const covered = name == null && this.#topics(from, to).length > 0
      if (debt.creditor == null && !covered) debt.creditor = { value: this.#text(cell), span: cell }
    }
    if (record.kind != null) {
      const from = tokenAt(tokens, record.kind.start)
      const to = tokenAt(tokens, record.kind.end)
      const original = within(this.#doc.names, from, to).find(({ kind }) => kind === 'creditor')
      debt.kind = this.#kind([{ from, to, topics: this.#topics(from, to) }]) ?? debt.kind
      if (original != null && debt.creditor != null) debt.original = this.#named(original)
    }
    this.#recordBalance(debt, record.balance)
    const stated = record.priority
    if (stated != null) debt.priority = priorityCell(this.#doc, stated)
    else debt.priority = record.context.priority
    if (record.stage != null) debt.stage = { value: this.#text(record.stage), span: record.stage }
    this.debts.push(debt)
  }

  #recordBalance(debt: Debt, span: Span | undefined): void {
    if (span == null) return
    const { tokens } = this.#doc
    const from = tokenAt(tokens, span.start)
    const to = tokenAt(tokens, span.end)
    const known = within(this.#doc.amounts, from, to)
    // a cell for a balance holds a sum, however barely it is written
    const amount = known[0] ?? scanMoney(tokens.slice(from, to))[0]
    if (amount?.pence == null || known.length > 1) return
    debt.balance = { value: amount.pence, span: { start: amount.start, end: amount.end } }
    this.used.add(tokenAt(tokens, amount.start))
  }

  #topics(from: number, to: number): Frame['topics'] {
    const { lexicon, tokens } = this.#doc
    const found: Frame['topics'] = []
    for (let i = from; i < to; i++) {
      const match = lexicon.topics.match(tokens, i, to)
      if (match == null) continue
      found.push({ kind: 'topic', from: i, to: i + match.length, topics: match.values })
      i += match.length - 1
    }
    return found
  }

  /** "renting from Gentoo" names the landlord of arrears that name nobody. */
  #landlords(): void {
    const open = this.debts.filter(({ creditor, kind }) => creditor == null && kind?.value === 'rent')
    if (open.length !== 1) return
    const { tokens, names } = this.#doc
    const landlord = names.find(({ from, kind }) => {
      const words = tokens.slice(Math.max(0, from - 3), from).map(({ lower }) => lower)
      const rents = words.some(word => ['renting', 'rents', 'rented', 'tenant', 'landlord'].includes(word))
      return kind !== 'relation' && rents && ['from', 'of', 'is', ':', 'with', '('].includes(words.at(-1) ?? '')
    })
    const [debt] = open
    if (landlord != null && debt != null) debt.creditor = this.#named(landlord)
  }

  /** A debt to nobody that is the sum of those told after it is their total ("owes about 9 grand on cards: …"). */
  #summaries(): void {
    for (const [i, debt] of this.debts.slice(0, MAX_SUMMED).entries()) {
      if (debt.creditor != null || debt.balance == null) continue
      let sum = 0
      const total = debt.balance
      const parts = this.debts.slice(i + 1, MAX_SUMMED).findIndex((part, at) => {
        sum += part.balance?.value ?? Number.NaN
        return at > 0 && sum === total.value
      })
      if (parts < 0) continue
      this.totals.push(total)
      this.#keep(other => other !== debt)
      return
    }
  }

  #keep(kept: (debt: Debt) => boolean): void {
    this.debts.splice(0, this.debts.length, ...this.debts.filter(kept))
  }

  /** The same creditor and the same sum, told of again in running text, is one debt. */
  #mergeRepeats(): void {
    const seen = new Map<string, Debt>()
    const repeats = new Set<Debt>()
    for (const debt of this.debts) {
      if (!debt.prose || debt.balance == null || debt.creditor == null) continue
      const key = `${debt.creditor.value}|${debt.balance.value}`
      const first = seen.get(key)
      const other = first?.kind != null && debt.kind != null && first.kind.value !== debt.kind.value
      if (first == null || other || first.whole.end >= debt.whole.start) seen.set(key, first ?? debt)
      else {
        repeats.add(debt)
        first.again.push(debt.balance.span)
      }
    }
    this.#keep(debt => !repeats.has(debt))
  }
}

function pickName(before: Frame | undefined, after: Frame | undefined): NameMention | undefined {
  const names = [before?.name, after?.name].filter(name => name != null)
  const rank = (name: NameMention): number => {
    if (name.entry?.kind === 'agent') return 1
    if (name.kind === 'relation') return 0
    return name.kind === 'name' || name.kind === 'person' ? 2 : 3
  }
  return names.toSorted((a, b) => rank(b) - rank(a))[0]
}

function readPriority({ tokens }: Document, from: number, to: number, amount: Amount): Said<boolean> | undefined {
  for (let i = from; i < to; i++) {
    const token = tokens[i]
    if (token == null) continue
    const before = tokens[i - 1]
    const span = { start: token.start, end: token.end }
    if (token.lower === 'priority' || token.lower === 'nonpriority') {
      const dash = before?.text === '-' ? 2 : 1
      const non = token.lower === 'nonpriority' || ['non', 'not'].includes(tokens[i - dash]?.lower ?? '')
      return { value: !non, span: non ? { start: tokens[i - dash]?.start ?? token.start, end: token.end } : span }
    }
    const bracketed = ['(', '['].includes(before?.text ?? '') && [')', ']'].includes(tokens[i + 1]?.text ?? '')
    if ((token.text === 'P' || token.text === 'NP') && (bracketed || (i >= amount.after && before?.kind === 'mark')))
      return { value: token.text === 'P', span }
  }
  return undefined
}

function priorityCell({ notes }: Document, span: Span): Said<boolean> | undefined {
  const text = notes.slice(span.start, span.end).toLowerCase().trim()
  if (/^(?:n|no|np|non-?\s?priority|not?\s?priority)\b/.test(text)) return { value: false, span }
  return /^(?:y|yes|p|priority)\b/.test(text) ? { value: true, span } : undefined
}
