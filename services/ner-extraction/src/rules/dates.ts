import type { Candidate } from '../entity.ts'
import { digitsOf, fold, skeleton } from '../fold.ts'

const MONTH_NAMES: string[][] = [
  ['january', 'jan'],
  ['february', 'feb', 'febuary'],
  ['march', 'mar'],
  ['april', 'apr'],
  ['may'],
  ['june', 'jun'],
  ['july', 'jul'],
  ['august', 'aug'],
  ['september', 'sep', 'sept'],
  ['october', 'oct'],
  ['november', 'nov'],
  ['december', 'dec']
]
const MONTHS = new Map(
  MONTH_NAMES.flatMap((names, i) => names.map((name): [string, number] => [skeleton(name), i + 1]))
)
const DAYS_IN_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

const WEEKDAY = '(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?'
const D = '[\\dOolI]'
const MONTH_WORD = '[\\p{L}0][\\p{L}\\d]{2,9}'
const YEAR = `(?:[12lI]${D}{3}|['’]?\\d{2})`

const DAY_MONTH = new RegExp(
  `(?<![\\p{L}\\d£/.,-])(?:${WEEKDAY},?[ \\t]{1,3}(?:the[ \\t])?)?(${D}{1,2})[ \\t]?(?:st|nd|rd|th)?(?:[ \\t]{1,3}of)?[ \\t./-]{0,3}` +
    `(${MONTH_WORD})(?![\\p{L}\\d])(?:[.,]{0,2}[ \\t./-]{0,3}(${YEAR})(?![\\p{L}\\d%£]|[,.:/]\\d))?`,
  'giu'
)
const MONTH_DAY_YEAR = new RegExp(
  `(?<![\\p{L}\\d])(${MONTH_WORD})[ \\t](\\d{1,2})(?:st|nd|rd|th)?,?[ \\t]((?:19|20)\\d{2})(?!\\d)`,
  'giu'
)
const MONTH_YEAR = new RegExp(
  `(?<![\\p{L}\\d])(${MONTH_WORD})\\.?,?[ \\t/-]{1,2}([12lI]${D}{3}|['’]?\\d{2})(?![\\p{L}\\d%£]|[,.:/-]\\d)`,
  'giu'
)
const NUMERIC = new RegExp(
  `(?<![\\p{L}\\d£/.,-])(${D}{1,2})[ \\t]?([/.-])[ \\t]?(${D}{1,2})[ \\t]?\\2[ \\t]?([12lI]${D}{3}|${D}{2})(?![\\p{L}\\d]|[/-]\\d)`,
  'gu'
)
const ISO = /(?<![\p{L}\d/-])((?:19|20)\d{2})[-/](\d{2})[-/](\d{2})(?![\d-])/gu
const SPAN_OF_YEARS = new RegExp(
  `(?<![\\p{L}\\d/-])([12lI]${D}{3})[ \\t]?[/–-][ \\t]?((?:[12lI]${D})?${D}{2})(?![\\p{L}\\d/-])`,
  'gu'
)
const MONTH_OF_YEAR = /(?<![\p{L}\d/.-])(0?[1-9]|1[0-2])[ \t]?[/.-][ \t]?((?:19|20)\d{2})(?![\d/-])/gu

/** words after which a number that could be anything is a date */
const CUE =
  '(?:on|by|from|until|till|since|before|after|dated?|issued|due|start(?:s|ed|ing)?|end(?:s|ed|ing)?|sent|recd|received|served|signed|opened|f/up|w/c|visit(?:ed)?|appt|hearing|dflt|default(?:ed)?|failed|expir(?:es|ed|y)|paid|pymt|payment|granted|booked|taken|in|to|called|rang|spoke|letter|review|born|dob|stopped|moved|approved|filed|lodged)'
const SHORT = new RegExp(
  `(?<=(?<![\\p{L}])${CUE}[:.]?[ \\t]{1,2})(\\d{1,2})/(\\d{1,2})(?![\\d/]|[ \\t]?(?:paid|of\\b|share))`,
  'giu'
)
const LINE_SHORT = /(?<=^[ \t]{0,4})(\d{1,2})\/(\d{1,2})(?=[ \t]{0,2}(?:[-–:]|t\/c|tc\b|appt|rang|called))/gimu
const YEAR_CUE =
  '(?:in|since|between|from|until|till|by|during|before|after|early|late|mid|of|year|spring|summer|autumn|winter|around|circa|about|back|pymt|payment|paid|opened|default(?:ed)?|stopped|ended|left|arrived|tax|end|born)'
const BARE_YEAR = new RegExp(
  `(?<=(?<![\\p{L}])${YEAR_CUE}[ \\t]{1,3}|\\(|(?:19|20)\\d{2} (?:and|to|or|until) )([12lI]${D}{3})(?![\\p{L}\\d%£]|[,.:/-]\\d)`,
  'giu'
)
const MONTH_CUE =
  /(?:^|[^\p{L}])(?:in|since|from|until|till|by|last|next|early|late|mid|during|of|before|after|to|every|started|start|ended|end|and|this|around|between|through)[ \t]{1,3}$/iu
const MONTH_ALONE = new RegExp(`(?<![\\p{L}\\d/.-])(${MONTH_NAMES.flat().join('|')})(?![\\p{L}\\d]|['’-]\\p{L})`, 'giu')
const RELATIVE = new RegExp(`(?<![\\p{L}])(?:last|next)[ \\t]${WEEKDAY}(?![\\p{L}])`, 'giu')
/** month names that are also words or first names: they need a cue */
const AMBIGUOUS_MONTHS = new Set([
  'may',
  'march',
  'mar',
  'april',
  'june',
  'august',
  'jan',
  'dec',
  'sep',
  'apr',
  'jun',
  'jul',
  'aug'
])

