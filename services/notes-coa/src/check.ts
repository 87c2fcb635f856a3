import { ServiceError } from '@hedgerow/service-kit'
import type { Config } from './config.ts'
import type { Case } from './extract/case.ts'
import { type Format, readableText } from './letter/formats.ts'
import { GAP_START, oneLine } from './letter/pieces.ts'
import type { People } from './letter/view.ts'
import type { Lexicon } from './lexicon.ts'
import { convertPence } from './money-text.ts'
import { scanDates } from './text/dates.ts'
import { labelOf } from './text/labels.ts'
import { penceOf, scanMoney } from './text/money.ts'
import { periodAdjective, periodNamed } from './text/periods.ts'
import { tokenise } from './text/tokens.ts'
import { type Calculation, type Fact, type Gap, PERIODS } from './types.ts'

export type CheckRule =
  | 'AmountLost'
  | 'AmountInvented'
  | 'DateInvented'
  | 'NameInvented'
  | 'NumberInvented'
  | 'FactWithoutSource'
  | 'CalculationWrong'
  | 'GapHidden'

export interface Checked {
  notes: string
  found: Case
  people: People
  config: Config
  lexicon: Lexicon
  letter: string
  format: Format
  facts: readonly Fact[]
  calculated: readonly Calculation[]
  gaps: readonly Gap[]
}

/** What a set of texts can vouch for. */
interface Vouched {
  pence: Set<number>
  /** sums that can't be read, and numbers, as written */
  figures: Set<string>
  words: Set<string>
  flat: string
}

function vouch(texts: readonly string[]): Vouched {
  const vouched: Vouched = { pence: new Set(), figures: new Set(), words: new Set(), flat: '' }
  for (const text of texts) {
    const tokens = tokenise(text)
    for (const { start, end, pence, certainty } of scanMoney(tokens)) {
      if (certainty === 'bare' || certainty === 'faint') continue
      if (pence == null) vouched.figures.add(oneLine(text.slice(start, end)))
      else vouched.pence.add(pence)
    }
    for (const { lower, stem, kind } of tokens) {
      if (kind === 'number') vouched.figures.add(lower)
      else if (kind === 'word') vouched.words.add(lower).add(stem)
    }
    vouched.flat += `${oneLine(text).toLowerCase()}\n`
  }
  return vouched
}

const literals = new WeakMap<Config, Vouched>()

/** What the config and the template vouch for; the same for every letter. */
function literalsOf(config: Config): Vouched {
  const known = literals.get(config) ?? vouch([config.literals])
  literals.set(config, known)
  return known
}

/** Parts of a line that were not written as one: quotations, cells, columns. */
const SEAMS = /\n|[“”|]|\s{2,}|: /

/**
 * Reads the finished letter again and holds it against the notes, the request and the config. Of what the extractor said it
 * trusts only which bare numbers are sums; of the template, nothing.
 * A letter that fails is never sent.
 */
export function findViolations(checked: Checked): CheckRule[] {
  const { notes, people, config, letter, format } = checked
  const text = readableText(letter, format)
  const requested = [people.client, people.adviser]
    .flatMap(person => Object.values(person ?? {}))
    .concat(people.date ?? [])
  const sources = [literalsOf(config), vouch([notes, ...requested.filter(value => value != null)])]
  const shown = vouch([text])
  return [
    ...lost(notes, shown),
    ...invented(text, sources, checked),
    ...unsourced(checked),
    ...miscalculated(checked),
    ...(text.split(GAP_START).length - 1 < checked.gaps.length ? (['GapHidden'] as const) : [])
  ]
}

function lost(notes: string, shown: Vouched): CheckRule[] {
  const rules: CheckRule[] = []
  for (const { pence, certainty, start, end } of scanMoney(tokenise(notes))) {
    if (certainty !== 'marked') continue
    const there = pence == null ? shown.figures.has(oneLine(notes.slice(start, end))) : shown.pence.has(pence)
    if (!there) rules.push('AmountLost')
  }
  return rules
}

function invented(text: string, sources: readonly Vouched[], { calculated, found }: Checked): CheckRule[] {
  const rules: CheckRule[] = []
  const pence = new Set([
    ...sources.flatMap(source => [...source.pence]),
    ...calculated.map(({ value }) => Math.abs(value)),
    ...found.amounts.flatMap(amount => amount.pence ?? [])
  ])
  for (const part of text.split(SEAMS)) {
    const tokens = tokenise(part)
    for (const amount of scanMoney(tokens)) {
      if (amount.certainty !== 'marked') continue
      const known =
        amount.pence == null
          ? sources.some(({ figures }) => figures.has(oneLine(part.slice(amount.start, amount.end))))
          : pence.has(amount.pence)
      if (!known) rules.push('AmountInvented')
    }
    for (const { start, end } of scanDates(tokens)) {
      if (!sources.some(({ flat }) => flat.includes(oneLine(part.slice(start, end)).toLowerCase())))
        rules.push('DateInvented')
    }
    for (const { kind, capital, lower, stem } of tokens) {
      if (kind === 'number' && !sources.some(({ figures }) => figures.has(lower))) {
        const value = penceOf(lower)
        if (value == null || !pence.has(value)) rules.push('NumberInvented')
      }
      if (kind === 'word' && capital && !sources.some(({ words }) => words.has(lower) || words.has(stem)))
        rules.push('NameInvented')
    }
  }
  return rules
}

