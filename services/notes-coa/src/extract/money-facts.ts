import type { Amount } from '../text/money.ts'
import type { Token } from '../text/tokens.ts'
import { type Aligned, align } from './align.ts'
import { findCues, type Mode } from './cues.ts'
import type { Document } from './document.ts'
import { within } from './document.ts'
import { findFrames } from './frames.ts'
import { type Judged, judge } from './roles.ts'
import type { Statement } from './statements.ts'

export interface Placed {
  statement: Statement
  items: Judged[]
}

const ROLE_MODES: Record<string, Mode> = {
  debt: 'debt',
  income: 'income',
  spending: 'spending',
  total_income: 'income',
  total_spending: 'spending',
  total_debts: 'debt'
}
/** Statements in which a sum illustrates something: an option's price, a task's offer. */
const ASIDE = new Set([
  'options',
  'decision',
  'reasons',
  'actions',
  'deadlines',
  'documents',
  'referrals',
  'consent',
  'consequences'
])

/** Fields about people, dates and places: a bare number in them is none of money. */
const PLAIN = new Set(['client', 'adviser', 'date', 'channel', 'nation', 'reference', 'address'])

/** A bare number is a sum only next to what it is about. */
function believable(doc: Document, { amount, before, after }: Aligned, statement: Statement): boolean {
  // "phone 10 pm" in a list of bills
  if (amount.certainty === 'faint') return before != null && before.to === amount.from && before.topics.length > 0
  if (amount.certainty !== 'bare') return true
  const tokens = doc.tokens
  const from = before?.to ?? statement.from
  const near = amount.from - from <= 3 && before != null
  const follows = after != null && after.from - amount.after <= 3
  const section = statement.firm && ['debts', 'income', 'spending', 'budget'].includes(statement.section ?? '')
  const total = statement.label?.startsWith('total') || statement.label === 'surplus'
  if (PLAIN.has(statement.label ?? '') || PLAIN.has(statement.section ?? '')) return false
  if (isAge(tokens, amount)) return false
  const next = tokens[amount.after]
  const closed = next == null || amount.after >= statement.to || next.kind === 'mark' || next.newLine
  if ((section && closed) || total) return true
  const digits = tokens[amount.from]?.text.length ?? 0
  if (digits >= 3) return true
  // "10 on phone" is a sum, "Mr Fenn, 81" an age
  const between = near ? tokens.slice(from, amount.from) : follows ? tokens.slice(amount.after, after?.from) : undefined
  return between?.every(({ kind }) => kind === 'word') ?? false
}

/** "Debts as follows.", "These are her outgoings." before the sums themselves. */
function announced(doc: Document, { from, to }: Statement): Mode | undefined {
  let mode: Mode | undefined
  for (const { cues } of findCues(doc, from, to)) {
    if (cues.includes('all_debts')) mode = 'debt'
    else if (cues.includes('all_income')) mode = 'income'
    else if (cues.includes('all_spending')) mode = 'spending'
  }
  return mode
}

/** "He is 46", "aged 46" */
function isAge(tokens: readonly Token[], { from, pence }: Amount): boolean {
  if (pence == null || pence >= OLDEST * 100) return false
  const [who, verb] = [tokens[from - 2]?.lower ?? '', tokens[from - 1]?.lower ?? '']
  return (
    verb === 'aged' ||
    // "a retired bus driver of 70."
    (verb === 'of' && tokens[from - 2]?.kind === 'word' && tokens[from + 1]?.kind === 'mark') ||
    (PEOPLE.has(who) && ['is', 'was', 'are', 'am', 'turned'].includes(verb)) ||
    /^(?:he|she)'s$|^i'm$/.test(verb)
  )
}

const OLDEST = 110
const PEOPLE = new Set([
  'he',
  'she',
  'they',
  'who',
  'i',
  'client',
  'cl',
  'partner',
  'wife',
  'husband',
  'son',
  'daughter',
  'and'
])

/** Reads every sum of the notes in its sentence: what it is about and what it is. */
export function placeMoney(doc: Document): Placed[] {
  const placed: Placed[] = []
  let mode: Mode | undefined
  let block = -1
  for (const statement of doc.statements) {
    if (statement.block !== block && !statement.prose) mode = undefined
    block = statement.block
    const amounts: Amount[] = within(doc.amounts, statement.from, statement.to)
    if (amounts.length === 0) {
      mode = announced(doc, statement) ?? mode
      continue
    }
    const aligned = align(doc.tokens, amounts, findFrames(doc, statement, amounts)).filter(item =>
      believable(doc, item, statement)
    )
    const items = judge(doc, statement, aligned, mode)
    if (statement.firm && ASIDE.has(statement.section ?? '')) for (const item of items) item.role = undefined
    placed.push({ statement, items })
    for (const { role } of items) mode = ROLE_MODES[role ?? ''] ?? mode
  }
  return placed
}
