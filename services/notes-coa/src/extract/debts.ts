import type { DebtRecord } from '../text/context.ts'
import type { Period, Said, Span } from '../types.ts'
import { readRecord } from './debt-records.ts'
import { findSummary, mergeRepeats, nameLandlord } from './debt-review.ts'
import {
  creditorOf,
  findTopics,
  instalmentCount,
  kindOf,
  pickName,
  priorityOf,
  spanOfTokens,
  stageOf,
  unknownCreditor
} from './debt-words.ts'
import { type Document, within } from './document.ts'
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

export interface DebtReading {
  debts: Debt[]
  /** what turned out to be the total of other debts */
  totals: Said<number>[]
  /** sums that were placed, by token index */
  used: Set<number>
}

/** More than anybody owes; sums of further ones are listed as not placed. */
const MAX_DEBTS = 300
const LENT = /\b(?:borrowed|taken out|took out|took|lent)\b/
const COLLECTS = /\b(?:bought|taken over|took over|collecting|collect|chasing|holds?)\b/

class DebtReader {
  readonly #doc: Document
  /** the last debt told of, by creditor */
  readonly #latest = new Map<string, Debt>()
  readonly debts: Debt[] = []
  readonly used = new Set<number>()

  constructor(doc: Document) {
    this.#doc = doc
  }