/** Every fact must follow from the words that it points at. */
function unsourced({ notes, facts, lexicon }: Checked): CheckRule[] {
  const rules: CheckRule[] = []
  for (const fact of facts) {
    const { start, end, text } = fact.source
    const inside = start >= 0 && start < end && end <= notes.length && notes.slice(start, end) === text
    if (!inside || !follows(fact, lexicon)) rules.push('FactWithoutSource')
  }
  return rules
}

function follows({ field, value, source: { text } }: Fact, lexicon: Lexicon): boolean {
  const tokens = tokenise(text)
  const name = field.slice(field.lastIndexOf('.') + 1)
  if (typeof value === 'number') {
    if (name === 'instalments') return tokens.length > 0
    const [amount] = scanMoney(tokens)
    return amount?.pence === Math.abs(value)
  }
  if (typeof value === 'boolean') {
    return /priority|\b(?:y|n|p|np|yes|no|not)\b/i.test(text) || labelOf(lexicon, text)?.priority === value
  }
  if (text.replace(/\s+/g, ' ') === value) return true
  if (name.endsWith('period')) {
    const period =
      periodNamed(tokens, 0, tokens.length) ??
      tokens.map(({ lower }) => periodAdjective(lower)).find(found => found != null)
    return period === value && PERIODS.some(known => known === value)
  }
  const length = tokens.length
  if (name === 'creditor' || name === 'original_creditor') {
    return (
      lexicon.creditors.match(tokens, 0, length)?.values.some(entry => entry.name === value) === true ||
      tokens.map(({ text: part }) => part).join('') === value.replace(/\s/g, '')
    )
  }
  if (name === 'kind') {
    const topic = lexicon.topics.match(tokens, 0, length)?.values.some(({ debt }) => debt === value)
    return (
      topic === true ||
      lexicon.creditors.match(tokens, 0, length)?.values.some(({ kind }) => kind === value) === true ||
      lexicon.relations.match(tokens, 0, length) != null
    )
  }
  if (name === 'option') return lexicon.options.match(tokens, 0, length)?.values.includes(value) === true
  if (name === 'channel') return lexicon.channels.match(tokens, 0, length)?.values.includes(value) === true
  if (name === 'nation') return lexicon.nations.match(tokens, 0, length)?.values.includes(value) === true
  return name === 'status'
}

/** Works every sum out again from the facts. */
function miscalculated({ facts, calculated, config }: Checked): CheckRule[] {
  const values = new Map<string, number>()
  for (const { field, value } of facts) if (typeof value === 'number') values.set(field, value)
  for (const { field, value } of calculated) values.set(field, value)
  const { periods, basis } = config.letter
  const rules: CheckRule[] = []
  for (const { field, value, from, how } of calculated) {
    const parts = from.map(part => values.get(part.replace(/\.amount$/, '.converted')) ?? values.get(part))
    const plain = from.map(part => values.get(part) ?? 0)
    const [a = 0, b = 0] = plain
    const right = how.startsWith('sum')
      ? parts.every(part => part != null) && parts.reduce<number>((sum, part) => sum + (part ?? 0), 0) === value
      : how.startsWith('from ')
        ? PERIODS.some(period => convertPence(a, periods[period].factor, periods[basis].factor) === value)
        : field === 'surplus'
          ? a - b === value
          : how.startsWith('instalments')
            ? a * b === value
            : value >= 0
    if (!right) rules.push('CalculationWrong')
  }
  return rules
}

/** @throws {ServiceError} 500 `LetterCheckFailed`, with rules and counts but none of the contents */
export function checkLetter(checked: Checked): void {
  const violations = findViolations(checked)
  if (violations.length === 0) return
  const counts = Object.fromEntries([...Map.groupBy(violations, rule => rule)].map(([rule, all]) => [rule, all.length]))
  throw new ServiceError(
    500,
    'LetterCheckFailed',
    `the letter was withheld because it failed its own check (${Object.keys(counts).join(', ')}); nothing is wrong with the request`,
    { violations: counts }
  )
}
