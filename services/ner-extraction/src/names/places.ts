import type { Candidate, Span } from '../entity.ts'
import { fold, skeleton } from '../fold.ts'
import type { Gazetteers } from '../gazetteer.ts'
import { isCapital, type Token } from '../tokens.ts'
import { isOrdinary } from '../words.ts'
import { leadOf, PLACE_LABELS, PLACE_LEADS, PLACE_WEAK_LEADS, TITLES, wordAfter } from './cues.ts'
import { NAMES } from './lists.ts'

const set = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/).map(word => skeleton(fold(word))))

/** what streets are called; compared by skeleton, so that `Hi11` is a hill */
const STREETS = set(
  'road rd street avenue ave av lane ln close drive dr way wav crescent cres cresc gardens gdns terrace terr ter grove walk mews row square sq parade rise broadway embankment quay ' +
    'wharf villas croft fold drove wynd brae vennel causeway bypass boulevard green gate hill mount view vale yard place pl court ct park ring estate'
)
/** of those, the ones that need a house number or an address around them, being much else besides */
const LOOSE_STREETS = set(
  'green gate hill mount view vale yard place pl court ct park ring fold way close drive dr row rise square estate quay st walk ct ter'
)
const ST = 'st'
/** what streets and houses in Wales begin with */
const WELSH = set('heol ffordd stryd maes bryn lon clos ty rhodfa cae cwrt parc pen plas')
/** what houses and blocks of flats are called */
const BUILDINGS = set(
  'house court point tower heights lodge building buildings mansions apartments cottage cottages farm chambers hall park place view'
)

