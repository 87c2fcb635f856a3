import type { Lexicon } from '../lexicon.ts'
import { type Context, contextOf, type DebtRecord, sectionOf } from '../text/context.ts'
import { readLabel } from '../text/labels.ts'
import { readLayout } from '../text/layout.ts'
import { splitSentences } from '../text/sentences.ts'
import type { Token } from '../text/tokens.ts'
import type { Span } from '../types.ts'

/** A sentence, or what stands for one in a list, with what its place in the notes says about it. */
export interface Statement extends Context, Span {
  /** token range, `to` exclusive */
  from: number
  to: number
  /** code of the label right before it, where it has one of its own */
  label?: string
  labelSpan?: Span
  /** consecutive statements of running text share one number */
  paragraph: number
  /** lines without an empty line or a heading in between share one number */
  block: number
  /** running text, as against a line of a list or a field */
  prose: boolean
}

export interface Reading {
  statements: Statement[]
  records: DebtRecord[]
}

/** Characters that an item of a list has at most, where no heading says that it is one. */
const MAX_ITEM = 70
/** Sections whose name still colours the sentences after it. */
const MONEY_SECTIONS = new Set(['debts', 'income', 'spending'])

/** Index of the first token at or after `offset`. */
export function tokenAt(tokens: readonly Token[], offset: number): number {
  let low = 0
  let high = tokens.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((tokens[middle]?.start ?? 0) < offset) low = middle + 1
    else high = middle
  }
  return low
}

/** Cuts the notes into statements. A label within running text ("Inc: UC £890pm.") governs its sentence. */
export function readStatements(lexicon: Lexicon, notes: string, tokens: readonly Token[]): Reading {
  const { pieces, records } = readLayout(lexicon, notes)
  const statements: Statement[] = []
  for (const piece of pieces) {
    let context: Context = {
      section: piece.section,
      firm: piece.firm,
      priority: piece.priority,
      period: piece.period,
      heading: piece.heading
    }
    let label = piece.label
    let labelSpan = piece.labelSpan
    // a line under a heading, or a short one, that doesn't end like a sentence is an item
    const alone = !notes.slice(piece.start, piece.end).includes('\n')
    const money = piece.firm && MONEY_SECTIONS.has(piece.section ?? '')
    const listed = alone && (money || piece.end - piece.start <= MAX_ITEM)
    const wrapped = piece.kind === 'field' && notes.slice(piece.start, piece.end).includes('\n')
    for (const sentence of splitSentences(tokens, tokenAt(tokens, piece.start), tokenAt(tokens, piece.end))) {
      let { from } = sentence
      const start = tokens[from]?.start ?? piece.start
      const end = tokens[sentence.to - 1]?.end ?? piece.end
      const inline = readLabel(lexicon, notes.slice(start, Math.min(end, start + 80)), context.section)
      const section = inline == null ? undefined : sectionOf(inline.code)
      if (inline != null && start + inline.value < end) {
        const heading = { start, end: start + inline.value }
        context =
          section == null
            ? { ...context, period: contextOf(inline, '', heading).period }
            : contextOf(inline, section, heading)
        label = inline.code
        labelSpan = heading
        from = tokenAt(tokens, start + inline.value)
      }
      statements.push({
        ...context,
        start: tokens[from]?.start ?? start,
        end,
        from,
        to: sentence.to,
        label,
        labelSpan,
        paragraph: piece.paragraph,
        block: piece.block,
        prose: (piece.kind === 'text' || wrapped) && !piece.bullet && !(listed && tokens[sentence.to - 1]?.text !== '.')
      })
      // A label in running text reaches as far as its list: over semicolons, not over a full stop.
      const stopped = tokens[sentence.to - 1]?.text !== ';'
      // a label before a whole paragraph is about its first sentence
      const running = piece.kind === 'text' || wrapped
      if (stopped && (running || label !== piece.label)) {
        const money = context.section != null && MONEY_SECTIONS.has(context.section)
        const section = money ? context.section : running && piece.kind === 'field' ? undefined : piece.section
        context = {
          section,
          firm: piece.firm && !wrapped && section != null && section === piece.section,
          priority: piece.priority,
          period: piece.period,
          heading: piece.heading
        }
        label = undefined
        labelSpan = undefined
      }
    }
  }
  return { statements, records }
}
