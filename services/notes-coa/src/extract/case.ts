import type { Lexicon } from '../lexicon.ts'
import type { Amount } from '../text/money.ts'
import type { Said } from '../types.ts'
import { type Budget, readBudget } from './budget.ts'
import { type Debt, readDebts } from './debts.ts'
import { readDecision } from './decision.ts'
import { type Document, readDocument } from './document.ts'
import { placeMoney } from './money-facts.ts'
import { type Decision, type OptionFound, readOptions } from './options.ts'
import { type Parties, PartyReader } from './parties.ts'
import { type Passages, readPassages } from './passages.ts'
import { type Deadline, type Task, TaskReader } from './tasks.ts'
import { findTotals } from './totals.ts'

/** Everything that the extractor finds in an adviser's notes; every value with the span it was read from. */
export interface Case {
  doc: Document
  parties: Parties
  debts: Debt[]
  budget: Budget
  options: OptionFound[]
  decision?: Decision
  tasks: Task[]
  deadlines: Deadline[]
  passages: Passages
  /** every sum in the notes that must be in the letter */
  amounts: Amount[]
}

/** Digits that a number without a pound sign has at least, to be kept for the adviser to look at. */
const FIGURE_DIGITS = 3

/** Reads notes; the same notes always give the same case. */
export function readCase(lexicon: Lexicon, notes: string): Case {
  const doc = readDocument(lexicon, notes)
  const placed = placeMoney(doc)
  const { debts, totals: summed, used } = readDebts(doc, placed)
  const budget = readBudget(doc, placed)
  const balances: Said<number>[] = debts.flatMap(({ balance }) => (balance == null ? [] : [balance]))
  const totals = [...summed, ...findTotals(placed, balances, budget, used)]
  for (const amount of totals) budget.stated.push({ about: 'debts', amount })
  const parties = new PartyReader(doc).read()
  const { options, mentions } = readOptions(doc)
  const { tasks, deadlines } = new TaskReader(doc, parties).read()
  const placedAt = (amount: Amount): boolean => used.has(amount.from) || budget.used.has(amount.from)
  return {
    doc,
    parties,
    debts,
    budget,
    options,
    decision: readDecision(doc, mentions, options),
    tasks,
    deadlines,
    passages: readPassages(doc, mentions),
    amounts: doc.amounts.filter(
      amount =>
        placedAt(amount) || (amount.certainty !== 'faint' && (amount.certainty !== 'bare' || figure(doc, amount)))
    )
  }
}

function figure({ tokens }: Document, { from }: Amount): boolean {
  const token = tokens[from]
  return token?.kind !== 'number' || token.text.length >= FIGURE_DIGITS
}
