import type { CreditorEntry, Lexicon } from '../lexicon.ts'
import { isNumberWord } from '../text/numbers.ts'
import type { Token } from '../text/tokens.ts'

/** A name of somebody or some firm, or a word for them. Token range, `to` exclusive. */
export interface NameMention {
  /**
   * `creditor`: a known firm; `organisation`: named like one ("Kent County Council"); `place`: stands for its council;
   * `relation`: mum, employer; `person`: with a title; `name`: capitalised, nothing more is known
   */
  kind: 'creditor' | 'organisation' | 'place' | 'relation' | 'person' | 'name'
  from: number
  to: number
  entry?: CreditorEntry
  /** for a relation: the kind of debt that is usually owed to them */
  debt?: string
}

const CONNECTORS = new Set(['&', 'and', 'of', 'upon', 'the', '-', "'", 'for'])
const MAX_NAME = 8
const COUNCIL_MIDDLES = new Set(['city', 'borough', 'county', 'district', 'metropolitan'])
const COUNCIL_ENDS = new Set(['council', 'mbc', 'bc', 'cc', 'dc', 'cncl'])

function capitalised(token: Token | undefined): boolean {
  return token != null && token.kind === 'word' && token.capital
}

function knownCreditor(lexicon: Lexicon, tokens: readonly Token[], i: number, small: boolean): NameMention | undefined {
  const match = lexicon.creditors.match(tokens, i, tokens.length)
  const token = tokens[i]
  if (match == null || token == null || crosses(tokens, i, i + match.length)) return undefined
  const next = tokens[i + match.length]
  const entry = match.values.find(
    ({ capital }) =>
      !capital || token.capital || standsAlone(tokens, i) || (small && besideDebt(lexicon, tokens, i, i + match.length))
  )
  if (entry == null) return undefined
  // "Three credit cards", "Next week": a capital at a sentence's start proves nothing
  const starts = i === 0 || token.newLine || ['.', ':', '-', '?', '!'].includes(tokens[i - 1]?.text ?? '')
  const ordinary = entry.capital && match.length === 1 && starts && next?.kind === 'word' && !next.newLine
  if (ordinary && isNumberWord(token.lower) && lexicon.countNouns.has(next.lower)) return undefined
  if (ordinary && !next.capital && next.lower !== 'owed' && !owedFor(lexicon, tokens, i + 1)) return undefined
  return { kind: 'creditor', from: i, to: i + match.length, entry }
}

/** What creditors do: "Three are chasing her", "Fluid say he owes them". */
const SPEAKS = new Set([
  'are',
  'say',
  'says',
  'want',
  'wants',
  'have',
  'has',
  'reckon',
  'claim',
  'demand',
  'wrote',
  'write'
])
const ADVERBS = new Set(['next', 'very', 'together', 'link'])

/** A kind of debt or a sum stands here or right after. */
function owedFor(lexicon: Lexicon, tokens: readonly Token[], i: number): boolean {
  if (SPEAKS.has(tokens[i]?.lower ?? '') && !ADVERBS.has(tokens[i - 1]?.lower ?? '')) return true
  return [i, i + 1, i + 2].some(at => tokens[at]?.text === '£' || isDebtWord(lexicon, tokens, at))
}

/** In notes without capitals: right before a sum or a kind of debt, or after a sum. */
function besideDebt(lexicon: Lexicon, tokens: readonly Token[], from: number, i: number): boolean {
  const next = tokens[i]
  const word = tokens[from]?.lower ?? ''
  if (tokens[from - 1]?.kind === 'number' && !lexicon.common.has(word) && !lexicon.countNouns.has(word)) return true
  return next?.text === '£' || next?.kind === 'number' || isDebtWord(lexicon, tokens, i)
}

/** First in its line, as in a list of debts in small letters. */
function standsAlone(tokens: readonly Token[], i: number): boolean {
  const token = tokens[i]
  const next = tokens[i + 1]
  return (
    (i === 0 || token?.newLine === true) &&
    (next?.text === ':' || next?.text === '-' || next?.text === '£' || next?.kind === 'number')
  )
}

function isDebtWord(lexicon: Lexicon, tokens: readonly Token[], i: number): boolean {
  return lexicon.topics.match(tokens, i, tokens.length) != null
}

