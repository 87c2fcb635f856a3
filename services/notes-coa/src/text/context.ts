import type { Period, Said, Span } from '../types.ts'
import type { Label } from './labels.ts'

/** What the place of a text in the notes says about it. */
export interface Context {
  /** code of the label that governs: `debts`, `income`, `options`, … */
  section: string | undefined
  /** the section was named by a label or heading, not guessed */
  firm: boolean
  priority?: Said<boolean>
  period?: Said<Period>
  /** the label or heading itself */
  heading?: Span
}

/** A stretch of the notes that is read as one: a line, a bullet, a table's row, or a paragraph of wrapped lines. */
export interface Piece extends Context, Span {
  kind: 'field' | 'text' | 'row'
  /** code of the piece's own label, where it has one */
  label?: string
  labelSpan?: Span
  /** consecutive pieces of running text share one number */
  paragraph: number
  /** lines without an empty line or a heading in between share one number */
  block: number
  bullet: boolean
}

/** A debt that is written field by field: a table's row or a block of "Creditor: …", "Balance: …". */
export interface DebtRecord {
  creditor?: Span
  kind?: Span
  balance?: Span
  priority?: Span
  stage?: Span
  context: Context
  /** everything that belongs to it */
  whole: Span
}

export interface Layout {
  pieces: Piece[]
  records: DebtRecord[]
}

/** Sections that go on over the lines below their heading. */
const SECTIONS = new Set([
  'debts',
  'income',
  'spending',
  'budget',
  'options',
  'decision',
  'reasons',
  'actions',
  'deadlines',
  'documents',
  'referrals',
  'consent',
  'problem',
  'circumstances',
  'consequences'
])

export function sectionOf(code: string): string | undefined {
  if (code === 'debts_priority' || code === 'debts_non_priority') return 'debts'
  return SECTIONS.has(code) ? code : undefined
}

/** The context that a label opens; `heading` is where the label stands. */
export function contextOf(label: Label, section: string, heading: Span): Context {
  return {
    section,
    firm: true,
    priority: label.priority == null ? undefined : { value: label.priority, span: heading },
    period: label.period == null ? undefined : { value: label.period, span: heading },
    heading
  }
}
