import type { Token } from './tokens.ts'

const UNITS = new Map<string, number>(
  Object.entries({
    zero: 0,
    one: 1,
    two: 2,
    three: 3,
    four: 4,
    five: 5,
    six: 6,
    seven: 7,
    eight: 8,
    nine: 9,
    ten: 10,
    eleven: 11,
    twelve: 12,
    thirteen: 13,
    fourteen: 14,
    fifteen: 15,
    sixteen: 16,
    seventeen: 17,
    eighteen: 18,
    nineteen: 19
  })
)
const TENS = new Map<string, number>(
  Object.entries({ twenty: 20, thirty: 30, forty: 40, fifty: 50, sixty: 60, seventy: 70, eighty: 80, ninety: 90 })
)
/** Longest run of words that is read as one number. */
const MAX_WORDS = 16

export function isNumberWord(lower: string): boolean {
  return UNITS.has(lower) || TENS.has(lower) || lower === 'hundred' || lower === 'thousand'
}

/** The fewest pounds that "eight hundred" with no unit may stand for. */
export const ROUND = 100

export interface NumberWords {
  /** how many tokens it covers */
  length: number
  /** undefined where the words are numbers but make no number ("twelve fifty") */
  value: number | undefined
}

/** Reads "two thousand three hundred and fifty" at `tokens[from]`; "a hundred" and "a thousand" too. */
export function readNumberWords(tokens: readonly Token[], from: number, to: number): NumberWords | undefined {
  let total = 0
  let group = 0
  let valid = true
  let last: 'none' | 'unit' | 'ten' | 'hundred' | 'thousand' = 'none'
  let length = 0
  for (let i = from; i < to && i - from < MAX_WORDS; i++) {
    const lower = tokens[i]?.lower ?? ''
    const unit = UNITS.get(lower)
    const ten = TENS.get(lower)
    if (unit != null) {
      if (last === 'unit' || (last === 'ten' && unit > 9)) valid = false
      group += unit
      last = 'unit'
    } else if (ten != null) {
      if (last === 'unit' || last === 'ten') valid = false
      group += ten
      last = 'ten'
    } else if (lower === 'hundred') {
      if (last === 'hundred' || (last === 'thousand' && group === 0)) valid = false
      group = Math.max(1, group) * 100
      last = 'hundred'
    } else if (lower === 'thousand') {
      if (last === 'thousand') valid = false
      total += Math.max(1, group) * 1000
      group = 0
      last = 'thousand'
    } else if (i === from && lower === 'a' && ['hundred', 'thousand'].includes(tokens[i + 1]?.lower ?? '')) {
      continue
    } else if ((lower === 'and' || lower === '-') && last !== 'none' && isNumberWord(tokens[i + 1]?.lower ?? '')) {
      continue
    } else {
      break
    }
    length = i - from + 1
  }
  if (last === 'none') return undefined
  return { length, value: valid ? total + group : undefined }
}

const ORDINALS = new Map<string, number>(
  Object.entries({
    first: 1,
    second: 2,
    third: 3,
    fourth: 4,
    fifth: 5,
    sixth: 6,
    seventh: 7,
    eighth: 8,
    ninth: 9,
    tenth: 10,
    eleventh: 11,
    twelfth: 12,
    thirteenth: 13,
    fourteenth: 14,
    fifteenth: 15,
    sixteenth: 16,
    seventeenth: 17,
    eighteenth: 18,
    nineteenth: 19,
    twentieth: 20,
    thirtieth: 30
  })
)

/** Reads "twentieth" or "twenty-first" at `tokens[from]`. */
export function readOrdinal(tokens: readonly Token[], from: number): { length: number; value: number } | undefined {
  const first = tokens[from]?.lower ?? ''
  const single = ORDINALS.get(first)
  if (single != null) return { length: 1, value: single }
  const ten = TENS.get(first)
  if (ten == null) return undefined
  const dash = tokens[from + 1]?.text === '-' ? 1 : 0
  const unit = ORDINALS.get(tokens[from + 1 + dash]?.lower ?? '')
  if (unit == null || unit > 9) return undefined
  return { length: 2 + dash, value: ten + unit }
}
