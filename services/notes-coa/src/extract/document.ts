import type { Lexicon } from '../lexicon.ts'
import { type DateMention, scanDates } from '../text/dates.ts'
import { type Amount, scanMoney } from '../text/money.ts'
import { type Token, tokenise } from '../text/tokens.ts'
import { findNames, type NameMention } from './names.ts'
import { type Reading, readStatements, type Statement } from './statements.ts'

/** The notes, read once: what every extractor works on. */
export interface Document extends Reading {
  notes: string
  lexicon: Lexicon
  tokens: Token[]
  dates: DateMention[]
  /** every sum, and every bare number that may be one */
  amounts: Amount[]
  names: NameMention[]
}

const NUMBER_LEADS = new Set(
  'no ref number section form aged age box flat unit s ext case pin page line chapter cf claim'.split(' ')
)
const YEAR_LEADS = new Set(
  'in since until till from of by during before after last year tax for and to jan feb mar apr may jun jul aug sep oct nov dec'.split(
    ' '
  )
)

/** A bare number that counts, dates, numbers or phones something is no sum. */
function isSum(tokens: readonly Token[], lexicon: Lexicon, amount: Amount): boolean {
  if (amount.certainty !== 'bare') return true
  const token = tokens[amount.from]
  const before = tokens[amount.from - 1]
  const next = tokens[amount.to]
  if (token == null) return false
  if (token.text.startsWith('0') && token.text.length > 1) return false
  if (next?.text === '%' || (next?.text === ':' && next.joined && tokens[amount.to + 1]?.joined)) return false
  if (before?.text === ':' && before.joined && token.joined) return false
  if (before != null && (NUMBER_LEADS.has(before.lower) || before.text === '#')) return false
  if (/^(19|20)\d\d$/.test(token.text) && before?.kind === 'word' && YEAR_LEADS.has(before.lower)) return false
  if (token.text.length > 7) return false
  // "(1) DRO", "Sinead (43)"
  if (next?.text === ')' && before?.text === '(' && token.text.length <= 2) return false
  const beforeThat = tokens[amount.from - 2]
  // "2023/24"
  if (
    before != null &&
    ['/', '-'].includes(before.text) &&
    before.joined &&
    token.joined &&
    beforeThat?.kind === 'number'
  )
    return false
  const glued = next?.joined && (next.text === '-' || next.text === '/') && tokens[amount.to + 1]?.joined
  if (glued || (before?.text === '-' && before.joined && token.joined && tokens[amount.from - 2]?.kind === 'word'))
    return false
  return !(next?.kind === 'word' && lexicon.countNouns.has(next.lower))
}

export function readDocument(lexicon: Lexicon, notes: string): Document {
  const tokens = tokenise(notes)
  const dates = scanDates(tokens)
  const names = findNames(lexicon, tokens)
  const taken = new Uint8Array(tokens.length)
  for (const { from, to } of dates) taken.fill(1, from, to)
  for (const { from, to, kind } of names) if (kind === 'creditor') taken.fill(1, from, to)
  const amounts = scanMoney(tokens, index => taken[index] === 1).filter(amount => isSum(tokens, lexicon, amount))
  const { statements, records } = readStatements(lexicon, notes, tokens)
  return { notes, lexicon, tokens, dates, amounts, names, statements, records }
}

/** The items of a sorted list that lie within a token range. */
export function within<T extends { from: number; to: number }>(items: readonly T[], from: number, to: number): T[] {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((items[middle]?.from ?? 0) < from) low = middle + 1
    else high = middle
  }
  const found: T[] = []
  for (let i = low; i < items.length; i++) {
    const item = items[i]
    if (item == null || item.from >= to) break
    if (item.to <= to) found.push(item)
  }
  return found
}

/** The statement that a token lies in. */
export function statementAt(statements: readonly Statement[], token: number): Statement | undefined {
  let low = 0
  let high = statements.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const statement = statements[middle]
    if (statement == null) return undefined
    if (token < statement.from) high = middle - 1
    else if (token >= statement.to) low = middle + 1
    else return statement
  }
  return undefined
}