/** A name doesn't run over an empty line or a bullet. */
function crosses(tokens: readonly Token[], from: number, to: number): boolean {
  for (let i = from + 1; i < to; i++)
    if (tokens[i]?.newLine && !(tokens[i - 1]?.kind === 'word' && tokens[i]?.kind === 'word')) return true
  return false
}

/** A run of capitalised words with small connecting words in between; undefined where it doesn't start like a name. */
function capitalRun(lexicon: Lexicon, tokens: readonly Token[], i: number): number | undefined {
  const first = tokens[i]
  if (!capitalised(first) || first == null) return undefined
  // "UK Power" may begin with an ordinary word in capitals
  const initials =
    (first.lower === 'st' || (first.text.length === 2 && first.text === first.text.toUpperCase())) &&
    capitalised(tokens[i + 1]) &&
    tokens[i + 1]?.newLine === false
  if (!initials && (lexicon.common.has(first.lower) || lexicon.common.has(first.stem))) return undefined
  let to = i + 1
  for (let at = i + 1; at < tokens.length && at - i < MAX_NAME; at++) {
    const token = tokens[at]
    if (token == null || (token.newLine && tokens[at - 1]?.kind === 'mark')) break
    if (capitalised(token)) to = at + 1
    else if (!CONNECTORS.has(token.lower) || !capitalised(tokens[at + 1])) break
  }
  return to
}

function organisation(lexicon: Lexicon, tokens: readonly Token[], i: number, to: number): number | undefined {
  for (let at = i + 1; at <= to && at < tokens.length; at++) {
    if (tokens[at]?.newLine && at === to) break
    const ending = lexicon.endings.match(tokens, at, tokens.length)
    // "Littlewoods catalogue", "Phoenix gas arrears": what is owed for, not part of the name
    if (ending != null && !tokens[at]?.capital && isDebtWord(lexicon, tokens, at)) continue
    if (
      ending == null ||
      (tokens[at]?.kind === 'word' &&
        !tokens[at]?.capital &&
        ending.length === 1 &&
        (tokens[at]?.lower.length ?? 0) < 4)
    )
      continue
    // "Halifax CC" is a credit card, "Leeds CC" a council
    const known = lexicon.creditors.match(tokens, i, tokens.length)
    if (known?.length === at - i && COUNCIL_ENDS.has(tokens[at]?.lower ?? '') && isDebtWord(lexicon, tokens, at))
      continue
    // the longest run that ends like a firm: look on for a later ending
    let best = at + ending.length
    for (let later = best; later < to; later++) {
      const next = lexicon.endings.match(tokens, later, tokens.length)
      if (next != null) best = later + next.length
    }
    return best
  }
  return undefined
}

/** "LB Waltham Forest", "City of York", "London Borough of Newham" */
function councilLead(tokens: readonly Token[], i: number): number {
  const words = tokens.slice(i, i + 3).map(({ lower }) => lower)
  if (words[0] === 'lb' || words[0] === 'rb') return 1
  if (['city', 'borough', 'county'].includes(words[0] ?? '') && words[1] === 'of') return 2
  return ['london', 'royal'].includes(words[0] ?? '') && words[1] === 'borough' && words[2] === 'of' ? 3 : 0
}

function place(lexicon: Lexicon, tokens: readonly Token[], start: number): NameMention | undefined {
  const lead = councilLead(tokens, start)
  const i = start + lead
  const match = lexicon.councils.match(tokens, i, tokens.length)
  if (match == null) return undefined
  if (lead > 0) return { kind: 'organisation', from: start, to: i + match.length }
  const to = i + match.length
  const ending = tokens[to]
  const council = COUNCIL_MIDDLES.has(ending?.lower ?? '') || COUNCIL_ENDS.has(ending?.lower ?? '')
  if (!council || ending?.newLine) return { kind: 'place', from: i, to }
  let end = to
  while (COUNCIL_MIDDLES.has(tokens[end]?.lower ?? '') && !tokens[end]?.newLine) end += 1
  const closes =
    COUNCIL_ENDS.has(tokens[end]?.lower ?? '') && !tokens[end]?.newLine && !isDebtWord(lexicon, tokens, end)
  return closes ? { kind: 'organisation', from: i, to: end + 1 } : { kind: 'place', from: i, to }
}

