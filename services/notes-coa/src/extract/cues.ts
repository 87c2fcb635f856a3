import type { Cue } from '../config.ts'
import type { Amount } from '../text/money.ts'
import type { Token } from '../text/tokens.ts'
import { type Document, within } from './document.ts'
import type { Frame } from './frames.ts'
import type { Statement } from './statements.ts'

/** A word that says what a sum may be. */
export interface CueMention {
  cues: readonly Cue[]
  from: number
  to: number
}

/** What a sentence can be speaking of. */
export type Mode = 'debt' | 'income' | 'spending'

const MODES: Partial<Record<Cue, Mode>> = { owe: 'debt', arrears: 'debt', earn: 'income', spend: 'spending' }
/** How near a cue has to stand, in tokens. */
const NEAR = 7
/** A short word for a whole ("out", "exp") counts only where it opens the sentence. */
const SHORT = 5

/** Finds the cues of a token range. Words within a firm's name ("Max Recovery") say nothing about a sum. */
export function findCues({ lexicon, tokens, names }: Document, from: number, to: number): CueMention[] {
  const firms = within(names, from, to).filter(({ kind }) => kind === 'creditor' || kind === 'organisation')
  const found: CueMention[] = []
  let firm = 0
  for (let i = from; i < to; ) {
    while (firm < firms.length && (firms[firm]?.to ?? to) <= i) firm += 1
    const inside = firms[firm]
    if (inside != null && inside.from <= i) {
      i = inside.to
      continue
    }
    const match = lexicon.cues.match(tokens, i, to)
    if (match != null) found.push({ cues: match.values, from: i, to: i + match.length })
    i += match?.length ?? 1
  }
  return found
}

/** The words around one sum. */
export class Surroundings {
  readonly cues: readonly CueMention[]
  /** first token that may speak of the sum: after the sum before */
  readonly left: number
  /** as `left`, but not past a comma or "and" */
  readonly clause: number
  /** past the last token that may speak of the sum: up to a comma, a bracket, the next sum */
  readonly right: number
  readonly #tokens: readonly Token[]
  readonly #start: number

  constructor(
    tokens: readonly Token[],
    cues: readonly CueMention[],
    statement: Statement,
    amount: Amount,
    previous: Amount | undefined,
    next: Amount | undefined
  ) {
    this.#tokens = tokens
    this.#start = statement.from
    this.cues = cues
    this.left = Math.max(previous?.after ?? statement.from, amount.from - 2 * NEAR)
    this.clause = clauseStart(tokens, this.left, amount.from, previous != null)
    this.right = clauseEnd(
      tokens,
      amount.after,
      Math.min(next?.from ?? statement.to, amount.after + NEAR),
      next != null
    )
  }

  /** A cue speaks of the sum: in its clause, or anywhere between the sums around it. */
  near(cue: Cue, whole = false): boolean {
    return this.between(cue, whole ? this.left : this.clause, this.right)
  }

  between(cue: Cue, from: number, to: number): boolean {
    return this.cues.some(mention => mention.cues.includes(cue) && mention.from >= from && mention.to <= to)
  }

  /** As `between`, for words for the whole of something. */
  wholeBetween(cue: Cue, from: number, to: number): boolean {
    return this.cues.some(mention => {
      if (!mention.cues.includes(cue) || mention.from < from || mention.to > to) return false
      const word = this.#tokens[mention.from]?.text ?? ''
      return mention.to - mention.from > 1 || word.length > SHORT || mention.from <= this.#start + 1
    })
  }

  /** "Household spend on the budget sheet": the frame is part of words for the whole. */
  coversWhole(frame: Frame): boolean {
    return this.cues.some(
      ({ cues, from, to }) => cues.some(cue => cue.startsWith('all_')) && from <= frame.from && to >= frame.to
    )
  }

  /** What the words up to the sum speak of last. */
  modeAt(amount: Amount): Mode | undefined {
    let mode: Mode | undefined
    for (const { cues, from } of this.cues) {
      if (from >= amount.from) break
      for (const cue of cues) mode = MODES[cue] ?? mode
    }
    return mode
  }
}

function clauseStart(tokens: readonly Token[], left: number, from: number, listed: boolean): number {
  for (let i = from - 1; i >= left; i--) {
    const { lower = '' } = tokens[i] ?? {}
    if (lower === ';' || lower === ',' || (lower === 'and' && listed)) return i + 1
  }
  return left
}

function clauseEnd(tokens: readonly Token[], from: number, to: number, listed: boolean): number {
  for (let i = from; i < to; i++) {
    const { lower = '' } = tokens[i] ?? {}
    if (lower === ';' || lower === ',' || lower === '.') return i
    if (lower === '(' && (i > from || listed)) return i
    if (listed && (lower === 'plus' || lower === 'and')) return i
  }
  return to
}
