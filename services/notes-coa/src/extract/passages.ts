import type { PhraseIndex } from '../text/phrases.ts'
import type { Span } from '../types.ts'
import { type Document, within } from './document.ts'
import type { OptionMention } from './options.ts'
import type { Statement } from './statements.ts'

/** What the notes say in words rather than figures; each is quoted as it stands. */
export interface Passages {
  problem: Span[]
  circumstances: Span[]
  reasons: Span[]
  consequences: Span[]
  documents: Span[]
  referrals: Span[]
  consent: Span[]
  /** the notes record consent to hold sensitive details */
  consented: boolean
}

const MAX_PASSAGES = 12
const DENIES =
  /\b(?:no consent|not consent|without consent|refus\w+ consent|doesn't consent|declin\w+ consent|consent: no|withh\w+)\b/i
const NOTHING = /^[\s:"*-]*(?:none|nil|n\/a|no|not given|tbc|to follow)\b[\s.]*$/i
const BRINGS =
  /\b(?:needs?|bring|bringing|send|sending|post|provide|get|find|upload|email|promised|wanted|missing|required|outstanding|chase)\b/i

export function spanOfStatement({ start, end }: Span): Span {
  return { start, end }
}

function includes({ tokens }: Document, index: PhraseIndex<true>, { from, to }: Statement): boolean {
  for (let i = from; i < to; i++) if (index.match(tokens, i, to) != null) return true
  return false
}

/**
 * Sorts statements into the letter's paragraphs. A label decides; in running text, words do. Details of health and the
 * like are quoted only where the notes record consent.
 */
export function readPassages(doc: Document, mentions: readonly OptionMention[]): Passages {
  const optional = new Set(mentions.map(({ statement }) => statement))
  const { lexicon, notes } = doc
  const found: Passages = {
    problem: [],
    circumstances: [],
    reasons: [],
    consequences: [],
    documents: [],
    referrals: [],
    consent: [],
    consented: false
  }
  const add = (list: Span[], statement: Statement): void => {
    if (list.length < MAX_PASSAGES && !NOTHING.test(notes.slice(statement.start, statement.end)))
      list.push(spanOfStatement(statement))
  }
  const loose: Statement[] = []
  for (const statement of doc.statements) {
    const section = statement.firm ? statement.section : undefined
    if (section != null && isPassage(section)) add(found[section], statement)
    else if (section == null && statement.label == null) loose.push(statement)
  }
  for (const statement of loose) {
    const text = notes.slice(statement.start, statement.end)
    if (includes(doc, lexicon.consent, statement)) add(found.consent, statement)
    if (includes(doc, lexicon.referral, statement)) add(found.referrals, statement)
    if (includes(doc, lexicon.document, statement) && BRINGS.test(text)) add(found.documents, statement)
  }
  found.consented =
    found.consent.length > 0 &&
    !found.consent.some(({ start, end }) => DENIES.test(notes.slice(Math.max(0, start - 12), end)))
  const sensitive = (statement: Statement): boolean => includes(doc, lexicon.sensitive, statement)
  for (const statement of loose) {
    const text = notes.slice(statement.start, statement.end)
    const figures = within(doc.amounts, statement.from, statement.to).length > 0
    const about =
      (!optional.has(statement) && includes(doc, lexicon.problem, statement)) ||
      (!optional.has(statement) && /["“]/.test(text))
    if (figures || includes(doc, lexicon.consent, statement)) continue
    if (sensitive(statement)) {
      if (found.consented) add(found.circumstances, statement)
    } else if (about && statement.to - statement.from > 3) {
      add(found.problem, statement)
    }
  }
  if (!found.consented)
    found.circumstances = found.circumstances.filter(
      span => !doc.statements.some(statement => statement.start === span.start && sensitive(statement))
    )
  return found
}

type PassageName = Exclude<keyof Passages, 'consented'>
const NAMES: ReadonlySet<string> = new Set([
  'problem',
  'circumstances',
  'reasons',
  'consequences',
  'documents',
  'referrals',
  'consent'
])

function isPassage(section: string): section is PassageName {
  return NAMES.has(section)
}
