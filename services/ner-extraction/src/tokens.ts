import type { Span } from './entity.ts'
import { denoise, fold, skeleton } from './fold.ts'
import { isOrdinary } from './words.ts'

/** How a word is written: `next`, `Next`, `NEXT`, `NextDay`. */
export type Casing = 'lower' | 'title' | 'upper' | 'mixed'

export interface Token extends Span {
  text: string
  folded: string
  /** its {@link skeleton}, letters and figures only: what the gazetteers go by */
  key: string
  casing: Casing
  /** what stands between the word before and this one */
  gap: string
  /** where the word ends without a possessive 's */
  stemEnd: number
  /** the folded word without a possessive 's */
  stem: string
  /** first of a line or a sentence, where a capital says little */
  first: boolean
  /** first of its line */
  lineStart: boolean
  /** in a line without small letters, where capitals say nothing */
  shouted: boolean
}

const WORD = /[\p{L}\p{M}\p{N}]+(?:['’‘`-][\p{L}\p{M}\p{N}]+)*/gu
/** a longer run of letters is no word */
const MAX_WORD = 40
const SENTENCE_END = /[.!?]["'”’)\]]{0,2}\s+["'“‘([]{0,2}$|[:•*]\s{0,4}["'“]?$|\t/
/** a full stop after these ends no sentence */
const ABBREVIATIONS = new Set(
  'mr mrs ms dr rev prof st no ref tel mob acc co ltd re vs v cllr approx inc encl dept poss'.split(' ')
)

/** The words of a text that lie outside the spans already claimed, with all that the rules for names ask of them. */
export function tokenize(text: string, claimed: (span: Span) => boolean): Token[] {
  const words = denoise(text)
  const tokens: Token[] = []
  let previousEnd = 0
  let shoutedUntil = -1
  let shouted = false
  for (const { 0: word, index } of words.matchAll(WORD)) {
    const end = index + word.length
    if (index >= shoutedUntil) {
      shoutedUntil = lineEnd(words, index)
      shouted = isShouted(words.slice(index, Math.min(shoutedUntil, index + 200)))
    }
    if (word.length > MAX_WORD || claimed({ start: index, end })) continue
    const gap = text.slice(previousEnd, index)
    const previous = tokens.at(-1)
    const lineStart = tokens.length === 0 || gap.includes('\n')
    const possessive = /['’‘`]s$/i.test(word) && word.length > 3
    const folded = righted(fold(word))
    tokens.push({
      start: index,
      end,
      text: word,
      folded,
      key: skeleton(folded.replace(/[^\p{L}\p{N}]/gu, '')),
      casing: casingOf(word),
      gap,
      stemEnd: possessive ? end - 2 : end,
      stem: possessive ? folded.slice(0, -1) : folded,
      first: lineStart || (SENTENCE_END.test(gap) && !(previous != null && isAbbreviation(previous, gap))),
      lineStart,
      shouted
    })
    previousEnd = end
  }
  return tokens
}

/** `Citv`, `Countv`: a v that ends a word was a y. */
function righted(folded: string): string {
  if (!folded.endsWith('v') || isOrdinary(folded)) return folded
  const right = `${folded.slice(0, -1)}y`
  return isOrdinary(right) ? right : folded
}

function isAbbreviation(token: Token, gap: string): boolean {
  return /^\.\s+$/.test(gap) && (ABBREVIATIONS.has(token.folded) || /^\p{Lu}$/u.test(token.text))
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end < 0 ? text.length : end
}

function isShouted(line: string): boolean {
  const letters = line.match(/\p{L}/gu) ?? []
  return letters.length > 3 && letters.filter(letter => /\p{Ll}/u.test(letter)).length <= letters.length * 0.15
}

function casingOf(word: string): Casing {
  if (!/\p{Lu}/u.test(word)) return 'lower'
  if (!/\p{Ll}/u.test(word)) return 'upper'
  // hyphens and apostrophes start anew: O'Rourke, Adeyemi-Bright; so do Mc and Mac
  if (/^(?:\p{Lu}[\p{Ll}\p{M}\d]*|(?:Mc|Mac)\p{Lu}[\p{Ll}\p{M}]*)(?:['’‘`-]\p{L}[\p{Ll}\p{M}\d]*)*$/u.test(word))
    return 'title'
  return /^\p{Lu}/u.test(word) ? 'mixed' : 'lower'
}

export function isCapital(token: Token | undefined): token is Token {
  return token != null && token.casing !== 'lower'
}

/** The words right before a token, nearest first, up to the end of the clause; further back a stop may be an abbreviation's. */
export function wordsBefore(tokens: Token[], index: number, count: number): string[] {
  const words: string[] = []
  for (let i = index; i > 0 && words.length < count; i--) {
    const [token, previous] = [tokens[i], tokens[i - 1]]
    if (token == null || previous == null || CLAUSE_END.test(token.gap)) break
    if (token.gap.startsWith('.') && (i === index || token.gap !== '. ')) break
    words.push(previous.folded)
  }
  return words
}

const CLAUSE_END = /[;!?\n]|.\./
