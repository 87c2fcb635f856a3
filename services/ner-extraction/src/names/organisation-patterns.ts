import type { Candidate } from '../entity.ts'
import { isCapital, type Token } from '../tokens.ts'
import { isOrdinary } from '../words.ts'
import { leadOf, ORG_LEADS, TITLES } from './cues.ts'
import { NAMES } from './lists.ts'
import { CIVIC, HEADS, LEGAL, LINKS, OPENERS, QUALIFIED, STOPS, THINGS, WEAK_HEADS } from './organisation-words.ts'
import { closed, withSuffix } from './suffix.ts'

const JOINED = /^(?:[ \t]{1,2}|[ \t]?&[ \t]?|\.[ \t]?|['’][ \t]|-|[ \t]\()$/

/** Organisations by their last word: `Meadowbank Care Ltd`, `Stockport Magistrates' Court`. */
export function patternedOrganisations(text: string, tokens: Token[]): Candidate[] {
  const found: Candidate[] = []
  for (let i = 1; i < tokens.length; i++) {
    const head = tokens[i]
    if (!isCapital(head)) continue
    const word = head.folded
    const legal = LEGAL.has(word)
    if (!legal && !HEADS.has(word)) continue
    const following = tokens[i + 1]
    // the last head of a row says where the name ends
    if (following != null && isCapital(following) && JOINED.test(following.gap)) {
      if (LEGAL.has(following.folded) || HEADS.has(following.folded)) continue
      // "Council Tax", "Housing Benefit", "Debt Management Policy" go on as headings do
      const heading =
        /^[ \t]/.test(following.gap) &&
        isOrdinary(following.stem) &&
        following.casing === head.casing &&
        !OPENERS.has(following.folded)
      if (heading && !legal && !CIVIC.has(tokens[i - 1]?.folded ?? '')) continue
    }
    const first = startOfName(tokens, i)
    if (!legal && headWithin(tokens, first, i)) continue
    const name = tokens.slice(first, i)
    const telling = name.filter(token => isTelling(token))
    const previous = tokens[i - 1]
    if (name.length === 0 || previous == null) continue
    const qualifiers = QUALIFIED[word]
    if (qualifiers != null && !qualifiers.has(previous.folded)) continue
    const lead = tokens[first]?.first === false ? leadOf(tokens, first) : undefined
    // "arrears to Beyond Housing": ordinary words, but capitals where the sentence asks for none
    const led =
      lead != null &&
      name.every(token => token.stemEnd === token.end) &&
      ORG_LEADS.has(lead.word) &&
      !lead.labelled &&
      !head.shouted &&
      tokens[first - 1]?.casing === 'lower'
    if (telling.length === 0 && !(legal && name.length > 1) && !(led && !WEAK_HEADS.has(word))) continue
    const start = tokens[first]?.start ?? head.start
    const strong =
      legal ||
      qualifiers != null ||
      !WEAK_HEADS.has(word) ||
      name.some(token => HEADS.has(token.folded) && !WEAK_HEADS.has(token.folded))
    const confidence =
      (legal ? 0.95 : telling.length === 0 ? 0.72 : strong ? 0.88 : 0.7) - (head.shouted && !legal ? 0.08 : 0)
    found.push({
      type: 'ORG',
      start,
      end: withSuffix(text, closed(text, start, head.end)),
      source: 'rule',
      confidence,
      kind: legal ? 'company' : word
    })
  }
  return found
}

/** "Shepway District Council Income and Debt Management": the name ended at the council. */
function headWithin(tokens: Token[], first: number, head: number): boolean {
  const inner = tokens
    .slice(first + 1, head)
    .findIndex(token => HEADS.has(token.folded) && !WEAK_HEADS.has(token.folded))
  return (
    inner >= 0 &&
    tokens
      .slice(first + 1 + inner, head)
      .some(token => LINKS.has(token.folded) || token.casing !== tokens[head]?.casing)
  )
}

/** A word that sets a name apart from a heading: not one that any letter writes with a capital. */
function isTelling(token: Token): boolean {
  return (
    isCapital(token) &&
    !LINKS.has(token.folded) &&
    !HEADS.has(token.folded) &&
    (!isOrdinary(token.stem) || NAMES.surname.has(token.stem)) &&
    !TITLES.has(token.folded)
  )
}

/** the longest name taken to the left of its last word */
const MAX_LEFT = 6

function startOfName(tokens: Token[], head: number): number {
  let first = head
  for (let i = head - 1; i >= 0 && head - i <= MAX_LEFT; i--) {
    const token = tokens[i]
    const next = tokens[i + 1]
    if (token == null || next == null || !JOINED.test(next.gap) || (next.first && !/^\.[ \t]?$/.test(next.gap))) break
    if (isCapital(token) && !STOPS.has(token.folded)) first = i
    else if (
      !(LINKS.has(token.folded) && isCapital(tokens[i - 1]) && (token.folded === 'of' || token.folded === 'and'))
    )
      break
  }
  // an ordinary word that only opens the sentence or the line is no part of it: "When Leeds City Council"
  while (first < head - 1) {
    const token = tokens[first]
    if (
      token != null &&
      (STOPS.has(token.folded) || LINKS.has(token.folded) || (token.first && OPENERS.has(token.folded)))
    )
      first++
    else break
  }
  return first
}

/** "a plan with Golden Leaves": words, but with capitals that the sentence doesn't ask for, where a firm would stand. */
export function phrasesWhereFirmsStand(tokens: Token[]): Candidate[] {
  const found: Candidate[] = []
  for (let i = 1; i < tokens.length - 1; i++) {
    const [before, first, last, after] = [tokens[i - 1], tokens[i], tokens[i + 1], tokens[i + 2]]
    if (before == null || first == null || last == null || !/^(?:with|from|by|at)$/.test(before.text)) continue
    const titled = [first, last].every(
      token => token.casing === 'title' && token.gap === ' ' && isOrdinary(token.stem) && token.folded.length > 2
    )
    if (!titled || THINGS.has(last.stem) || THINGS.has(first.stem) || isCapital(after)) continue
    if ([first, last].some(token => TITLES.has(token.folded) || STOPS.has(token.folded))) continue
    // "told by Mark Reed"
    if (NAMES.given.has(first.stem) && NAMES.surname.has(last.stem)) continue
    found.push({ type: 'ORG', start: first.start, end: last.stemEnd, source: 'rule', confidence: 0.66 })
  }
  return found
}

const NAME_WORD = "\\p{Lu}[\\p{L}'’-]{1,24}"
const PREFIXED: [RegExp, string][] = [
  [
    new RegExp(`(?<![\\p{L}])(?:London |Royal )?Borough of ${NAME_WORD}(?: (?:and|upon) ${NAME_WORD})?`, 'gu'),
    'council'
  ],
  [new RegExp(`(?<![\\p{L}])City of ${NAME_WORD}(?: ${NAME_WORD}){0,3} Council`, 'gu'), 'council'],
  [
    new RegExp(
      `(?<![\\p{L}])(?:Department|Ministry|Office) (?:for|of) ${NAME_WORD}(?:(?:,| and| for)? ${NAME_WORD}){0,4}`,
      'gu'
    ),
    'government'
  ],
  [
    new RegExp(`(?<![\\p{L}])(?:University|Bank|Church|College) of ${NAME_WORD}(?: ${NAME_WORD}){0,2}`, 'gu'),
    'organisation'
  ],
  [
    new RegExp(
      `(?<![\\p{L}])(?:County|COUNTY|Family|FAMILY|Crown|CROWN) (?:Court|COURT) (?:sitting |SITTING )?(?:at|AT|in|IN) (?:Central |CENTRAL )?${NAME_WORD}(?: (?:and|AND|upon) ${NAME_WORD})?`,
      'gu'
    ),
    'court'
  ],
  [new RegExp(`(?<![\\p{L}])(?:LB|RB|LBC) (?:of )?${NAME_WORD}`, 'gu'), 'council']
]

/** Organisations by their first words: `London Borough of`, `Department for`. */
export function prefixedOrganisations(text: string): Candidate[] {
  return PREFIXED.flatMap(([pattern, kind]) =>
    [...text.matchAll(pattern)].map(
      ({ 0: match, index }): Candidate => ({
        type: 'ORG',
        start: index,
        end: index + match.length,
        source: 'rule',
        confidence: 0.945,
        kind
      })
    )
  )
}