const HOUSE_NUMBER =
  /(?:^|[\s(,:])((?:(?:Flat|FLAT|Apt|Apartment|APARTMENT|Unit|UNIT|Room|ROOM|Suite)\.?[ \t]{1,2}[\dA-Z]{1,4}(?:\/\d{1,2})?,?[ \t]{1,2})?\d{1,4}[A-Za-z]?(?:[ \t]?[-/][ \t]?\d{1,4}[A-Za-z]?)?,?[ \t]{1,2})$/
const FLAT = /(?:^|[\s(,:])((?:Flat|FLAT|Apt|Apartment|APARTMENT|Unit|UNIT)\.?[ \t]{1,2}\d{1,4}[A-Za-z]?,?[ \t]{1,2})$/
/** the most words that a street's name has before its last */
const MAX_STREET = 4
const BETWEEN = /^[ \t]{1,2}$|^\.[ \t]{1,2}$/

export interface PlaceContext {
  text: string
  tokens: Token[]
  gazetteers: Gazetteers
  /** postcodes found in the text, sorted */
  postcodes: Span[]
}

export function places(context: PlaceContext): Candidate[] {
  const streets = addresses(context)
  return [...streets, ...towns(context, streets), ...listed(context, streets)]
}

/** `62 Tarvin Road`, `Flat 3, 14 Acacia Avenue`, and a named house in an address. */
function addresses({ text, tokens, gazetteers, postcodes }: PlaceContext): Candidate[] {
  const found = welsh({ text, tokens, gazetteers, postcodes })
  for (let i = 1; i < tokens.length; i++) {
    const last = tokens[i]
    if (!isCapital(last)) continue
    const head = skeleton(last.folded)
    const street = STREETS.has(head) || last.folded === ST
    if (!street && !BUILDINGS.has(head)) continue
    const following = tokens[i + 1]
    // "14 Court Road" ends with the road
    if (isCapital(following) && BETWEEN.test(following.gap) && STREETS.has(skeleton(following.folded))) continue
    const first = startOfStreet(tokens, i)
    const start = tokens[first]?.start
    if (start == null || first === i) continue
    const number = numberBefore(text, start)
    const name = tokens.slice(first, i)
    const inAddress = beforePlaceOrPostcode(text, tokens, i, gazetteers, postcodes)
    const lead = leadOf(tokens, first)
    let confidence = 0
    if (number != null) confidence = /\d/.test(number) && street ? 0.95 : 0.9
    else if (
      street &&
      !LOOSE_STREETS.has(head) &&
      last.folded !== ST &&
      !name.every(token => isOrdinary(token.folded) && token.folded.length > 2)
    )
      confidence =
        inAddress || PLACE_WEAK_LEADS.has(lead.word) || lead.word === 'on' || lead.word === 'in' ? 0.85 : 0.62
    else if (inAddress && (tokens[first]?.lineStart === true || /,[ \t]$/.test(tokens[first]?.gap ?? '')))
      confidence = 0.84
    if (confidence > 0)
      found.push({
        type: 'PLACE',
        start: start - (number?.length ?? 0),
        end: last.end,
        source: 'rule',
        confidence,
        kind: 'address'
      })
  }
  return found
}

/** `Heol y Bont`, `12 Maes yr Haf` */
function welsh({ text, tokens, gazetteers, postcodes }: PlaceContext): Candidate[] {
  return tokens.flatMap((token, i): Candidate[] => {
    if (!isCapital(token) || !WELSH.has(skeleton(token.folded))) return []
    const article = /^(?:y|yr|r)$/.test(tokens[i + 1]?.folded ?? '') ? 1 : 0
    const last = tokens[i + 1 + article]
    if (!isCapital(last) || last.gap !== ' ') return []
    const number = numberBefore(text, token.start)
    const apart = token.lineStart || /,[ \t]$/.test(token.gap) || ['of', 'at', 'in'].includes(leadOf(tokens, i).word)
    if (number == null && !(apart && beforePlaceOrPostcode(text, tokens, i + 1 + article, gazetteers, postcodes)))
      return []
    return [
      {
        type: 'PLACE',
        start: token.start - (number?.length ?? 0),
        end: last.end,
        source: 'rule',
        confidence: 0.94,
        kind: 'address'
      }
    ]
  })
}

function numberBefore(text: string, start: number): string | undefined {
  const before = text.slice(Math.max(0, start - 30), start)
  return [HOUSE_NUMBER, FLAT]
    .map(pattern => pattern.exec(before)?.[1])
    .reduce((a, b) => ((b?.length ?? 0) > (a?.length ?? 0) ? b : a))
}

function startOfStreet(tokens: Token[], head: number): number {
  let first = head
  for (let i = head - 1; i >= 0 && head - i <= MAX_STREET; i--) {
    const token = tokens[i]
    const next = tokens[i + 1]
    if (token == null || next == null || !BETWEEN.test(next.gap)) break
    // recognition may have split a word: "Bri dge Street"
    const fragment =
      token.casing === 'lower' &&
      /^\p{L}{2,6}$/u.test(token.folded) &&
      !isOrdinary(token.folded) &&
      isCapital(tokens[i - 1])
    const link = (token.folded === 'the' || token.folded === 'of') && isCapital(tokens[i - 1])
    if (
      (isCapital(token) &&
        !TITLES.has(token.folded) &&
        !/^(?:flat|unit|apt)$/.test(token.folded) &&
        !/^\d/.test(token.text)) ||
      fragment ||
      link
    )
      first = i
    else break
  }
  return first
}

function beforePlaceOrPostcode(
  text: string,
  tokens: Token[],
  last: number,
  { places: gazetteer }: Gazetteers,
  postcodes: Span[]
): boolean {
  const end = tokens[last]?.end ?? 0
  if (postcodes.some(({ start }) => start >= end && start - end < 60 && addressLike(text.slice(end, start))))
    return true
  const next = tokens[last + 1]
  return (
    isCapital(next) &&
    /^[ \t]?,?[ \t]?\n?[ \t]?$/.test(next.gap) &&
    /[,\n]/.test(next.gap) &&
    gazetteer.longestAt(tokens, last + 1) != null
  )
}

/** Only capitalised words, commas and new lines, as between a street and its postcode. */
function addressLike(text: string): boolean {
  return /^(?:[\s,.]{0,6}(?:\p{Lu}[\p{L}\d'’-]{1,20}|upon|on|under|le|the|in|of|yr?|[a-z]{2,5}(?=[ \t]?[,\n]))){0,6}[\s,.]{0,6}$/u.test(
    text
  )
}

const TOWN =
  /(?:^|[,\n:][ \t]{0,3}|[ \t]{2,})((?:\p{Lu}[\p{L}\d'’-]{1,20}|St\.?)(?:[ \t-](?:\p{Lu}[\p{L}\d'’-]{1,20}|upon|on|under|le|the|in|of|[a-z]{2,6}(?=[ \t]?[,\n]))){0,4})[ \t]?[,.]?\s{0,3}$/u
const TOWN_AFTER =
  /^[ \t]?(?:,|\n|,\n)[ \t]?(\p{Lu}[\p{L}'’-]{2,20}(?:[ -](?:\p{Lu}[\p{L}'’-]{2,20}|upon|on|under)){0,3})(?=[ \t]?(?:[,.;)]|\n|$| on \d| by | since | from ))/u

/** The words between a street and a postcode, whether any list knows them or not; and a listed town right after a street. */
function towns({ text, tokens, gazetteers, postcodes }: PlaceContext, streets: Candidate[]): Candidate[] {
  const found: Candidate[] = []
  const add = (start: number, name: string, confidence: number): void => {
    found.push({ type: 'PLACE', start, end: start + name.length, source: 'rule', confidence, kind: 'town' })
  }
  for (const { start } of postcodes) {
    const from = Math.max(0, start - 48)
    const before = text.slice(from, start)
    const name = TOWN.exec(before)?.[1]
    if (name == null || isHeading(name) || gazetteers.organisations.get(name) != null) continue
    const street = skeleton(fold(name.split(/\s+/).at(-1) ?? ''))
    if (STREETS.has(street) || BUILDINGS.has(street) || looksLikePerson(name)) continue
    add(from + before.lastIndexOf(name), name, 0.86)
  }
  for (const { end, confidence } of streets) {
    if (confidence < 0.8) continue
    const match = TOWN_AFTER.exec(text.slice(end, end + 64))
    const name = match?.[1]
    if (match == null || name == null || isHeading(name) || gazetteers.organisations.get(name) != null) continue
    if (tokens.length > 0 && !looksLikePerson(name))
      add(end + match[0].length - name.length, name, /\n/.test(match[0]) ? 0.7 : 0.82)
  }
  return found
}

