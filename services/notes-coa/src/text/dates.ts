import type { Span } from '../types.ts'
import { isNumberWord, readNumberWords, readOrdinal } from './numbers.ts'
import type { Token } from './tokens.ts'

export interface DateMention extends Span {
  /** token indices, `to` exclusive */
  from: number
  to: number
  /**
   * `day`: names a day (with or without a year); `weekday`; `relative`: today, this week; `span`: within 14 days;
   * `month`: a whole month or its end
   */
  kind: 'day' | 'weekday' | 'relative' | 'span' | 'month'
  /** yyyy-mm-dd, where the notes give day, month and year */
  iso?: string
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const LONG_MONTHS = 'january february march april may june july august september october november december'.split(' ')
const WEEKDAYS = new Set(
  'monday mon tuesday tue tues wednesday wed weds thursday thu thur thurs friday fri saturday sat sunday sun'.split(' ')
)
const SHORT_WEEKDAYS = new Set('mon tue tues wed weds thu thur thurs fri sat sun'.split(' '))
const RELATIVE = new Set('today tonight tomorrow yesterday'.split(' '))
const NEXT = new Set(['week', 'month', 'weekend', 'morning', 'afternoon', 'evening'])
const UNITS = new Set('day days week weeks wk wks month months mth mths'.split(' '))
const DATE_LEADS = new Set('by on of until till before from due comm c commencing exp expires since dated'.split(' '))
const MONTH_LEADS = new Set('in by of until till since end early late mid before during last next'.split(' '))

function monthOf(token: Token | undefined): number | undefined {
  if (token == null || token.kind !== 'word') return undefined
  const long = LONG_MONTHS.indexOf(token.stem)
  if (long >= 0) return long + 1
  const short = token.stem === 'sept' ? 8 : MONTHS.indexOf(token.stem)
  return short >= 0 ? short + 1 : undefined
}

function integer(token: Token | undefined): number | undefined {
  return token?.kind === 'number' && /^\d{1,4}$/.test(token.text) ? Number(token.text) : undefined
}

function iso(day: number, month: number, year: number): string | undefined {
  const full = year < 100 ? 2000 + year : year
  if (full < 1900 || full > 2100 || month < 1 || month > 12 || day < 1 || day > 31) return undefined
  const date = new Date(Date.UTC(full, month - 1, day))
  if (date.getUTCMonth() !== month - 1) return undefined
  return date.toISOString().slice(0, 10)
}

interface Read {
  length: number
  kind: DateMention['kind']
  iso?: string
}

/** 12/02/2026, 12.2.26, 12-02-2026, 2026-02-12, 28/1, and 26.01 after a word like "by". */
function readNumeric(tokens: readonly Token[], i: number): Read | undefined {
  const token = tokens[i]
  const [, second, third, fourth, fifth] = tokens.slice(i, i + 5)
  if (token?.kind !== 'number' || tokens[i - 1]?.text === '£') return undefined
  if (token.text.includes('.')) {
    const parts = token.text.split('.')
    const [day = 0, month = 0, year = 0] = parts.map(Number)
    if (parts.length === 3) {
      const full = iso(day, month, year)
      return full == null ? undefined : { length: 1, kind: 'day', iso: full }
    }
    const lead = DATE_LEADS.has(tokens[i - 1]?.lower ?? '')
    const real = parts.length === 2 && parts[1]?.length === 2 && iso(day, month, 2000) != null
    return lead && real ? { length: 1, kind: 'day' } : undefined
  }
  const first = integer(token)
  const middle = integer(third)
  const mark = second?.text
  if (first == null || middle == null || !second?.joined || !third?.joined || (mark !== '/' && mark !== '-'))
    return undefined
  const last = fourth?.text === mark && fourth?.joined && fifth?.joined ? integer(fifth) : undefined
  if (last != null) {
    const full = token.text.length === 4 ? iso(last, middle, first) : iso(first, middle, last)
    return full == null ? undefined : { length: 5, kind: 'day', iso: full }
  }
  const plain = mark === '/' && !(first === 24 && middle === 7) && iso(first, middle, 2000) != null
  return plain && !['of', 'price', 'the'].includes(fourth?.lower ?? '') ? { length: 3, kind: 'day' } : undefined
}

function readYear(tokens: readonly Token[], i: number): { length: number; year: number } | undefined {
  const comma = tokens[i]?.text === ',' ? 1 : 0
  const token = tokens[i + comma]
  const year = integer(token)
  if (year == null) return undefined
  if (year >= 1990 && year <= 2100) return { length: 1 + comma, year }
  const next = tokens[i + 1]
  const two = comma === 0 && token?.text.length === 2 && year >= 20 && year <= 40
  return two && (next == null || next.kind === 'mark' || next.newLine) && next?.text !== '%'
    ? { length: 1, year }
    : undefined
}

/** "12th of February 2026", "2 feb", "Feb 12", "twentieth of March", "Monday 2 February". */
function readNamed(tokens: readonly Token[], i: number, to: number): Read | undefined {
  let at = i
  if (WEEKDAYS.has(tokens[at]?.lower ?? '')) {
    at += 1
    if (tokens[at]?.text === ',') at += 1
    if (tokens[at]?.lower === 'the') at += 1
  }
  const ordinal = readOrdinal(tokens, at)
  let day = integer(tokens[at])
  let next = at + 1
  if (day == null && ordinal != null) {
    day = ordinal.value
    next = at + ordinal.length
  }
  if (day != null && day >= 1 && day <= 31) {
    if (['st', 'nd', 'rd', 'th'].includes(tokens[next]?.lower ?? '') && tokens[next]?.joined) next += 1
    if (tokens[next]?.lower === 'of') next += 1
    const month = next < to ? monthOf(tokens[next]) : undefined
    if (month != null) {
      const year = next + 1 < to ? readYear(tokens, next + 1) : undefined
      const full = year == null ? undefined : iso(day, month, year.year)
      return { length: next + 1 - i + (full == null ? 0 : (year?.length ?? 0)), kind: 'day', iso: full }
    }
  }
  const month = at === i ? monthOf(tokens[i]) : undefined
  const after = integer(tokens[i + 1])
  if (month != null && after != null && after >= 1 && after <= 31 && i + 1 < to) {
    let end = i + 2
    if (['st', 'nd', 'rd', 'th'].includes(tokens[end]?.lower ?? '') && tokens[end]?.joined) end += 1
    const year = end < to ? readYear(tokens, end) : undefined
    const full = year == null ? undefined : iso(after, month, year.year)
    return { length: end - i + (full == null ? 0 : (year?.length ?? 0)), kind: 'day', iso: full }
  }
  return undefined
}

/** "within 14 days", "in two weeks", "7 days", "end of February", "this week", "the 13th", "Friday", "tomorrow". */
function readLoose(tokens: readonly Token[], i: number, to: number): Read | undefined {
  const token = tokens[i]
  if (token == null) return undefined
  const lower = token.lower
  const lead = lower === 'within' || lower === 'in' ? 1 : 0
  const words = isNumberWord(tokens[i + lead]?.lower ?? '') ? readNumberWords(tokens, i + lead, to) : undefined
  const count = words?.value ?? integer(tokens[i + lead])
  const after = i + lead + (words?.length ?? 1)
  if (count != null && after < to && UNITS.has(tokens[after]?.lower.replace("'", '') ?? '') && count <= 120) {
    return { length: after + 1 - i, kind: 'span' }
  }
  if (RELATIVE.has(lower)) return { length: 1, kind: 'relative' }
  if (['this', 'next', 'the'].includes(lower)) {
    const next = tokens[i + 1]?.lower ?? ''
    if (lower !== 'the' && NEXT.has(next)) return { length: 2, kind: 'relative' }
    if (lower !== 'the' && WEEKDAYS.has(next)) return { length: 2, kind: 'weekday' }
  }
  if (lower === 'end' && tokens[i + 1]?.lower === 'of') {
    const skip = ['the', 'this', 'next'].includes(tokens[i + 2]?.lower ?? '') ? 1 : 0
    const month = tokens[i + 2 + skip]
    if (monthOf(month) != null || month?.lower === 'month' || month?.lower === 'week')
      return { length: 3 + skip, kind: 'month' }
  }
  const day = integer(token)
  if (
    day != null &&
    day >= 1 &&
    day <= 31 &&
    ['st', 'nd', 'rd', 'th'].includes(tokens[i + 1]?.lower ?? '') &&
    tokens[i + 1]?.joined
  ) {
    return tokens[i - 1]?.lower === 'the' || DATE_LEADS.has(tokens[i - 1]?.lower ?? '')
      ? { length: 2, kind: 'day' }
      : undefined
  }
  if (
    WEEKDAYS.has(lower) &&
    (!SHORT_WEEKDAYS.has(lower) || token.capital || DATE_LEADS.has(tokens[i - 1]?.lower ?? ''))
  ) {
    return lower === 'sun' || lower === 'sat' || lower === 'wed'
      ? token.capital || DATE_LEADS.has(tokens[i - 1]?.lower ?? '')
        ? { length: 1, kind: 'weekday' }
        : undefined
      : { length: 1, kind: 'weekday' }
  }
  if (monthOf(token) != null && MONTH_LEADS.has(tokens[i - 1]?.lower ?? '') && (lower !== 'may' || token.capital)) {
    const year = i + 1 < to ? integer(tokens[i + 1]) : undefined
    return { length: year != null && year > 1990 && year < 2100 ? 2 : 1, kind: 'month' }
  }
  return undefined
}

/** Finds dates and times by which things happen; in order, without overlaps. */
export function scanDates(tokens: readonly Token[]): DateMention[] {
  const found: DateMention[] = []
  for (let i = 0; i < tokens.length; ) {
    const read = readNumeric(tokens, i) ?? readNamed(tokens, i, tokens.length) ?? readLoose(tokens, i, tokens.length)
    const first = tokens[i]
    const last = read == null ? undefined : tokens[i + read.length - 1]
    if (read == null || first == null || last == null) {
      i += 1
      continue
    }
    found.push({ start: first.start, end: last.end, from: i, to: i + read.length, kind: read.kind, iso: read.iso })
    i += read.length
  }
  return found
}
