import type { Period } from '../types.ts'
import { PhraseIndex } from './phrases.ts'
import type { Token } from './tokens.ts'

const UNIT: Record<string, Period> = {
  day: 'day',
  week: 'week',
  wk: 'week',
  weeks: 'week',
  fortnight: 'fortnight',
  month: 'month',
  mth: 'month',
  mnth: 'month',
  months: 'month',
  quarter: 'quarter',
  qtr: 'quarter',
  year: 'year',
  yr: 'year',
  annum: 'year'
}
const SHORT: Record<string, Period> = {
  '/m': 'month',
  '/4wks': '4-weeks',
  '/4wk': '4-weeks',
  '/4 weeks': '4-weeks',
  '/4 wks': '4-weeks',
  '/mo': 'month',
  '/w': 'week',
  '/f': 'fortnight',
  'per mo': 'month',
  pm: 'month',
  pcm: 'month',
  'p/m': 'month',
  'p.c.m': 'month',
  'p.m': 'month',
  monthly: 'month',
  mthly: 'month',
  'per calendar month': 'month',
  'a calendar month': 'month',
  pw: 'week',
  'p/w': 'week',
  'p.w': 'week',
  weekly: 'week',
  wkly: 'week',
  daily: 'day',
  fortnightly: 'fortnight',
  'every two weeks': 'fortnight',
  'every 2 weeks': 'fortnight',
  'per 2 weeks': 'fortnight',
  '2 weekly': 'fortnight',
  '2-weekly': 'fortnight',
  'every other week': 'fortnight',
  'every four weeks': '4-weeks',
  'every 4 weeks': '4-weeks',
  'every 4 wks': '4-weeks',
  'per 4 weeks': '4-weeks',
  'per 4 wks': '4-weeks',
  'per four weeks': '4-weeks',
  'a 4 weeks': '4-weeks',
  '4 weekly': '4-weeks',
  'four weekly': '4-weeks',
  '4wkly': '4-weeks',
  '4 wkly': '4-weeks',
  '4-wkly': '4-weeks',
  'each four weeks': '4-weeks',
  'each 4 weeks': '4-weeks',
  pa: 'year',
  'p.a': 'year',
  'p/a': 'year',
  yearly: 'year',
  annually: 'year',
  annual: 'year',
  quarterly: 'quarter'
}
/** Words that stand before a sum: "weekly rent of £90". */
const ADJECTIVES: Record<string, Period> = {
  weekly: 'week',
  monthly: 'month',
  fortnightly: 'fortnight',
  'four-weekly': '4-weeks',
  annual: 'year',
  yearly: 'year',
  quarterly: 'quarter',
  daily: 'day'
}

const index = new PhraseIndex<Period>()
for (const [unit, period] of Object.entries(UNIT)) {
  for (const lead of ['per', 'a', 'an', 'each', 'every', 'p', '/', 'all per', 'all each'])
    index.add(`${lead} ${unit}`, period)
}
for (const [phrase, period] of Object.entries(SHORT)) index.add(phrase, period)

export interface PeriodMatch {
  length: number
  period: Period
}

/** Reads "a month", "pcm", "/wk", "every four weeks" at `tokens[from]`. */
export function readPeriod(tokens: readonly Token[], from: number, to: number): PeriodMatch | undefined {
  const match = index.match(tokens, from, to)
  const period = match?.values[0]
  return match == null || period == null ? undefined : { length: match.length, period }
}

export function periodAdjective(lower: string): Period | undefined {
  return ADJECTIVES[lower]
}

/** The period that a table's cell or a heading's bracket names: "month", "per week", "4-weekly". */
export function periodNamed(tokens: readonly Token[], from: number, to: number): Period | undefined {
  for (let i = from; i < to; i++) {
    const phrase = readPeriod(tokens, i, to)
    if (phrase != null) return phrase.period
  }
  const only = to - from === 1 ? tokens[from]?.lower : undefined
  return only == null ? undefined : UNIT[only]
}
