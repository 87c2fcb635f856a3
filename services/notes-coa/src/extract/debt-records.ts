import type { DebtRecord } from '../text/context.ts'
import { type Amount, scanMoney } from '../text/money.ts'
import type { Span } from '../types.ts'
import { creditorOf, findTopics, kindOf, priorityCell, saidAt } from './debt-words.ts'
import type { Debt } from './debts.ts'
import { type Document, within } from './document.ts'
import { tokenAt } from './statements.ts'

function tokensOf({ tokens }: Document, { start, end }: Span): { from: number; to: number } {
  return { from: tokenAt(tokens, start), to: tokenAt(tokens, end) }
}

/** A cell for a balance holds one sum, however barely it is written. */
function balanceIn(doc: Document, span: Span | undefined): Amount | undefined {
  if (span == null) return undefined
  const { from, to } = tokensOf(doc, span)
  const known = within(doc.amounts, from, to)
  return known.length > 1 ? undefined : (known[0] ?? scanMoney(doc.tokens.slice(from, to))[0])
}

/** A debt that is written field by field, with the sum that its balance is. */
export function readRecord(doc: Document, record: DebtRecord): { debt: Debt; balance: Amount | undefined } {
  const debt: Debt = { whole: record.whole, again: [], prose: false }
  if (record.creditor != null) {
    const range = tokensOf(doc, record.creditor)
    const topics = findTopics(doc, range.from, range.to)
    const name = within(doc.names, range.from, range.to).find(({ kind }) => kind !== 'name' && kind !== 'relation')
    debt.kind = kindOf(doc, [{ ...range, name, topics }])
    // "VAT" in the creditor's place is what is owed, not to whom
    debt.creditor = creditorOf(doc, name) ?? (topics.length > 0 ? undefined : saidAt(doc, record.creditor))
  }
  if (record.kind != null) {
    const range = tokensOf(doc, record.kind)
    debt.kind = kindOf(doc, [{ ...range, topics: findTopics(doc, range.from, range.to) }]) ?? debt.kind
    const original = within(doc.names, range.from, range.to).find(({ kind }) => kind === 'creditor')
    if (debt.creditor != null) debt.original = creditorOf(doc, original)
  }
  const balance = balanceIn(doc, record.balance)
  if (balance?.pence != null) debt.balance = { value: balance.pence, span: { start: balance.start, end: balance.end } }
  debt.priority = record.priority == null ? record.context.priority : priorityCell(doc, record.priority)
  if (record.stage != null) debt.stage = saidAt(doc, record.stage)
  return { debt, balance: balance?.pence == null ? undefined : balance }
}
