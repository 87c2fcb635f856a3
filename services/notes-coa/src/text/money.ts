import type { Period, Span } from '../types.ts'
import { ROUND, readNumberWords } from './numbers.ts'
import { readPeriod } from './periods.ts'
import type { Token } from './tokens.ts'

export interface Amount extends Span {
  /** token indices; `to` is past the sum, `after` past its period too */
  from: number
  to: number
  after: number
  /** whole pence, or undefined where the figure can't be read for certain ("£1,24", "£3-4k") */
  pence: number | undefined
  /** `marked`: written as money (£, k, pounds); `likely`: 480 pm, 1,240, 12.50; `bare`: a number that may be a sum;
   * `faint`: more likely a time */
  certainty: 'marked' | 'likely' | 'bare' | 'faint'
  /** a minus sign stands right before it */
  negative: boolean
  period?: Period
}

/** Ten thousand million pounds: no client's debt, and far below where a double loses a penny. */
const MAX_PENCE = 1_000_000_000_000
/** Groups of three digits, parted by spaces, that are read as one figure. */
const MAX_GROUPS = 3
const POUNDS = new Set(['pounds', 'pound', 'quid', 'gbp', 'sterling'])
const MULTIPLIERS = new Map([
  ['k', 1000],
  ['grand', 1000],
  ['thousand', 1000],
  ['m', 1_000_000],
  ['million', 1_000_000],
  ['hundred', 100]
])
/** Words that may stand between a sum and its period: "£1,340 net a month". */
const FILLERS = new Set(['net', 'gross', '(', 'in', 'total', 'each', 'take', 'home', 'on', 'average', 'approx'])

/** Pence of "1,240", "1240.5", "3.25" × multiplier; undefined where it isn't a plainly written figure. */
export function penceOf(text: string, multiplier = 1): number | undefined {
  const match = /^(\d{1,3}(?:,\d{3})+|\d{1,13})(?:\.(\d{1,4}))?$/.exec(text)
  if (match == null) return undefined
  const [, whole = '', fraction = ''] = match
  if (multiplier === 1 && fraction.length > 2) return undefined
  const scaled = BigInt(whole.replaceAll(',', '') + fraction.padEnd(4, '0')) * BigInt(multiplier)
  if (scaled % 100n !== 0n) return undefined
  const pence = Number(scaled / 100n)
  return pence <= MAX_PENCE ? pence : undefined
}

interface Read {
  to: number
  pence: number | undefined
  certainty: Amount['certainty']
}

function readMultiplier(tokens: readonly Token[], at: number, written: string): { multiplier: number; to: number } {
  const token = tokens[at]
  const multiplier = token == null ? undefined : MULTIPLIERS.get(token.lower)
  if (multiplier == null || token == null) return { multiplier: 1, to: at }
  if (token.lower.length === 1 && !token.joined) return { multiplier: 1, to: at }
  // "£3 m" and "£240m" may be metres or months; "£1.2m" isn't.
  if (token.lower === 'm' && !written.includes('.')) return { multiplier: 1, to: at }
  return { multiplier, to: at + 1 }
}

/** A range, "£3-4k" or "£200 - £300": no one figure. Gives the token after it. */
function rangeEnd(tokens: readonly Token[], at: number): number | undefined {
  const dash = tokens[at]
  if (dash == null || !['-', '–', '/'].includes(dash.text) || !dash.joined) return undefined
  const next = tokens[at + 1]
  if (next?.kind !== 'number' || !next.joined) return undefined
  return readMultiplier(tokens, at + 2, next.text).to
}

/** A sum that starts with a pound sign or GBP. */
function readSigned(tokens: readonly Token[], i: number): Read | undefined {
  if (tokens[i]?.text !== '£' && tokens[i]?.lower !== 'gbp') return undefined
  const sign = tokens[i + 1]?.text === '-' && tokens[i + 2]?.joined ? 1 : 0
  const figure = tokens[i + 1 + sign]
  if (figure?.kind !== 'number') return undefined
  let at = i + 2 + sign
  let written = figure.text
  // "£1 240": a thin or plain space between thousands
  const groups = /^\d{1,3}$/.test(written) ? MAX_GROUPS : 0
  for (let n = 0; n < groups && /^\d{3}$/.test(tokens[at]?.text ?? '') && gap(tokens, at) === 1; n++) {
    written += ` ${tokens[at]?.text ?? ''}`
    at += 1
  }
  const range = rangeEnd(tokens, at)
  if (range != null && tokens[at]?.text !== '/') return { to: range, pence: undefined, certainty: 'marked' }
  const { multiplier, to } = readMultiplier(tokens, at, figure.text)
  // "£2m", "£1.2bn": millions or a slip; it isn't ours to say.
  const unclear = tokens[to]?.joined && ['m', 'bn'].includes(tokens[to]?.lower ?? '')
  if (unclear) return { to: to + 1, pence: undefined, certainty: 'marked' }
  return { to, pence: penceOf(written.replaceAll(' ', ''), multiplier), certainty: 'marked' }
}

function gap(tokens: readonly Token[], at: number): number {
  const before = tokens[at - 1]
  const token = tokens[at]
  return before == null || token == null || token.newLine ? Number.POSITIVE_INFINITY : token.start - before.end
}

