import type { Candidate } from '../entity.ts'
import type { Gazetteers, Match } from '../gazetteer.ts'
import { isCapital, type Token } from '../tokens.ts'
import { TITLES } from './cues.ts'
import { evidenceFor, partOfPersonName } from './evidence.ts'
import { withSuffix } from './suffix.ts'

/** Organisations of the gazetteer; one whose name is also a word or a person's needs evidence. */
export function listedOrganisations(
  text: string,
  tokens: Token[],
  { organisations: gazetteer, places }: Gazetteers
): Candidate[] {
  const found: Candidate[] = []
  for (let i = 0; i < tokens.length; i++) {
    const match = gazetteer.longestAt(tokens, i)
    if (match == null) continue
    const confidence = confidenceIn(
      text,
      tokens,
      match,
      companyKept(tokens, match, gazetteer, found.at(-1)),
      places.longestAt(tokens, i) != null
    )
    if (confidence === 0) continue
    const first = tokens[match.first]
    let last = tokens[match.last]
    if (first == null || last == null) continue
    const next = tokens[match.last + 1]
    let start = first.start
    const before = tokens[match.first - 1]
    if (match.entry.kind === 'advice' && isCapital(before) && first.gap === ' ' && places.get(before.folded) != null)
      start = before.start
    if (
      match.entry.kind === 'advice' &&
      isCapital(next) &&
      next.gap === ' ' &&
      places.longestAt(tokens, match.last + 1) != null
    )
      last = tokens[places.longestAt(tokens, match.last + 1)?.last ?? match.last] ?? last
    found.push({
      type: 'ORG',
      start,
      end: withSuffix(text, endOf(last, match, tokens)),
      source: 'gazetteer',
      confidence,
      kind: match.entry.kind,
      normalized: match.entry.name
    })
    // what lies within a sure name of several words is part of it
    if (!match.entry.ambiguous) i = match.last
  }
  return found
}

const LISTED =
  /^(?:[ \t]?[,;/|][ \t]{0,2}(?:and )?|[ \t](?:and|&|or|plus)[ \t]|[ \t]?\n[ \t]{0,4}(?:[-*•]|\d{1,2}[.)])?[ \t]{0,3})$/

/** Creditors come in lists: beside one that is sure, a doubtful one is likely. */
function companyKept(
  tokens: Token[],
  { first, last }: Match,
  gazetteer: Gazetteers['organisations'],
  before?: Candidate
): number {
  const token = tokens[first]
  const previous = tokens[first - 1]
  if (token == null) return 0
  if (before != null && previous != null && before.end >= previous.stemEnd && LISTED.test(token.gap)) return 1.4
  const link = tokens[last + 1]
  const linked = link?.folded === 'and' && link.gap === ' ' ? last + 2 : last + 1
  const next = tokens[linked]
  if (!isCapital(next) || !(linked > last + 1 ? next.gap === ' ' : LISTED.test(next.gap))) return 0
  const match = gazetteer.longestAt(tokens, linked)
  return match == null ? 0 : match.entry.ambiguous ? 0.8 : 1.4
}

/** A possessive is left off, but the s of Sainsbury's is its own. */
function endOf(last: Token, { entry }: Match, tokens: Token[]): number {
  if (last.stemEnd === last.end || tokens.length === 0) return last.end
  return /['’]s\b/.test(entry.name) ? last.end : last.stemEnd
}

function confidenceIn(text: string, tokens: Token[], match: Match, besides: number, place: boolean): number {
  const words = match.last - match.first + 1
  if (words > 1) {
    const capitals = tokens.slice(match.first, match.last + 1).filter(isCapital).length
    if (capitals === 0) return match.entry.lowerCase ? 0.86 : 0
    // "Mr Lender" is no gentleman
    return match.approximate ? 0.85 : TITLES.has(tokens[match.first]?.folded ?? '') ? 0.97 : 0.94
  }
  const token = tokens[match.first]
  if (token == null) return 0
  if (!match.entry.ambiguous) {
    if (partOfPersonName(tokens, match.first)) return 0.4
    return match.approximate ? 0.8 : token.casing === 'lower' ? 0.82 : 0.92
  }
  const evidence = evidenceFor(text, tokens, match.first, place) + besides
  return evidence >= 2 ? Math.min(0.9, 0.7 + evidence * 0.04) : 0
}
