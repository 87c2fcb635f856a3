import type { Span } from '../types.ts'
import type { Token } from './tokens.ts'

/** Token range of a sentence, `to` exclusive. */
export interface Sentence {
  from: number
  to: number
}

/** Words whose full stop doesn't end a sentence. */
const ABBREVIATIONS = new Set('mr mrs ms dr rev st no ref vs v eg ie approx tel est dept opp nr ext'.split(' '))
/** … unless a capital follows */
const CUT_SHORT = new Set('arr arrs inc exp adv disc opts dec cncl bal acc acct'.split(' '))
const CLOSERS = new Set(['"', '”', '’', "'", ')', ']'])
/** Tokens after which a sentence is cut even without an end, so that one quoted whole stays readable. */
export const MAX_SENTENCE = 160
/** … even in the midst of a figure */
const LONGEST = 200

function endsSentence(tokens: readonly Token[], i: number, to: number): boolean {
  const mark = tokens[i]
  const next = tokens[i + 1]
  if (mark == null) return false
  if (mark.text === ';') return true
  if (mark.text === '!' || mark.text === '?') return next == null || !next.joined
  if (mark.text !== '.') return false
  if (i + 1 >= to || next == null) return true
  if (next.joined && !CLOSERS.has(next.text)) return false
  const before = tokens[i - 1]
  if (before == null || !mark.joined) return true
  if (ABBREVIATIONS.has(before.lower)) return false
  if (CUT_SHORT.has(before.lower)) return next.capital
  // an initial: "Mr G. Llewellyn", "p.w."
  if (before.kind === 'word' && before.text.length === 1) {
    const dotted = tokens[i - 2]?.text === '.' && before.joined
    const initial = before.capital && next.capital && !dotted
    return !(initial || (!before.capital && !next.capital))
  }
  return true
}

/** Cuts a run of tokens into sentences; a semicolon ends one too. Brackets and quotes are not taken into account. */
export function splitSentences(tokens: readonly Token[], from: number, to: number): Sentence[] {
  const sentences: Sentence[] = []
  let start = from
  for (let i = from; i < to; i++) {
    const length = i - start + 1
    const full =
      length >= LONGEST || (length >= MAX_SENTENCE && tokens[i]?.kind === 'word' && tokens[i + 1]?.kind === 'word')
    if (!full && !endsSentence(tokens, i, to)) continue
    let end = i + 1
    while (end < to && tokens[end]?.joined && CLOSERS.has(tokens[end]?.text ?? '') && !full) end += 1
    sentences.push({ from: start, to: end })
    start = end
    i = end - 1
  }
  if (start < to) sentences.push({ from: start, to })
  return sentences
}

export function spanOf(tokens: readonly Token[], { from, to }: Sentence): Span {
  return { start: tokens[from]?.start ?? 0, end: tokens[to - 1]?.end ?? 0 }
}
