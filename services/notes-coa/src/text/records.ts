import type { Lexicon } from '../lexicon.ts'
import type { Span } from '../types.ts'
import type { Cell } from './cells.ts'
import type { Context, DebtRecord } from './context.ts'
import { type Label, labelOf } from './labels.ts'

/** A debt's name is no longer than this. */
const MAX_NAME = 60

const PRIORITIES = new Set(['debts_priority', 'debts_non_priority'])

/** Puts together debts that are written field by field. */
export class RecordReader {
  readonly records: DebtRecord[] = []
  readonly #lexicon: Lexicon
  #open: DebtRecord | undefined
  /** where the line of the open record starts */
  #line = -1

  constructor(lexicon: Lexicon) {
    this.#lexicon = lexicon
  }

  close(): void {
    this.#open = undefined
  }

  /** "Creditor: …", "Balance: …": true where the field belongs to a debt. */
  take(label: Label, value: Span, written: string, whole: Span, context: Context, line: number): boolean {
    const open = this.#open
    const named =
      label.code === 'creditor' ||
      (label.code === 'debts' && /^debt\b/.test(label.words) && !/\d{2}/.test(written) && written.length < MAX_NAME)
    if (open != null && this.#fill(open, label, value, written, line)) {
      open.whole = { start: Math.min(open.whole.start, whole.start), end: Math.max(open.whole.end, whole.end) }
      return true
    }
    if (!named || written.trim() === '') return false
    this.#open = { creditor: value, context: { ...context, section: 'debts' }, whole: { ...whole } }
    this.#line = line
    this.records.push(this.#open)
    return true
  }

  #fill(open: DebtRecord, label: Label, value: Span, written: string, line: number): boolean {
    const sum = isSum(written)
    if (open.balance == null && sum && ['debts', 'balance', 'total'].includes(label.code)) {
      open.balance = value
    } else if (PRIORITIES.has(label.code) && this.#isPriority(written)) {
      open.priority = value
    } else if (open.kind == null && label.code === 'debt_type') {
      open.kind = value
    } else if (open.kind == null && label.code === 'debts' && label.words === 'debt' && !sum && line === this.#line) {
      open.kind = value
    } else if (label.code === 'stage') {
      open.stage = value
    } else {
      return false
    }
    return true
  }

  #isPriority(text: string): boolean {
    const written = text.trim()
    return (
      /^(?:y|n|yes|no|p|np|non-?\s?priority|priority)\.?$/i.test(written) ||
      PRIORITIES.has(labelOf(this.#lexicon, written)?.code ?? '')
    )
  }

  /** A row of a table of debts. */
  row(cells: readonly Cell[], columns: readonly (string | undefined)[], context: Context, whole: Span): boolean {
    const at = (...names: string[]): Span | undefined => {
      const found = cells.find((cell, i) => names.includes(columns[i] ?? '') && cell.text !== '')
      return found == null ? undefined : { start: found.start, end: found.end }
    }
    const creditor = at('creditor', 'debts')
    if (creditor == null) return false
    this.records.push({
      creditor,
      kind: at('debt_type'),
      balance: at('balance', 'total'),
      priority: at('priority', 'debts_priority'),
      stage: at('stage'),
      context: { ...context, section: 'debts' },
      whole
    })
    return true
  }
}

function isSum(text: string): boolean {
  const written = text.trim()
  return written.length < 40 && /^[£\s-]*\d[\d,.]*\s*(?:k|pounds)?\.?$/i.test(written)
}
