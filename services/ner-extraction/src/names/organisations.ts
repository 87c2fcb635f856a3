import type { Candidate } from '../entity.ts'
import type { Gazetteers, Match } from '../gazetteer.ts'
import { isCapital, type Token } from '../tokens.ts'
import { isOrdinary } from '../words.ts'
import { leadOf, ORG_LABELS, ORG_LEADS, ORG_NOUNS, ORG_VERBS, TITLES, wordAfter } from './cues.ts'
import { NAMES } from './lists.ts'

const set = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/))

/** legal forms: whatever stands before them is an organisation */
const LEGAL = set('ltd limited plc llp lp cic inc plc llc')
/** what organisations call themselves; the word before says which one */
const HEADS = set(
  'council bank finance financial recoveries collections housing homes water energy insurance mortgages holdings law legal society association trust university college school academy ' +
    'hospital surgery practice services group capital loans telecom lettings estates properties motors cars parking enforcement partnership agency charity foundation church mosque temple ' +
    'foodbank care cleaning cleaners logistics recruitment stores supermarket nursery police ombudsman advice centre commission ministry department office service tribunal union nails ' +
    'bailiffs debt recovery credit money media mobile broadband communications networks systems solutions associates partners consultants accountants enterprises industries ' +
    'engineering foods bakery restaurant catering taxis transport haulage couriers construction builders plumbing security pharmacy dental opticians solicitors solicitor steelworks ' +
    'factory direct international uk court courts lending leasing motor gas electric electricity power utilities clinic hotel tv pay factors garage store cash bureau federation project hub ' +
    'investments management parts rentals factors auctions retail fashions furniture bedding catalogue club network kitchen cafe'
)
/** heads that are only one with the right word before: a court is more often a street */
const QUALIFIED: Record<string, ReadonlySet<string>> = {
  court: set('county magistrates magistrate crown combined sheriff family high tribunal sessions law'),
  courts: set('county magistrates crown combined law'),
  centre: set(
    'advice community health medical family law business justice court care support contact distribution debt'
  ),
  office: set('home post law sorting ombudsman'),
  service: set('service advice ambulance maintenance insolvency probation pension support health youth'),
  club: set('football working social boys youth money morses book'),
  hub: set('community advice family'),
  project: set('advice community support')
}
/** heads that only count as part of a longer name that the lists or a legal form vouch for */
const WEAK_HEADS = set(
  'care credit money direct uk mobile international cars pay cash power legal advice court courts school motor debt parts factory gas electric tv trust law recovery water store service office management network kitchen'
)
/** between the words of a name */
const LINKS = set('of and for the upon')
/** before "Council": then it is one, whatever follows */
const CIVIC = set('city county borough district metropolitan')
const JOINED = /^(?:[ \t]{1,2}|[ \t]?&[ \t]?|\.[ \t]?|['’][ \t]|-|[ \t]\()$/

const LEGAL_FORM = '(?:Ltd|LTD|Limited|LIMITED|[Pp][l1]c|PLC|[Ll][Ll][Pp]|CIC)\\b'
/** `(Europe) Limited`, `(CCM) Group Limited`, ` UK` */
const SUFFIX = new RegExp(
  `^(?:(?:[ \\t]\\([^()\\n]{1,18}\\))?(?:[ \\t](?:Group|Holdings|Services|UK|Europe|GROUP))?,?[ \\t]{1,2}${LEGAL_FORM}|[ \\t]\\(UK\\)|[ \\t]UK\\b)`
)

export function organisations(text: string, tokens: Token[], gazetteers: Gazetteers): Candidate[] {
  const known = listed(text, tokens, gazetteers)
  return [...known, ...patterned(text, tokens).map(found => named(found, known)), ...prefixed(text)]
}

/** "Severn Trent Water Ltd" is the Severn Trent of the list. */
function named(found: Candidate, known: Candidate[]): Candidate {
  const same = known.find(({ start, end, confidence }) => start === found.start && end <= found.end && confidence > 0.8)
  return same == null ? found : { ...found, kind: same.kind, normalized: same.normalized }
}

function listed(text: string, tokens: Token[], { organisations: gazetteer, places }: Gazetteers): Candidate[] {
  const found: Candidate[] = []
  for (let i = 0; i < tokens.length; i++) {
    const match = gazetteer.longestAt(tokens, i)
    if (match == null) continue
    const confidence = confidenceIn(text, tokens, match, companyKept(tokens, match, gazetteer, found.at(-1)))
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

/** A bracket that the name opens is its own to close. */
function closed(text: string, start: number, end: number): number {
  const name = text.slice(start, end)
  return text[end] === ')' && name.lastIndexOf('(') > name.lastIndexOf(')') ? end + 1 : end
}

function withSuffix(text: string, end: number): number {
  const suffix = SUFFIX.exec(text.slice(end, end + 40))?.[0] ?? ''
  return end + suffix.length
}

function confidenceIn(text: string, tokens: Token[], match: Match, besides: number): number {
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
  const evidence = evidenceFor(text, tokens, match.first) + besides
  return evidence >= 2 ? Math.min(0.9, 0.7 + evidence * 0.04) : 0
}

function partOfPersonName(tokens: Token[], index: number): boolean {
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
  if (/^ ?[-:]? ?£\d/.test(text.slice(token.end, token.end + 5))) return true
  return (
    OWED_TO.test(text.slice(Math.max(0, token.start - 24), token.start)) &&
    CLAUSE_END.test(text.slice(token.end, token.end + 5))
  )
}

/**
 * How much speaks for a creditor whose name is also a word or a person's name: 2 is enough. A capital where the
 * sentence asks for none, a word like "owes" before it, "bill" or an amount after it.
 */
function evidenceFor(text: string, tokens: Token[], index: number): number {
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
  else if (ORG_VERBS.has(after))
    evidence +=
      token.first && /^(?:wants?|sold|wrote|has|took|threatens|threatening|closed|stopped|agreed)$/.test(after)
        ? 1.6
        : 0.8
  if (/^['’]s$/.test(text.slice(token.stemEnd, token.end))) evidence += 0.3
  if (!token.first && !token.shouted) evidence += isOrdinary(token.folded) ? 1.5 : 0.8
  if (acronym) evidence += 1.2
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

/** Organisations by their last word: `Meadowbank Care Ltd`, `Stockport Magistrates' Court`. */
function patterned(text: string, tokens: Token[]): Candidate[] {
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
    tokens.slice(first + 1 + inner, head).some(token => !HEADS.has(token.folded) && !LINKS.has(token.folded))
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

/** words with a capital that end a name to their right */
const STOPS = set(
  'mr mrs ms miss dr dear the a an our your my his her their from to by with creditor claimant employer landlord ref re and or in at for we you they it this that these those when if'
)
const OPENERS = set(
  'when while because although since if as then also both against contact call ring pay please write owes owed owe client is was has two three four letter letters bill invoice statement rent loan card debt'
)

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

function prefixed(text: string): Candidate[] {
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