  record(record: DebtRecord): void {
    if (this.debts.length >= MAX_DEBTS) return
    const { debt, balance } = readRecord(this.#doc, record)
    if (balance != null) this.used.add(tokenAt(this.#doc.tokens, balance.start))
    this.debts.push(debt)
  }

  statement({ statement, items }: Placed): void {
    const collector = this.#collector(statement, items)
    let last: Debt | undefined
    items.forEach((item, i) => {
      if (item.role === 'payment') this.#payment(item, last, statement)
      if (last != null && item.role !== 'payment' && this.#restates(item, last, statement)) return
      if (item.role !== 'debt' || this.debts.length >= MAX_DEBTS) return
      last = this.#debt(this.#about(item, items[i - 1]), statement, items, i, collector)
      this.debts.push(last)
      if (last.creditor != null) this.#latest.set(last.creditor.value, last)
    })
  }

  /** "Nationwide loan, originally £12,000, £7,310 outstanding": what the first sum is about, the second is too. */
  #about(item: Judged, former: Judged | undefined): Judged {
    const bare = item.before == null && item.after == null
    return bare && former?.role === 'other' ? { ...item, before: former.before } : item
  }

  #words(from: number, to: number): string[] {
    return this.#doc.tokens.slice(from, to).map(({ lower }) => lower)
  }

  /** A second sum about the same debt: what is left of it, or the arrears on it. */
  #restates(item: Judged, last: Debt, statement: Statement): boolean {
    const { amount, before, after } = item
    if (before?.name != null || after?.name != null || amount.pence == null) return false
    const span = { start: amount.start, end: amount.end }
    if (this.#isRest(item, last, statement)) {
      if (last.balance != null) this.used.delete(tokenAt(this.#doc.tokens, last.balance.span.start))
      last.balance = { value: amount.pence, span }
      last.whole = { start: last.whole.start, end: Math.max(last.whole.end, amount.end) }
      this.used.add(amount.from)
      item.role = 'debt'
      return true
    }
    if (item.role !== 'debt' || before != null || after != null) return false
    const left = this.#words(Math.max(statement.from, amount.from - 8), amount.from)
    const right = this.#words(amount.after, Math.min(statement.to, amount.after + 4))
    if ((left.includes('arrears') || right.includes('arrears')) && last.balance != null) {
      last.arrears = { value: amount.pence, span }
      this.used.add(amount.from)
      return true
    }
    return left.includes('(') && !left.includes(')')
  }

  /** "borrowed £2,000 … and still owes £1,430 of it", "Oakam loan of £800, £410 left" */
  #isRest({ amount, before, after }: Judged, last: Debt, statement: Statement): boolean {
    const { notes, tokens } = this.#doc
    const left = this.#words(Math.max(statement.from, amount.from - 8), amount.from)
    const right = this.#words(amount.after, Math.min(statement.to, amount.after + 4))
    const [first = '', second = ''] = right
    const of = first === 'of' && ['it', 'that', 'this', 'which'].includes(second)
    const rest =
      of || left.includes('still') || left.includes('which') || right.includes('remains') || right.includes('remaining')
    if (rest && LENT.test(notes.slice(statement.start, amount.start).replace(/\s+/g, ' '))) return true
    const smaller = (last.balance?.value ?? 0) > (amount.pence ?? 0) && tokens[amount.from - 1]?.text === ','
    return before == null && after == null && smaller && ['left', 'outstanding', 'remaining'].includes(first)
  }

  #payment({ amount, before, after }: Judged, last: Debt | undefined, statement: Statement): void {
    const name = creditorOf(this.#doc, before?.name ?? after?.name)
    const own = last != null && (name == null || last.creditor?.value === name.value) ? last : undefined
    const debt = own ?? (name != null && statement.prose ? this.#latest.get(name.value) : undefined)
    if (debt == null || debt.payment != null || amount.pence == null) return
    const end = this.#doc.tokens[amount.after - 1]?.end ?? amount.end
    const period = amount.period == null ? undefined : { value: amount.period, span: { start: amount.start, end } }
    debt.payment = { value: amount.pence, span: { start: amount.start, end: amount.end }, period }
    this.used.add(amount.from)
  }

  /** "Lowell, who have bought a Vodafone account (£487) and …": the collector of every debt in the sentence. */
  #collector(statement: Statement, items: readonly Judged[]): NameMention | undefined {
    const first = items.find(({ role }) => role === 'debt')
    if (first == null || items.length < 2) return undefined
    const names = within(this.#doc.names, statement.from, first.amount.from)
    const collector = names.find(({ entry }) => entry?.kind === 'collected')
    if (collector == null) return undefined
    const others = items.some(({ before, after }) =>
      [before?.name, after?.name].some(name => name != null && name !== collector)
    )
    const between = this.#doc.notes
      .slice(spanOfTokens(this.#doc, collector).end, first.amount.start)
      .replace(/\s+/g, ' ')
    return others && COLLECTS.test(between) ? collector : undefined
  }

  #debt(
    item: Judged,
    statement: Statement,
    items: readonly Judged[],
    i: number,
    collector: NameMention | undefined
  ): Debt {
    const doc = this.#doc
    const { amount, before, after } = item
    const name = pickName(before, after) ?? this.#subject(item, statement, items)
    const debt: Debt = { whole: this.#reach(item), again: [], prose: statement.prose }
    debt.creditor = creditorOf(doc, name)
    const passedOn = before?.name != null && after?.name != null && after.name !== name ? after.name : undefined
    debt.original = creditorOf(doc, before?.original ?? after?.original ?? passedOn)
    if (collector != null && name !== collector) {
      debt.original = debt.creditor ?? debt.original
      debt.creditor = creditorOf(doc, collector)
    }
    debt.kind = kindOf(doc, [before, after]) ?? this.#carriedKind(items[i - 1]) ?? this.#listKind(statement, items[0])
    const listed = !statement.prose && (statement.section === 'debts' || debt.kind != null || before == null)
    if (name == null && listed) debt.creditor = unknownCreditor(doc, item, statement, items[i - 1]?.amount)
    this.#balance(debt, item, statement)
    debt.priority = priorityOf(doc, statement, amount, items[i - 1]?.amount, items[i + 1]?.amount)
    debt.stage = stageOf(doc, statement, items.length === 1 ? undefined : amount)
    return debt
  }

  /** "Mortgage £480 a month with Leeds BS, 3 months behind: £1,440" */
  #carriedKind(earlier: Judged | undefined): Said<string> | undefined {
    const frame = earlier?.before
    return earlier?.amount.period == null || frame?.name != null ? undefined : kindOf(this.#doc, [frame])
  }

  /** "Two store cards, Newday £610 and Argos £455": the kind that heads the list. */
  #listKind(statement: Statement, first: Judged | undefined): Said<string> | undefined {
    const start = Math.min(first?.amount.from ?? statement.to, first?.before?.from ?? statement.to)
    const topics = findTopics(this.#doc, statement.from, start)
    const [topic] = topics
    if (topic == null || topics.length > 1) return undefined
    const next = this.#doc.tokens[topic.to]?.text
    return next === ',' || next === ':' ? kindOf(this.#doc, [{ from: topic.from, to: topic.to, topics }]) : undefined
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
    const from = Math.min(before?.from ?? amount.from, amount.from)
    return spanOfTokens(this.#doc, { from, to: Math.max(after?.to ?? amount.to, amount.to) })
  }

  #balance(debt: Debt, { amount }: Judged, statement: Statement): void {
    if (amount.pence == null) return
    this.used.add(amount.from)
    const said = { value: amount.pence, span: { start: amount.start, end: amount.end } }
    const count = instalmentCount(this.#doc, amount, statement)
    if (count == null) debt.balance = said
    else debt.product = { count, each: said }
  }
}

/** Reads the debts of sentences, tables and blocks of fields, in the order of the notes. */
export function readDebts(doc: Document, placed: readonly Placed[]): DebtReading {
  const reader = new DebtReader(doc)
  const entries = [
    ...placed.map(item => ({ at: item.statement.start, add: () => reader.statement(item) })),
    ...doc.records.map(record => ({ at: record.whole.start, add: () => reader.record(record) }))
  ]
  for (const { add } of entries.toSorted((a, b) => a.at - b.at)) add()
  const debts = mergeRepeats(reader.debts)
  nameLandlord(doc, debts)
  const summary = findSummary(debts)
  return {
    debts: summary == null ? debts : debts.filter(debt => debt !== summary.debt),
    totals: summary == null ? [] : [summary.total],
    used: reader.used
  }
}
