import type { Config } from '../config.ts'
import type { BudgetLine, StatedTotal } from '../extract/budget.ts'
import type { Case } from '../extract/case.ts'
import { convertPence, formatPence } from '../money-text.ts'
import type { Period } from '../types.ts'
import { type MoneyNotes, money } from './debt-view.ts'
import { configured, gapPiece, noted, type Piece, worked } from './pieces.ts'

export interface BudgetRow {
  label: Piece
  amount: Piece
  period: Piece
  /** on the basis on which sums are compared */
  converted: Piece | undefined
}

export interface ListView {
  rows: BudgetRow[]
  total: Piece | undefined
  stated: Piece | undefined
  statedPeriod: Piece | undefined
  difference: Piece | undefined
  /** lines without a period were counted as the others are */
  assumed: Piece | undefined
  /** lines differ in period and some have none, so no total is worked out */
  mixed: boolean
}

export interface BudgetView {
  basis: Piece
  basisName: Piece
  income: ListView
  spending: ListView
  surplus: Piece | undefined
  deficit: boolean
  statedSurplus: Piece | undefined
  statedDeficit: boolean
  surplusDifference: Piece | undefined
}

type About = 'income' | 'spending'

interface Summed {
  view: ListView
  /** pence on the basis, where it could be worked out */
  total: number | undefined
}

class BudgetBuilder {
  readonly #letter: Config['letter']
  readonly #out: MoneyNotes
  readonly #basis: Period

  constructor(letter: Config['letter'], out: MoneyNotes) {
    this.#letter = letter
    this.#out = out
    this.#basis = letter.basis
  }

