import { isCapital, type Token } from '../tokens.ts'
import { isOrdinary } from '../words.ts'
import { leadOf, ORG_LABELS, ORG_LEADS, ORG_NOUNS, ORG_VERBS, TITLES, wordAfter } from './cues.ts'
import { NAMES } from './lists.ts'
import { HEADS } from './organisation-words.ts'

const set = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/))

/** Whether a creditor's name stands within a person's: Mark Reed, Marlin Jones. */
export function partOfPersonName(tokens: Token[], index: number): boolean {
  const token = tokens[index]
  const previous = tokens[index - 1]
  const next = tokens[index + 1]
  if (token == null) return false
  const name = NAMES.given.has(token.folded) || NAMES.surname.has(token.stem)
  const afterGiven =
    previous != null &&
    isCapital(previous) &&
    token.gap === ' ' &&
    (NAMES.given.has(previous.folded) || TITLES.has(previous.folded))
  const beforeSurname = isCapital(next) && next.gap === ' ' && NAMES.surname.has(next.stem) && !HEADS.has(next.folded)
  return name && (afterGiven || beforeSurname)
}

const MONEY_BESIDE = /^(?:['’]s)?[ \t]{0,3}(?:[-–:(|,=]|card|loan|a\/c)?[ \t]{0,3}\(?(?:£|\d[\d,.]{1,8}(?![\d/-]))/

const OWED_TO = /£[\d,.]{1,10}k? (?:to|from|with) $/
const CLAUSE_END = /^(?: and |[ \t]?[,.;)\n]|$)/

/** "next £300", "i owe £340 to very and": in small letters only a sum right beside it makes a creditor of a word. */
function owedInSmallLetters(text: string, token: Token): boolean {
  if (/^ ?[-:]? ?£\d/.test(text.slice(token.end, token.end + 5)))
    return /(?:^|[,;.\n&]|\b(?:and|also|owes?|plus))[ \t]*$/.test(
      text.slice(Math.max(0, token.start - 12), token.start)
    )
  return (
    OWED_TO.test(text.slice(Math.max(0, token.start - 24), token.start)) &&
    CLAUSE_END.test(text.slice(token.end, token.end + 5))
  )
}

const ADVERBS = set('next very three together so now one so link')

/**
 * How much speaks for a creditor whose name is also a word or a person's name: 2 is enough. A capital where the
 * sentence asks for none, a word like "owes" before it, "bill" or an amount after it.
 */
export function evidenceFor(text: string, tokens: Token[], index: number, place: boolean): number {
  const token = tokens[index]
  if (token == null) return 0
  if (token.casing === 'lower') return owedInSmallLetters(text, token) ? 2 : 0
  if (partOfPersonName(tokens, index)) return 0
  const lead = leadOf(tokens, index)
  const after = wordAfter(tokens, index)
  const acronym = token.casing === 'upper' && token.text.length <= 5 && !token.shouted
  let evidence = 0
  if (TITLES.has(lead.word)) return 0
  if (MONEY_BESIDE.test(text.slice(token.end, token.end + 16))) evidence += 2
  if (lead.labelled && ORG_LABELS.has(lead.word)) evidence += 2
  else if (lead.apart && ORG_NOUNS.has(lead.word)) evidence += 1.5
  else if (ORG_LEADS.has(lead.word) && !lead.apart) evidence += 1.2
  if (ORG_NOUNS.has(after)) evidence += 1.5
  // a noun that opens a sentence without an article, and acts, is a name: "Octopus put in a meter"
  else if (ORG_VERBS.has(after)) evidence += token.first && !ADVERBS.has(token.folded) ? 2 : 0.8
  if (/^['’]s$/.test(text.slice(token.stemEnd, token.end))) evidence += 0.3
  if (!token.first && !token.shouted) evidence += isOrdinary(token.folded) ? 1.5 : 0.8
  if (acronym) evidence += 1.2
  // neither a word nor a name that the lists know: what else could it be
  if (!isOrdinary(token.stem) && !NAMES.given.has(token.stem) && !NAMES.surname.has(token.stem) && !place)
    evidence += 1.2
  if (lead.labelled && /^\d+$/.test(lead.word) && lead.before === 'debt') evidence += 2
  if (token.casing === 'mixed') evidence += 1
  if (/\($/.test(token.gap) && text[token.end] === ')') evidence += 0.9
  if (/^ [a-z]{3,10} £/.test(text.slice(token.end, token.end + 16))) evidence += 0.6
  if (/^(?:, |,| ?\/ ?| ?\| ?)$/.test(token.gap) || /^(?:,| and|;| ?\/)/.test(text.slice(token.end, token.end + 4)))
    evidence += 0.5
  // "in Halifax" is the town, "Next we" the adverb
  if (lead.word === 'in' || lead.word === 'near') evidence -= 2
  if (
    token.first &&
    isOrdinary(token.folded) &&
    /^ \p{Ll}/u.test(text.slice(token.end, token.end + 2)) &&
    !ORG_NOUNS.has(after) &&
    !ORG_VERBS.has(after)
  )
    evidence -= 1
  return evidence
}
