import type { Amount } from '../text/money.ts'
import { readNumberWords } from '../text/numbers.ts'
import type { Said, Span } from '../types.ts'
import type { Document } from './document.ts'
import type { Frame } from './frames.ts'
import type { NameMention } from './names.ts'
import type { Judged } from './roles.ts'
import type { Statement } from './statements.ts'

const INSTALMENTS = new Set("months month mths mth weeks week wks wk instalments payments months' weeks'".split(' '))
const MAX_INSTALMENTS = 60
/** Words of a creditor's name that no dictionary knows. */
const MAX_NAME = 6
/** How far behind its sum a stage is looked for, in tokens, where the sentence tells of more debts. */
const STAGE_REACH = 8

export function spanOfTokens({ tokens }: Document, { from, to }: { from: number; to: number }): Span {
  return { start: tokens[from]?.start ?? 0, end: tokens[to - 1]?.end ?? 0 }
}

/** What stands at a span, as one line. */
export function saidAt({ notes }: Document, span: Span): Said<string> {
  return { value: notes.slice(span.start, span.end).replace(/\s+/g, ' '), span }
}

/** A name as a creditor: as the dictionary writes it, else as the notes do. */
export function creditorOf(doc: Document, name: NameMention | undefined): Said<string> | undefined {
  if (name == null) return undefined
  const said = saidAt(doc, spanOfTokens(doc, name))
  return name.entry == null ? said : { value: name.entry.name, span: said.span }
}

/** Of two names around a sum, who is owed: a firm before a person, anybody before an enforcement firm. */
export function pickName(before: Frame | undefined, after: Frame | undefined): NameMention | undefined {
  const rank = ({ kind, entry }: NameMention): number => {
    if (kind === 'relation') return 0
    if (entry?.kind === 'agent') return 1
    return kind === 'name' || kind === 'person' ? 2 : 3
  }
  const names = [before?.name, after?.name].filter(name => name != null)
  return names.toSorted((a, b) => rank(b) - rank(a))[0]
}

export function findTopics({ lexicon, tokens }: Document, from: number, to: number): Frame['topics'] {
  const found: Frame['topics'] = []
  for (let i = from; i < to; ) {
    const match = lexicon.topics.match(tokens, i, to)
    if (match != null) found.push({ kind: 'topic', from: i, to: i + match.length, topics: match.values })
    i += match?.length ?? 1
  }
  return found
}

/** The kind of debt by the most telling word, else by what is usually owed to the creditor or the first lender. */
export function kindOf(doc: Document, frames: readonly (Frame | undefined)[]): Said<string> | undefined {
  for (const topic of frames.flatMap(frame => frame?.topics ?? [])) {
    const code = topic.topics.find(({ debt }) => debt != null)?.debt
    if (code != null) return { value: code, span: spanOfTokens(doc, topic) }
  }
  for (const name of frames.flatMap(frame => [frame?.original, frame?.name, frame?.relation])) {
    const kind = name?.kind === 'relation' ? name.debt : name?.entry?.kind
    if (name != null && kind != null && kind !== 'other') return { value: kind, span: spanOfTokens(doc, name) }
  }
  return undefined
}

/** What a list of debts names that no dictionary knows: the words before the sum. */
export function unknownCreditor(
  doc: Document,
  { amount, before }: Judged,
  statement: Statement,
  previous: Amount | undefined
): Said<string> | undefined {
  const { tokens, lexicon } = doc
  const end = before == null ? amount.from : before.from
  let from = Math.max(statement.from, previous?.after ?? statement.from)
  while (from < end && tokens[from]?.kind === 'mark') from += 1
  let to = from
  while (to < end && to - from < MAX_NAME && isNamePart(doc, to)) to += 1
  while (to > from && tokens[to - 1]?.kind === 'mark') to -= 1
  const words = tokens.slice(from, to).filter(({ kind }) => kind === 'word')
  const telling = words.some(({ lower }) => !lexicon.common.has(lower))
  return telling && tokens[from]?.kind === 'word' ? saidAt(doc, spanOfTokens(doc, { from, to })) : undefined
}

function isNamePart({ tokens }: Document, i: number): boolean {
  const token = tokens[i]
  return token != null && (token.kind === 'word' || token.text === '&' || (token.joined && !/[:;,(|]/.test(token.text)))
}

/** "2 months @ £650", "three weeks at £112": how many. */
export function instalmentCount(
  { tokens }: Document,
  { from }: Amount,
  statement: Statement
): Said<number> | undefined {
  const [at, unit, number] = [tokens[from - 1]?.lower ?? '', tokens[from - 2]?.lower ?? '', tokens[from - 3]]
  if (!['@', 'at', 'x', '×'].includes(at) || !INSTALMENTS.has(unit) || number == null || from - 3 < statement.from)
    return undefined
  const value = number.kind === 'number' ? Number(number.text) : readNumberWords(tokens, from - 3, from - 2)?.value
  if (value == null || !Number.isInteger(value) || value < 1 || value > MAX_INSTALMENTS) return undefined
  return { value, span: { start: number.start, end: number.end } }
}

/** "priority", "non-priority", "NP", "[P]" between two sums, or else what the heading says. */
export function priorityOf(
  doc: Document,
  statement: Statement,
  amount: Amount,
  previous?: Amount,
  next?: Amount
): Said<boolean> | undefined {
  const { tokens } = doc
  for (let i = Math.max(previous?.after ?? 0, statement.from); i < (next?.from ?? statement.to); i++) {
    const token = tokens[i]
    const before = tokens[i - 1]
    if (token == null) continue
    if (token.lower === 'priority' || token.lower === 'nonpriority') {
      const dash = before?.text === '-' ? 2 : 1
      const denied = ['non', 'not'].includes(tokens[i - dash]?.lower ?? '')
      const start = denied ? (tokens[i - dash]?.start ?? token.start) : token.start
      return { value: !denied && token.lower === 'priority', span: { start, end: token.end } }
    }
    if (token.text !== 'P' && token.text !== 'NP') continue
    const bracketed = ['(', '['].includes(before?.text ?? '') && [')', ']'].includes(tokens[i + 1]?.text ?? '')
    if (bracketed || (i >= amount.after && before?.kind === 'mark'))
      return { value: token.text === 'P', span: { start: token.start, end: token.end } }
  }
  return statement.priority
}

/** "Yes", "NP", "non-priority" in a cell of its own. */
export function priorityCell({ notes }: Document, span: Span): Said<boolean> | undefined {
  const text = notes.slice(span.start, span.end).toLowerCase().trim()
  if (/^(?:n|no|np|non-?\s?priority|not?\s?priority)\b/.test(text)) return { value: false, span }
  return /^(?:y|yes|p|priority)\b/.test(text) ? { value: true, span } : undefined
}

/** How far the creditor has gone. `only`: the sum that it has to be about, where the sentence tells of more. */
export function stageOf(doc: Document, statement: Statement, only: Amount | undefined): Said<string> | undefined {
  const { tokens, lexicon } = doc
  const to = only == null ? statement.to : Math.min(statement.to, only.after + STAGE_REACH)
  for (let i = only?.after ?? statement.from; i < to; i++) {
    if (only != null && (tokens[i]?.text === '£' || tokens[i]?.kind === 'number')) return undefined
    const match = lexicon.stages.match(tokens, i, to)
    if (match != null) return saidAt(doc, spanOfTokens(doc, { from: i, to: i + match.length }))
  }
  return undefined
}