function isHeading(name: string): boolean {
  return name.split(/[\s-]+/).every(word => isOrdinary(fold(word)))
}

function looksLikePerson(name: string): boolean {
  const words = name.split(/\s+/).map(fold)
  return words.length > 1 && NAMES.given.has(words[0] ?? '') && words.slice(1).every(word => NAMES.surname.has(word))
}

function listed({ text, tokens, gazetteers, postcodes }: PlaceContext, streets: Candidate[]): Candidate[] {
  const found: Candidate[] = []
  for (let i = 0; i < tokens.length; i++) {
    const match = gazetteers.places.longestAt(tokens, i)
    const first = tokens[i]
    const last = tokens[match?.last ?? i]
    if (match == null || first == null || last == null) continue
    const confidence =
      confidenceIn(text, tokens, i, match.last, match.entry.ambiguous, postcodes, streets) -
      (match.approximate ? 0.1 : 0) -
      // a lender may be called after the town: then the words around decide
      (match.first === match.last && gazetteers.organisations.longestAt(tokens, i)?.entry.ambiguous === true ? 0.09 : 0)
    if (confidence > 0.3)
      found.push({
        type: 'PLACE',
        start: first.start,
        end: endOfTown(tokens, i, match.last),
        source: 'gazetteer',
        confidence,
        kind: match.entry.kind,
        normalized: match.entry.name
      })
    if (!match.entry.ambiguous) i = match.last
  }
  return found
}

/** "in Cheadle Hulme": after such a word the whole of a name is a place, though the list has the half of it. */
function endOfTown(tokens: Token[], first: number, last: number): number {
  const [end, next] = [tokens[last], tokens[last + 1]]
  if (end == null) return 0
  const longer = next?.casing === 'title' && next.gap === ' ' && end.stemEnd === end.end && !isOrdinary(next.stem)
  return longer && PLACE_LEADS.has(leadOf(tokens, first).word) ? next.stemEnd : end.stemEnd
}

function confidenceIn(
  text: string,
  tokens: Token[],
  first: number,
  last: number,
  ambiguous: boolean,
  postcodes: Span[],
  streets: Span[]
): number {
  const [token, end] = [tokens[first], tokens[last]]
  if (token == null || end == null) return 0
  const lead = leadOf(tokens, first)
  // "lives in wembley"
  if (token.casing === 'lower')
    return !ambiguous && token.folded.length > 4 && /^(?:in|near|from|to)$/.test(lead.word) ? 0.72 : 0
  const [previous, next] = [tokens[first - 1], tokens[last + 1]]
  const beside = (other: Token | undefined, gap: string | undefined): boolean => isCapital(other) && gap === ' '
  const led = PLACE_LEADS.has(lead.word) && !lead.labelled
  const addressed =
    postcodes.some(({ start }) => start >= end.end && start - end.end <= 4) ||
    streets.some(street => token.start - street.end >= 0 && token.start - street.end <= 3) ||
    (lead.labelled && PLACE_LABELS.has(lead.word))
  // beside a person's name, it is likely part of it: "Ewan Bolton", "Lincoln Adeyemi"
  const person =
    first === last &&
    ((beside(previous, token.gap) && (NAMES.given.has(previous?.folded ?? '') || TITLES.has(previous?.folded ?? ''))) ||
      (beside(next, next?.gap) && NAMES.surname.has(next?.stem ?? '') && NAMES.given.has(token.folded)))
  if (person && !addressed) return 0.3
  if (TITLES.has(lead.word)) return 0.2
  if (led || addressed) return ambiguous ? 0.84 : 0.9
  const weak = PLACE_WEAK_LEADS.has(lead.word)
  const after = wordAfter(tokens, last)
  if (!ambiguous) {
    const longer = beside(next, next?.gap) && !token.shouted && !isOrdinary(next?.folded ?? '')
    return longer ? 0.6 : beside(next, next?.gap) || beside(previous, token.gap) ? 0.7 : 0.83
  }
  if (token.first && isOrdinary(token.folded) && !/^(?:[ \t]?[,\n]|$)/.test(text.slice(end.end, end.end + 2))) return 0
  return weak && !token.shouted && after === '' ? 0.6 : isOrdinary(token.folded) ? (token.first ? 0 : 0.3) : 0.45
}
