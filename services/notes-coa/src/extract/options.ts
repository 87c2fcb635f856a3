import type { PhraseIndex } from '../text/phrases.ts'
import type { Said, Span } from '../types.ts'
import type { Document } from './document.ts'
import { type Statement, tokenAt } from './statements.ts'

export interface OptionMention {
  code: string
  from: number
  to: number
  statement: Statement
  /** index of the statement */
  at: number
}

export type OptionStatus = 'chosen' | 'rejected' | 'suitable' | 'considered'

export interface OptionFound {
  code: string
  status: OptionStatus
  /** the words that name it first */
  named: Said<string>
  /** what the notes say of it, word for word */
  remarks: Span[]
  /** the words that the status rests on */
  because?: Span
}

export interface Decision {
  /** code of the option, where the notes name one that the config knows */
  option?: Said<string>
  status: Said<'agreed' | 'undecided'>
  /** what the notes say of it, word for word */
  remark: Span
}

const THINGS = new Set(['that', 'this', 'it', 'but'])
const PEOPLE = new Set(['he', 'she', 'they', 'client'])
const OPINIONS = new Set(
  "did didn't does doesn't do don't was wasn't is isn't would wouldn't could couldn't can can't cannot likes liked wants wanted qualifies prefers preferred feels felt thinks thought".split(
    ' '
  )
)
const MAX_REMARKS = 6
const TAIL = new Set([',', 'and', ';', '/', '(', '-', '&', '+', 'or', 'a', 'an', 'the', 'but', 'v', 'vs'])

export function findOptions(doc: Document): OptionMention[] {
  const { tokens, lexicon, statements } = doc
  const found: OptionMention[] = []
  const small = tokens.slice(0, 60).every(({ capital }) => !capital)
  statements.forEach((statement, at) => {
    const about = statement.section === 'options' || statement.section === 'decision' || statement.section === 'reasons'
    if (
      ['debts', 'income', 'spending', 'client', 'adviser', 'date', 'channel', 'consent'].includes(
        statement.section ?? ''
      ) &&
      statement.firm
    )
      return
    for (let i = statement.from; i < statement.to; i++) {
      const match = lexicon.options.match(tokens, i, statement.to)
      const code = match?.values[0]
      if (match == null || code == null) continue
      const token = tokens[i]
      // "map" and "das" are options in capitals, in a list of options, or where nothing has a capital
      const short = match.length === 1 && (token?.text.length ?? 0) <= 4
      const loud = token != null && token.text === token.text.toUpperCase()
      if (!short || about || small || loud || (token?.text.length ?? 0) === 4)
        found.push({ code, from: i, to: i + match.length, statement, at })
      i += match.length - 1
    }
  })
  return found
}

function has(index: PhraseIndex<true>, doc: Document, from: number, to: number): Span | undefined {
  for (let i = from; i < to; i++) {
    const match = index.match(doc.tokens, i, to)
    if (match != null) return { start: doc.tokens[i]?.start ?? 0, end: doc.tokens[i + match.length - 1]?.end ?? 0 }
  }
  return undefined
}

/** Token range of what is said of a mention: on to the next option, back to the one before. */
function windowOf(mention: OptionMention, next: OptionMention | undefined): { from: number; to: number } {
  return { from: mention.to, to: next?.statement === mention.statement ? next.from : mention.statement.to }
}

/** Sentences that go on about an option without naming it: the rest of its bullet, or "He did not like that." */
function following(
  doc: Document,
  { at, statement }: OptionMention,
  named: ReadonlyMap<Statement, number>
): Statement[] {
  const found: Statement[] = []
  for (let i = at + 1; i < doc.statements.length && found.length < 3; i++) {
    const next = doc.statements[i]
    if (next == null || next.paragraph !== statement.paragraph || next.label !== statement.label) break
    if (named.has(next)) break
    const [word, verb] = [doc.tokens[next.from]?.lower ?? '', doc.tokens[next.from + 1]?.lower ?? '']
    const opinion = THINGS.has(word) || (PEOPLE.has(word) && OPINIONS.has(verb))
    const listed = statement.firm && statement.section === 'options'
    if (!listed && !opinion) break
    if (!listed && found.length > 0) break
    found.push(next)
  }
  return found
}

export function readOptions(doc: Document): { options: OptionFound[]; mentions: OptionMention[] } {
  const mentions = findOptions(doc)
  const options = new Map<string, OptionFound>()
  const perStatement = new Map<Statement, number>()
  for (const { statement } of mentions) perStatement.set(statement, (perStatement.get(statement) ?? 0) + 1)
  mentions.forEach((mention, i) => {
    const { tokens, notes } = doc
    const span = { start: tokens[mention.from]?.start ?? 0, end: tokens[mention.to - 1]?.end ?? 0 }
    const option: OptionFound = options.get(mention.code) ?? {
      code: mention.code,
      status: 'considered',
      named: { value: notes.slice(span.start, span.end).replace(/\s+/g, ' '), span },
      remarks: []
    }
    options.set(mention.code, option)
    const window = windowOf(mention, mentions[i + 1])
    const after = perStatement.get(mention.statement) === 1 ? following(doc, mention, perStatement) : []
    const judged = judgeMention(doc, mention, window, after)
    if (judged != null && (option.status === 'considered' || judged.status === 'chosen')) {
      option.status = judged.status
      option.because = judged.span
    }
    const alone = perStatement.get(mention.statement) === 1
    const own = alone
      ? { start: mention.statement.start, end: mention.statement.end }
      : trimmed(doc, mention.from, window.to)
    const length = tokenCount(doc, own)
    const says = length > mention.to - mention.from + (alone ? 1 : 0)
    if (says && own != null && option.remarks.length < MAX_REMARKS) option.remarks.push(own)
    for (const { start, end } of after) if (option.remarks.length < MAX_REMARKS) option.remarks.push({ start, end })
  })
  return { options: [...options.values()], mentions }
}

function tokenCount({ tokens }: Document, span: Span | undefined): number {
  return span == null ? 0 : tokenAt(tokens, span.end) - tokenAt(tokens, span.start)
}

function trimmed({ tokens }: Document, from: number, to: number): Span | undefined {
  let end = to
  while (end > from && TAIL.has(tokens[end - 1]?.lower ?? '')) end -= 1
  const first = tokens[from]
  const last = tokens[end - 1]
  return first == null || last == null ? undefined : { start: first.start, end: last.end }
}

function judgeMention(
  doc: Document,
  mention: OptionMention,
  window: { from: number; to: number },
  after: readonly Statement[]
): { status: OptionStatus; span: Span } | undefined {
  const { lexicon, tokens } = doc
  const listed = mention.statement.section === 'options' && mention.statement.firm
  const ranges = [window, ...after]
  for (const { from, to } of ranges) {
    const rejected = has(lexicon.rejected, doc, from, to)
    if (rejected != null) return { status: 'rejected', span: rejected }
  }
  const before = has(lexicon.rejected, doc, Math.max(mention.statement.from, mention.from - 4), mention.from)
  const comma = tokens
    .slice(Math.max(mention.statement.from, mention.from - 4), mention.from)
    .some(({ text }) => text === ',' || text === ';' || text === ')')
  if (before != null && !comma && !listed) return { status: 'rejected', span: before }
  for (const { from, to } of listed ? ranges : []) {
    const chosen = has(lexicon.agreed, doc, from, to)
    if (chosen != null) return { status: 'chosen', span: chosen }
  }
  for (const { from, to } of ranges) {
    const suitable = has(lexicon.suitable, doc, from, to)
    if (suitable != null) return { status: 'suitable', span: suitable }
  }
  return undefined
}