/** A figure without a pound sign: 912 quid, 9 grand, 3k, 50p, 480 pm, 1,240.50, 640. */
function readFigure(tokens: readonly Token[], i: number): Read | undefined {
  const figure = tokens[i]
  if (figure?.kind !== 'number') return undefined
  const { multiplier, to } = readMultiplier(tokens, i + 1, figure.text)
  const unit = tokens[to]?.lower ?? ''
  if (POUNDS.has(unit)) return { to: to + 1, pence: penceOf(figure.text, multiplier), certainty: 'marked' }
  if (multiplier === 1 && (unit === 'pence' || (unit === 'p' && tokens[to]?.joined && tokens[to + 1]?.text !== '/'))) {
    const pence = penceOf(figure.text)
    return { to: to + 1, pence: pence == null || pence % 100 !== 0 ? undefined : pence / 100, certainty: 'marked' }
  }
  if (multiplier > 1) {
    const money = tokens[i + 1]?.lower !== 'm' && tokens[i + 1]?.lower !== 'hundred'
    return money ? { to, pence: penceOf(figure.text, multiplier), certainty: 'marked' } : undefined
  }
  if (tokens[to]?.joined && tokens[to]?.kind === 'word' && readPeriod(tokens, to, tokens.length) == null)
    return undefined
  if (figure.joined && tokens[i - 1]?.kind !== 'mark') return undefined
  const pence = penceOf(figure.text)
  const precise = /[.,]/.test(figure.text)
  // 3 pm and 2.30pm are times.
  const period = readPeriod(tokens, to, tokens.length)
  const time = period != null && tokens[to]?.lower === 'pm' && Number(figure.text) <= 12.59
  if (precise && pence == null) return undefined
  if (time) return { to, pence, certainty: 'faint' }
  return { to, pence, certainty: period != null || /,\d{3}|\.\d\d$/.test(figure.text) ? 'likely' : 'bare' }
}

/** "two thousand three hundred pounds", "a grand", "fifty quid"; "five pounds fifty" is left unread. */
function readWords(tokens: readonly Token[], i: number): Read | undefined {
  if (tokens[i]?.lower === 'a' && tokens[i + 1]?.lower === 'grand')
    return { to: i + 2, pence: 100_000, certainty: 'marked' }
  const words = readNumberWords(tokens, i, tokens.length)
  if (words == null) return undefined
  const half = ['and', 'a', 'half'].every((word, at) => tokens[i + words.length + at]?.lower === word)
  const halfUnit = tokens[i + words.length + 3]?.lower
  if (half && words.value != null && (halfUnit === 'grand' || halfUnit === 'thousand')) {
    return { to: i + words.length + 4, pence: words.value * 100_000 + 50_000, certainty: 'marked' }
  }
  const to = i + words.length
  const unit = tokens[to]?.lower ?? ''
  if (unit === 'pence') return { to: to + 1, pence: words.value, certainty: 'marked' }
  if (unit === 'grand') {
    return { to: to + 1, pence: words.value == null ? undefined : words.value * 100_000, certainty: 'marked' }
  }
  // "maybe eight hundred to Vanquis"
  const round = words.value != null && words.value >= ROUND && words.length > 1
  if (!POUNDS.has(unit)) return round ? { to, pence: (words.value ?? 0) * 100, certainty: 'bare' } : undefined
  const and = tokens[to + 1]?.lower === 'and' ? 1 : 0
  const rest = readNumberWords(tokens, to + 1 + and, tokens.length)
  if (rest == null || words.value == null) {
    return { to: to + 1, pence: words.value == null ? undefined : words.value * 100, certainty: 'marked' }
  }
  const end = to + 1 + and + rest.length
  if (tokens[end]?.lower === 'pence' && rest.value != null && rest.value < 100) {
    return { to: end + 1, pence: words.value * 100 + rest.value, certainty: 'marked' }
  }
  return and === 1 || POUNDS.has(tokens[end]?.lower ?? '')
    ? { to: to + 1, pence: words.value * 100, certainty: 'marked' }
    : { to: end, pence: undefined, certainty: 'marked' }
}

function periodAfter(tokens: readonly Token[], to: number): { period?: Period; after: number } {
  for (let at = to; at <= to + 3; at++) {
    const match = readPeriod(tokens, at, tokens.length)
    if (match != null) return { period: match.period, after: at + match.length }
    if (!FILLERS.has(tokens[at]?.lower ?? '')) break
  }
  return { after: to }
}

/**
 * Finds every sum of money, in order. `taken` says which tokens belong to something else (dates, names with numbers in
 * them); a sum that is written as money is found all the same.
 */
export function scanMoney(tokens: readonly Token[], taken: (index: number) => boolean = () => false): Amount[] {
  const amounts: Amount[] = []
  for (let i = 0; i < tokens.length; ) {
    const found = readSigned(tokens, i) ?? readFigure(tokens, i) ?? readWords(tokens, i)
    const read = found != null && found.certainty !== 'marked' && taken(i) ? undefined : found
    const first = tokens[i]
    const last = read == null ? undefined : tokens[read.to - 1]
    if (read == null || first == null || last == null) {
      i += 1
      continue
    }
    const before = tokens[i - 1]
    const inside = tokens[i + 1]?.text === '-' && first.text === '£'
    const negative = inside || (['-', '−'].includes(before?.text ?? '') && first.joined && before?.joined !== true)
    const { period, after } = periodAfter(tokens, read.to)
    amounts.push({
      start: first.start,
      end: last.end,
      from: i,
      to: read.to,
      after,
      pence: read.pence,
      certainty: read.certainty,
      negative,
      period
    })
    // "4wkly" after a sum is its period, not four pounds a week.
    i = after
  }
  return amounts
}