export function dates(text: string): Candidate[] {
  return [...full(text), ...partial(text), ...monthsAlone(text)]
}

function full(text: string): Candidate[] {
  const found: Candidate[] = []
  for (const match of text.matchAll(DAY_MONTH)) {
    const month = monthOf(match[2] ?? '')
    const day = Number(digitsOf(match[1] ?? ''))
    if (month == null || !/\d/.test(match[1] ?? '') || !isDay(day, month)) continue
    if (month === 5 && match[2] === 'may' && match[3] == null) continue
    const year = match[3] == null ? undefined : yearOf(match[3])
    found.push(date(match, 0.97, year, month, day))
  }
  for (const match of text.matchAll(MONTH_DAY_YEAR)) {
    const month = monthOf(match[1] ?? '')
    const day = Number(match[2])
    if (month != null && isDay(day, month)) found.push(date(match, 0.96, Number(match[3]), month, day))
  }
  for (const match of text.matchAll(NUMERIC)) {
    if ((match[0].match(/\d/g) ?? []).length < 3) continue
    const [day, month] = [Number(digitsOf(match[1] ?? '')), Number(digitsOf(match[3] ?? ''))]
    const year = yearOf(match[4] ?? '')
    if (year == null) continue
    if (isDay(day, month)) found.push(date(match, 0.96, year, month, day))
    else if (isDay(month, day)) found.push(date(match, 0.7, year, day, month))
  }
  for (const match of text.matchAll(ISO)) {
    const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
    if (isDay(day, month)) found.push(date(match, 0.97, year, month, day))
  }
  return found
}

function partial(text: string): Candidate[] {
  const found: Candidate[] = []
  for (const match of text.matchAll(MONTH_YEAR)) {
    const month = monthOf(match[1] ?? '')
    const year = yearOf(match[2] ?? '')
    if (month == null || year == null) continue
    // "by May 25" may be the day; it is a date either way, so only four figures make a year of it
    const sure = (match[2] ?? '').length === 4
    if (!sure && !/^\p{Lu}/u.test(match[1] ?? '')) continue
    found.push(date(match, sure ? 0.95 : 0.85, sure ? year : undefined, month))
  }
  for (const match of text.matchAll(SPAN_OF_YEARS)) {
    const [from, to] = [digitsOf(match[1] ?? ''), digitsOf(match[2] ?? '')]
    const first = Number(from)
    const second = Number(to.length === 4 ? to : from.slice(0, 2) + to)
    if (second - first !== 1 || yearOf(from) == null || (match[0].match(/\d/g) ?? []).length < 4) continue
    found.push({ ...date(match, 0.92, undefined), kind: 'years', normalized: `${first}/${second}` })
  }
  for (const match of text.matchAll(MONTH_OF_YEAR)) found.push(date(match, 0.9, Number(match[2]), Number(match[1])))
  for (const pattern of [SHORT, LINE_SHORT]) {
    for (const match of text.matchAll(pattern)) {
      const [first, second] = [Number(match[1]), Number(match[2])]
      if (isDay(first, second)) found.push(date(match, 0.8, undefined, second, first))
      else if (first <= 12 && first >= 1 && second > 12) found.push(date(match, 0.75, 2000 + second, first))
    }
  }
  for (const match of text.matchAll(BARE_YEAR)) {
    const year = yearOf(match[1] ?? '')
    if (year != null && /\d{2}/.test(match[1] ?? '')) found.push(date(match, 0.85, year))
  }
  for (const match of text.matchAll(RELATIVE))
    found.push({ ...date(match, 0.7, undefined), kind: 'relative', normalized: undefined })
  return found
}

function monthsAlone(text: string): Candidate[] {
  const found: Candidate[] = []
  for (const match of text.matchAll(MONTH_ALONE)) {
    const word = match[1] ?? ''
    if (!/^\p{Lu}/u.test(word)) continue
    const before = text.slice(Math.max(0, match.index - 16), match.index)
    const after = text.slice(match.index + word.length, match.index + word.length + 12)
    const cued = MONTH_CUE.test(before)
    if (!cued && (AMBIGUOUS_MONTHS.has(word.toLowerCase()) || /^\s+\p{Lu}/u.test(after))) continue
    if (
      cued &&
      AMBIGUOUS_MONTHS.has(word.toLowerCase()) &&
      /^\s+(?:need|want|be|have|not|also|\p{Lu}\p{Ll})/u.test(after)
    )
      continue
    found.push(date(match, 0.85, undefined, monthOf(word)))
  }
  return found
}

function monthOf(word: string): number | undefined {
  return MONTHS.get(skeleton(fold(word)))
}

function yearOf(text: string): number | undefined {
  const digits = digitsOf(text)
  const year = digits.length === 4 ? Number(digits) : Number(digits) + (Number(digits) > 40 ? 1900 : 2000)
  return year >= 1900 && year <= 2060 ? year : undefined
}

function isDay(day: number, month: number): boolean {
  return day >= 1 && day <= (DAYS_IN_MONTH[month - 1] ?? 0)
}

function date(match: RegExpExecArray, confidence: number, year?: number, month?: number, day?: number): Candidate {
  const parts = [year == null ? '-' : String(year), month, day].filter(part => part != null)
  const normalized = parts.map(part => (typeof part === 'number' ? String(part).padStart(2, '0') : part)).join('-')
  return {
    type: 'DATE',
    start: match.index,
    end: match.index + match[0].trimEnd().length,
    source: 'rule',
    confidence,
    normalized: normalized === '-' ? undefined : normalized
  }
}
