import type { Lexicon } from './lexicon.ts'
import { scanDates } from './text/dates.ts'
import { scanMoney } from './text/money.ts'
import { isNumberWord } from './text/numbers.ts'
import { type Token, tokenise } from './text/tokens.ts'

/** A rewrite may be this much longer than what it says again. */
const MAX_GROWTH = 3
const ALLOWANCE = 120
const NEGATIONS = new Set([
  'not',
  'no',
  'never',
  'none',
  'nothing',
  'without',
  'cannot',
  'neither',
  'nor',
  'nobody',
  "can't",
  'unable',
  'refused',
  'rejected',
  'declined'
])

interface Content {
  money: string[]
  dates: string[]
  numbers: string[]
  options: string[]
  /** capitalised words that are names as far as can be told */
  names: Set<string>
  /** every word, in small letters */
  words: Set<string>
  negative: boolean
}

function contentOf(text: string, lexicon: Lexicon, starters: ReadonlySet<string>): Content {
  const tokens = tokenise(text)
  const taken = new Set<number>()
  const take = (from: number, to: number): void => {
    for (let i = from; i < to; i++) taken.add(i)
  }
  const dates = scanDates(tokens)
  for (const { from, to } of dates) take(from, to)
  const money = scanMoney(tokens, i => taken.has(i))
  for (const { from, to } of money) take(from, to)
  const options: string[] = []
  for (let i = 0; i < tokens.length; i++) {
    const match = taken.has(i) ? undefined : lexicon.options.match(tokens, i, tokens.length)
    const code = match?.values[0]
    if (match == null || code == null) continue
    options.push(code)
    take(i, i + match.length)
    i += match.length - 1
  }
  const rest = tokens.filter((_, i) => !taken.has(i))
  return {
    money: money
      .map(({ pence, start, end, period }) => `${pence ?? text.slice(start, end)} ${period ?? ''}`)
      .toSorted(),
    dates: dates.map(({ start, end }) => text.slice(start, end).toLowerCase().replace(/\s+/g, ' ')).toSorted(),
    numbers: rest
      .filter(({ kind, lower }) => kind === 'number' || (isNumberWord(lower) && lower !== 'one'))
      .map(({ lower }) => lower)
      .toSorted(),
    options: [...new Set(options)].toSorted(),
    names: new Set(rest.filter(token => isName(token, lexicon, starters)).map(({ stem }) => stem)),
    words: new Set(tokens.flatMap(({ lower, stem }) => [lower, stem])),
    negative: tokens.some(({ lower }) => NEGATIONS.has(lower) || lower.endsWith("n't"))
  }
}

function isName({ capital, lower, stem }: Token, lexicon: Lexicon, starters: ReadonlySet<string>): boolean {
  return capital && !starters.has(lower) && !lexicon.common.has(lower) && !lexicon.common.has(stem)
}

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i])

/**
 * Whether a rewrite says the same as the original in everything that must not change: the same amounts with their
 * periods, the same dates, numbers and options, no name more or fewer, and a negation only where there was one.
 */
export function keepsFacts(original: string, rewrite: string, lexicon: Lexicon, starters: readonly string[]): boolean {
  const known = new Set(starters)
  if (rewrite.trim() === '' || rewrite.length > original.length * MAX_GROWTH + ALLOWANCE || /[[\]<>{}|`]/.test(rewrite))
    return false
  const before = contentOf(original, lexicon, known)
  const after = contentOf(rewrite, lexicon, known)
  // any capital that the original has no word for is a new name, wherever it stands
  const added = tokenise(rewrite).some(
    ({ capital, lower, stem }) => capital && !known.has(lower) && !before.words.has(lower) && !before.words.has(stem)
  )
  const lost = [...before.names].some(name => !after.words.has(name))
  return (
    !added &&
    !lost &&
    before.negative === after.negative &&
    same(before.money, after.money) &&
    same(before.dates, after.dates) &&
    same(before.numbers, after.numbers) &&
    same(before.options, after.options)
  )
}