function person(lexicon: Lexicon, tokens: readonly Token[], i: number): NameMention | undefined {
  const title = tokens[i]
  if (title == null || !title.capital || !lexicon.titles.has(title.lower)) return undefined
  let at = i + 1
  if (tokens[at]?.text === '.') at += 1
  let to = at
  for (; at < tokens.length && at - i < MAX_NAME; at++) {
    const token = tokens[at]
    const joiner = token?.text === '.' || token?.text === '-' || token?.text === '&' || token?.lower === 'and'
    if (capitalised(token)) to = at + 1
    else if (!joiner || !capitalised(tokens[at + 1]) || (token?.text === '.' && (tokens[at - 1]?.text.length ?? 9) > 2))
      break
  }
  return to > i + 1 ? { kind: 'person', from: i, to } : undefined
}

/** Finds names, in order and without overlaps; the more telling kind wins, then the longer. */
export function findNames(lexicon: Lexicon, tokens: readonly Token[]): NameMention[] {
  const found: NameMention[] = []
  const words = tokens.filter(({ kind }) => kind === 'word')
  const small = words.filter(({ capital }) => capital).length * 50 < words.length
  for (let i = 0; i < tokens.length; ) {
    const mention = nameAt(lexicon, tokens, i, small)
    if (mention == null) i += 1
    else {
      found.push(mention)
      i = mention.to
    }
  }
  return found
}

const FIRM_LEADS = new Set(['with', 'to', 'from', 'owes', 'owe', 'by', 'w'])
const SMALL_ENDINGS = new Set(
  'council cc mbc homes housing ha finance loans lets lettings credit energy water insurance bank properties solicitors recoveries collections'.split(
    ' '
  )
)

/** In notes without capitals: one or two unknown words and then "lets", "housing", … after "with" or "owes". */
function smallFirm(lexicon: Lexicon, tokens: readonly Token[], i: number): number | undefined {
  if (!FIRM_LEADS.has(tokens[i - 1]?.lower ?? '')) return undefined
  for (let at = i; at < i + 3; at++) {
    const token = tokens[at]
    if (token?.kind !== 'word' || (token.newLine && at > i)) return undefined
    if (at > i && SMALL_ENDINGS.has(token.lower)) return at + 1
    if (lexicon.common.has(token.lower)) return undefined
  }
  return undefined
}

function textOf(tokens: readonly Token[], { from, to }: NameMention): string {
  return tokens
    .slice(from, to)
    .map(({ text, joined }, i) => (joined || i === 0 ? text : ` ${text}`))
    .join('')
}

function nameAt(lexicon: Lexicon, tokens: readonly Token[], i: number, small: boolean): NameMention | undefined {
  const token = tokens[i]
  if (token == null || token.kind === 'mark') return undefined
  const topic = lexicon.topics.match(tokens, i, tokens.length)?.length ?? 0
  const known = knownCreditor(lexicon, tokens, i, small)
  const someone = person(lexicon, tokens, i)
  // "Mr Lender" is a firm
  if (someone != null) return known != null && known.to - i > 1 ? known : someone
  const area = place(lexicon, tokens, i)
  const run = capitalRun(lexicon, tokens, i)
  const end = run == null ? (small ? smallFirm(lexicon, tokens, i) : undefined) : organisation(lexicon, tokens, i, run)
  const firm: NameMention | undefined = end == null ? undefined : { kind: 'organisation', from: i, to: end }
  const candidates = [known, firm, area].filter(mention => mention != null)
  candidates.sort((a, b) => b.to - a.to)
  const longest = candidates[0]
  if (longest != null && longest.to - i >= topic) {
    const council = COUNCIL_ENDS.has(tokens[longest.to - 1]?.lower ?? '')
    return longest === firm && known?.entry != null && !council
      ? { ...firm, entry: { ...known.entry, name: textOf(tokens, firm) } }
      : longest
  }
  if (topic > 0) return undefined
  const relation = lexicon.relations.match(tokens, i, tokens.length)
  if (relation != null) return { kind: 'relation', from: i, to: i + relation.length, debt: relation.values[0] }
  return run == null ? undefined : { kind: 'name', from: i, to: run }
}