  #convert(pence: number, period: Period): number {
    const { periods } = this.#letter
    return period === this.#basis ? pence : convertPence(pence, periods[period].factor, periods[this.#basis].factor)
  }

  /** The period of lines that name none: that of the others where they agree, the basis where nobody says. */
  #silent(lines: readonly BudgetLine[]): Period | undefined {
    const said = new Set(lines.flatMap(({ period }) => (period == null ? [] : [period.value])))
    const [only] = said
    return said.size > 1 ? undefined : (only ?? this.#basis)
  }

  list(about: About, lines: readonly BudgetLine[], stated: StatedTotal | undefined): Summed {
    const silent = this.#silent(lines)
    const unsaid = lines.filter(({ period }) => period == null).length
    const rows = lines.map((line, i): BudgetRow => this.#row(about, line, i, silent))
    const mixed = unsaid > 0 && silent == null
    let total: number | undefined
    if (lines.length > 0 && !mixed) {
      total = lines.reduce(
        (sum, { amount, period }) => sum + this.#convert(amount.value, period?.value ?? silent ?? this.#basis),
        0
      )
      this.#out.calculated.push({
        field: `${about}.total`,
        value: total,
        from: lines.map((_, i) => `${about}[${i}].amount`),
        how: `sum, each ${this.#letter.periods[this.#basis].each}`
      })
    }
    const assumedPeriod = unsaid > 0 && silent != null ? silent : undefined
    if (assumedPeriod != null) {
      this.#out.warnings.push({
        code: 'PeriodAssumed',
        detail: `${about}: ${unsaid} of ${lines.length} amounts have no period in the notes and were counted as ${this.#letter.periods[assumedPeriod].each}`
      })
    }
    return {
      total,
      view: {
        rows,
        mixed,
        total: total == null ? undefined : worked(formatPence(total)),
        assumed: assumedPeriod == null ? undefined : configured(this.#letter.periods[assumedPeriod].name),
        ...this.#against(about, stated, total)
      }
    }
  }

  #row(about: About, { label, amount, period }: BudgetLine, i: number, silent: Period | undefined): BudgetRow {
    const each = period == null ? undefined : this.#letter.periods[period.value].each
    const known = period?.value ?? silent
    const converted = known == null ? undefined : this.#convert(amount.value, known)
    if (converted != null && known !== this.#basis) {
      this.#out.calculated.push({
        field: `${about}[${i}].converted`,
        value: converted,
        from: [`${about}[${i}].amount`],
        how: `from ${this.#letter.periods[known ?? this.#basis].each} to ${this.#letter.periods[this.#basis].each}`
      })
    }
    return {
      label: noted(label.value, label.span),
      amount: money(amount),
      period:
        period == null || each == null
          ? gapPiece(`${about}[${i}].period`, `how often: ${label.value} ${formatPence(amount.value)}`)
          : noted(each),
      converted: converted == null ? undefined : known === this.#basis ? money(amount) : worked(formatPence(converted))
    }
  }

  #against(
    about: About,
    stated: StatedTotal | undefined,
    total: number | undefined
  ): Pick<ListView, 'stated' | 'statedPeriod' | 'difference'> {
    if (stated == null) return { stated: undefined, statedPeriod: undefined, difference: undefined }
    const value = this.#convert(stated.amount.value, stated.period?.value ?? this.#basis)
    const off = total == null ? 0 : value - total
    if (off !== 0 && total != null) {
      this.#out.calculated.push({
        field: `${about}.difference`,
        value: Math.abs(off),
        from: [`${about}.total`, `stated.${about}`],
        how: 'stated total against the sum'
      })
      this.#out.warnings.push({
        code: 'TotalDiffers',
        detail: `the notes state total ${about} of ${formatPence(stated.amount.value)}, the lines add up to ${formatPence(total)} ${this.#letter.periods[this.#basis].each}`
      })
    }
    const each = stated.period == null ? undefined : this.#letter.periods[stated.period.value].each
    return {
      stated: money(stated.amount),
      statedPeriod: stated.period == null || each == null ? undefined : noted(each),
      difference: off === 0 ? undefined : worked(formatPence(Math.abs(off)))
    }
  }

  /** What is left over: worked out from whole lists; nothing where one of the two isn't known. */
  surplus(
    income: number | undefined,
    spending: number | undefined,
    stated: StatedTotal | undefined
  ): Pick<BudgetView, 'surplus' | 'deficit' | 'statedSurplus' | 'statedDeficit' | 'surplusDifference'> {
    const value = income == null || spending == null ? undefined : income - spending
    if (value != null)
      this.#out.calculated.push({
        field: 'surplus',
        value,
        from: ['income.total', 'spending.total'],
        how: 'income less spending'
      })
    const said = stated == null ? undefined : this.#convert(stated.amount.value, stated.period?.value ?? this.#basis)
    const off = value == null || said == null ? 0 : said - value
    if (off !== 0 && stated != null && value != null) {
      this.#out.calculated.push({
        field: 'surplus.difference',
        value: Math.abs(off),
        from: ['surplus', 'stated.surplus'],
        how: 'stated surplus against income less spending'
      })
      this.#out.warnings.push({
        code: 'TotalDiffers',
        detail: `the notes state a ${stated.amount.value < 0 ? 'deficit' : 'surplus'} of ${formatPence(Math.abs(stated.amount.value))}, income less spending is ${formatPence(value)}`
      })
    }
    return {
      surplus: value == null ? undefined : worked(formatPence(Math.abs(value))),
      deficit: value != null && value < 0,
      statedSurplus: stated == null ? undefined : noted(formatPence(Math.abs(stated.amount.value)), stated.amount.span),
      statedDeficit: stated != null && stated.amount.value < 0,
      surplusDifference: off === 0 ? undefined : worked(formatPence(Math.abs(off)))
    }
  }
}

export function buildBudget({ budget }: Case, { letter }: Config, out: MoneyNotes): BudgetView {
  const builder = new BudgetBuilder(letter, out)
  const stated = (about: StatedTotal['about']): StatedTotal | undefined =>
    budget.stated.find(total => total.about === about)
  const income = builder.list('income', budget.income, stated('income'))
  const spending = builder.list('spending', budget.spending, stated('spending'))
  return {
    basis: configured(letter.periods[letter.basis].each),
    basisName: configured(letter.periods[letter.basis].name),
    income: income.view,
    spending: spending.view,
    ...builder.surplus(income.total, spending.total, stated('surplus'))
  }
}
