import type { Said } from '../types.ts'
import type { Budget } from './budget.ts'
import type { Placed } from './money-facts.ts'

/** Adds up what was said so far, as the notes are gone through from the start. */
class Running {
  readonly #parts: readonly Said<number>[]
  #next = 0
  #sum = 0

  constructor(parts: readonly Said<number>[]) {
    this.#parts = parts.toSorted((a, b) => a.span.start - b.span.start)
  }

  /** True where `value` is the sum of at least two parts that end before `at`. */
  is(value: number, at: number): boolean {
    for (let part = this.#parts[this.#next]; part != null && part.span.end <= at; part = this.#parts[this.#next]) {
      this.#sum += part.value
      this.#next += 1
    }
    return this.#next > 1 && this.#sum === value
  }
}

/**
 * A sum about nothing in particular that equals what came before it is its total: "That makes £24,065",
 * "rent 575 ctax 92 food 260 = 927". Arithmetic is the evidence, so at least two parts are asked for.
 */
export function findTotals(
  placed: readonly Placed[],
  balances: readonly Said<number>[],
  budget: Budget,
  used: ReadonlySet<number>
): Said<number>[] {
  const debts: Said<number>[] = []
  const owed = new Running(balances)
  const lists = (['income', 'spending'] as const).map(about => ({
    about,
    running: new Running(budget[about].map(({ amount }) => amount)),
    onePeriod: new Set(budget[about].map(({ period }) => period?.value)).size === 1,
    period: budget[about][0]?.period
  }))
  const stated = new Set<string>(budget.stated.map(({ about }) => about))
  for (const { items } of placed) {
    for (const { amount, before, after, role } of items) {
      const { pence } = amount
      if (
        pence == null ||
        used.has(amount.from) ||
        budget.used.has(amount.from) ||
        role === 'other' ||
        role === 'payment'
      )
        continue
      if (before?.name != null || after?.name != null) continue
      const said = { value: pence, span: { start: amount.start, end: amount.end } }
      if (!stated.has('debts') && owed.is(pence, amount.start)) {
        debts.push(said)
        stated.add('debts')
        continue
      }
      const list = lists.find(
        ({ about, running, onePeriod }) => onePeriod && !stated.has(about) && running.is(pence, amount.start)
      )
      if (list == null) continue
      budget.stated.push({ about: list.about, amount: said, period: list.period })
      budget.used.add(amount.from)
      stated.add(list.about)
    }
  }
  return debts
}
