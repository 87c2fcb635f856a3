import type { Config } from '../config.ts'
import type { Case } from '../extract/case.ts'
import type { Debt } from '../extract/debts.ts'
import { formatPence } from '../money-text.ts'
import type { Calculation, Said } from '../types.ts'
import { configured, gapPiece, noted, type Piece, worked } from './pieces.ts'
import type { Warning } from './warnings.ts'

export interface DebtRow {
  creditor: Piece
  kind: Piece
  balance: Piece
  priority: Piece
  stage: Piece | undefined
  /** sentences about it: a payment that is made, who was owed before, how the balance was worked out */
  notes: Piece[][]
}

export interface DebtView {
  rows: DebtRow[]
  /** the sum of the balances, where there is one to give */
  total: Piece | undefined
  /** some balance is unknown, so the total isn't whole */
  partial: boolean
  stated: Piece | undefined
  /** smaller totals that the notes state, of parts of the debts */
  subtotals: Piece[]
  /** by how much the stated total is off */
  difference: Piece | undefined
  consequences: { kind: Piece; text: Piece }[]
  /** a priority that stands on the kind of debt alone */
  byKind: boolean
}

export interface MoneyNotes {
  calculated: Calculation[]
  warnings: Warning[]
}

export function money(said: Said<number>, ...more: { start: number; end: number }[]): Piece {
  return noted(formatPence(said.value), said.span, ...more)
}

/** What is owed: the balance, or the product of instalments. */
export function owed(debt: Debt): number | undefined {
  return debt.balance?.value ?? (debt.product == null ? undefined : debt.product.count.value * debt.product.each.value)
}

export function buildDebts({ debts, budget }: Case, { letter }: Config, out: MoneyNotes): DebtView {
  let byKind = false
  const rows = debts.map((debt, i): DebtRow => {
    const kind = debt.kind == null ? undefined : letter.debt_kinds[debt.kind.value]
    const field = `debts[${i}]`
    const known = owed(debt)
    const about =
      debt.creditor?.value ?? kind?.name ?? (known == null ? 'one of the debts' : `the debt of ${formatPence(known)}`)
    const typical = kind?.priority ?? undefined
    if (debt.priority == null && typical != null) byKind = true
    if (debt.priority != null && typical != null && debt.priority.value !== typical) {
      out.warnings.push({
        code: 'PriorityDiffers',
        detail: `${about}: the notes say ${debt.priority.value ? 'priority' : 'not priority'}, its kind is usually ${typical ? 'priority' : 'not priority'}`
      })
    }
    if (debt.again.length > 0) {
      out.warnings.push({
        code: 'RepeatedDebt',
        detail: `${about}: the notes tell of this sum more than once; it is listed as one debt`
      })
    }
    return {
      creditor:
        debt.creditor == null
          ? gapPiece(`${field}.creditor`, `who is owed: ${about}`)
          : noted(debt.creditor.value, debt.creditor.span),
      kind: kind == null ? gapPiece(`${field}.kind`, `what the debt to ${about} is for`) : configured(kind.name),
      balance: balance(debt, i, about, out),
      priority: priority(debt, typical, field, about),
      stage: debt.stage == null ? undefined : noted(debt.stage.value, debt.stage.span),
      notes: remarks(debt, letter)
    }
  })
  return { rows, ...totals(debts, budget.stated, out), consequences: consequences(debts, letter), byKind }
}

function balance(debt: Debt, i: number, about: string, out: MoneyNotes): Piece {
  if (debt.balance != null) return money(debt.balance, ...debt.again)
  const product = owed(debt)
  if (product == null) return gapPiece(`debts[${i}].balance`, `how much is owed: ${about}`)
  out.calculated.push({
    field: `debts[${i}].balance`,
    value: product,
    from: [`debts[${i}].instalments`, `debts[${i}].instalment`],
    how: 'instalments × instalment'
  })
  return worked(formatPence(product))
}

function priority(debt: Debt, typical: boolean | undefined, field: string, about: string): Piece {
  if (debt.priority != null) return noted(debt.priority.value ? 'priority' : 'not priority')
  if (typical == null) return gapPiece(`${field}.priority`, `whether this is a priority debt: ${about}`)
  return configured(typical ? 'priority †' : 'not priority †')
}

function remarks(debt: Debt, letter: Config['letter']): Piece[][] {
  const found: Piece[][] = []
  const name =
    debt.creditor == null
      ? configured(letter.debt_kinds[debt.kind?.value ?? '']?.name ?? 'one of the debts')
      : noted(debt.creditor.value, debt.creditor.span)
  if (debt.product != null) {
    const { count, each } = debt.product
    found.push([
      name,
      configured(': '),
      noted(String(count.value), count.span),
      configured(' × '),
      money(each),
      configured(' = '),
      worked(formatPence(count.value * each.value))
    ])
  }
  if (debt.original != null)
    found.push([name, configured(': first owed to, or held with, '), noted(debt.original.value, debt.original.span)])
  if (debt.arrears != null) found.push([name, configured(': of this, arrears '), money(debt.arrears)])
  if (debt.payment != null) {
    const { period } = debt.payment
    const each = period == null ? undefined : letter.periods[period.value].each
    found.push([name, configured(': payment noted '), money(debt.payment), configured(each == null ? '' : ` ${each}`)])
  }
  return found
}

function totals(
  debts: readonly Debt[],
  all: Case['budget']['stated'],
  out: MoneyNotes
): Pick<DebtView, 'total' | 'partial' | 'stated' | 'subtotals' | 'difference'> {
  const known = debts.flatMap((debt, i) => {
    const value = owed(debt)
    return value == null ? [] : [{ value, field: `debts[${i}].balance` }]
  })
  const sum = known.reduce((total, { value }) => total + value, 0)
  const partial = known.length < debts.length
  const said = all
    .filter(({ about }) => about === 'debts')
    .reduce<Said<number> | undefined>(
      (top, { amount }) => (top == null || amount.value > top.value ? amount : top),
      undefined
    )
  if (known.length > 0)
    out.calculated.push({
      field: 'debts.total',
      value: sum,
      from: known.map(({ field }) => field),
      how: partial ? 'sum of the balances known' : 'sum of the balances'
    })
  const off = said == null || known.length === 0 ? 0 : said.value - sum
  if (off !== 0 && said != null) {
    out.calculated.push({
      field: 'debts.difference',
      value: Math.abs(off),
      from: ['debts.total', 'stated.debts'],
      how: 'stated total against the sum'
    })
    out.warnings.push({
      code: 'TotalDiffers',
      detail: `the notes state total debts of ${formatPence(said.value)}, the balances add up to ${formatPence(sum)}${partial ? ', with a balance unknown' : ''}`
    })
  }
  return {
    total: known.length === 0 ? undefined : worked(formatPence(sum)),
    partial,
    stated: said == null ? undefined : money(said),
    subtotals: all
      .filter(({ about, amount }) => about === 'debts' && amount !== said)
      .map(({ amount }) => money(amount)),
    difference: off === 0 ? undefined : worked(formatPence(Math.abs(off)))
  }
}

function consequences(debts: readonly Debt[], letter: Config['letter']): DebtView['consequences'] {
  const kinds = new Set(debts.flatMap(({ kind }) => (kind == null ? [] : [kind.value])))
  return [...kinds].flatMap(code => {
    const kind = letter.debt_kinds[code]
    return kind?.consequence == null ? [] : [{ kind: configured(kind.name), text: configured(kind.consequence) }]
  })
}
