import type { Amount } from '../text/money.ts'
import { periodAdjective, readPeriod } from '../text/periods.ts'
import type { Token } from '../text/tokens.ts'
import type { Period, Said } from '../types.ts'
import { LabelReader } from './budget-labels.ts'
import type { Document } from './document.ts'
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
/** More than any budget has; sums of further lines are listed as not placed. */
const MAX_LINES = 300

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
