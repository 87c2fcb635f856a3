import type { Said } from '../types.ts'
import { creditorOf } from './debt-words.ts'
import type { Debt } from './debts.ts'
import type { Document } from './document.ts'

/** Debts that are added up in search of a total among them. */
const MAX_SUMMED = 200

/** The same creditor and the same sum, told of again in another sentence of running text, is one debt. */
export function mergeRepeats(debts: readonly Debt[]): Debt[] {
  const seen = new Map<string, Debt>()
  return debts.filter(debt => {
    if (!debt.prose || debt.balance == null || debt.creditor == null) return true
    const key = `${debt.creditor.value}|${debt.balance.value}`
    const first = seen.get(key)
    if (first == null) seen.set(key, debt)
    const differs = first?.kind != null && debt.kind != null && first.kind.value !== debt.kind.value
    if (first == null || differs || first.whole.end >= debt.whole.start) return true
    first.again.push(debt.balance.span)
    return false
  })
}

/** "renting from Gentoo" names the landlord of arrears that name nobody. */
export function nameLandlord(doc: Document, debts: readonly Debt[]): void {
  const open = debts.filter(({ creditor, kind }) => creditor == null && kind?.value === 'rent')
  const [debt] = open
  if (debt == null || open.length > 1) return
  const landlord = doc.names.find(({ from, kind }) => {
    const words = doc.tokens.slice(Math.max(0, from - 3), from).map(({ lower }) => lower)
    const rents = words.some(word => ['renting', 'rents', 'rented', 'tenant', 'landlord'].includes(word))
    return kind !== 'relation' && rents && ['from', 'of', 'is', ':', 'with', '('].includes(words.at(-1) ?? '')
  })
  debt.creditor = creditorOf(doc, landlord)
}

/** A debt to nobody that is the sum of those told after it is their total ("owes about 9 grand on cards: …"). */
export function findSummary(debts: readonly Debt[]): { debt: Debt; total: Said<number> } | undefined {
  const looked = debts.slice(0, MAX_SUMMED)
  for (const [i, debt] of looked.entries()) {
    const total = debt.balance
    if (debt.creditor != null || total == null) continue
    let sum = 0
    const found = looked.slice(i + 1).some((part, at) => {
      sum += part.balance?.value ?? Number.NaN
      return at > 0 && sum === total.value
    })
    if (found) return { debt, total }
  }
  return undefined
}
