import type { Candidate } from '../entity.ts'
import { isCapital, type Token } from '../tokens.ts'
import { isOrdinary } from '../words.ts'
import { leadOf, PERSON_LABELS, PERSON_LEADS, SOFT_TITLES, TITLES } from './cues.ts'
import { NAMES } from './lists.ts'

const set = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/))

/** small words inside names: al-Shami, ap Rhys, de Fátima, Ó Catháin */
const PARTICLES = set(
  'ni nic ui o mac wa al el ap ab ferch bin ibn bint binti de da do dos das du der den van von la le di del della ben bat ul ur abu umm y e ter ten'
)
/** words with a capital that end a name: an organisation's last word, a role */
const ENDS = set(
  'ltd limited plc llp council bank solicitors housing law court finance group trust road street avenue lane close drive crescent account accounts defendant claimant tenant debtor ' +
    'head manager director adviser advisor officer team department customer collections clerk court claimant and or v vs re ref dob nino ni tel mob address date email'
)
/** the most words of one name */
const MAX_WORDS = 5
const GAP = /^(?:[ \t]{1,2}|\.[ \t]?|[ \t]?-)$/

/** How far a name reaches from a token, inclusive; `undefined` when none begins there. */
export function endOfName(tokens: Token[], first: number, trusted: boolean): number | undefined {
  let last: number | undefined
  for (let i = first; i < tokens.length && i - first < MAX_WORDS; i++) {
    const token = tokens[i]
    if (token == null || (i > first && !GAP.test(token.gap))) break
    if (i > first && /^\./.test(token.gap) && !/^\p{Lu}{1,2}$/u.test(tokens[i - 1]?.text ?? '')) break
    const particle =
      PARTICLES.has(token.folded) && (token.casing !== 'upper' || token.shouted || !ENDS.has(token.folded))
    if (particle && leadsOn(tokens, i) && (i > first || isCapital(token))) continue
    if (/^\d/.test(token.text) || ENDS.has(token.folded) || TITLES.has(token.folded)) break
    if (!isCapital(token)) break
    if (isWordOnly(token) && i > first && isWithinName(tokens, i)) continue
    if (isInitial(token) && isCapital(tokens[i + 1]) && (!token.first || !/^[AI]$/.test(token.text))) {
      last = i
      continue
    }
    if (isWordOnly(token) && !(trusted && (i === first || (i === first + 1 && NAMES.surname.has(token.stem))))) break
    last = i
    if (token.stemEnd !== token.end) break
  }
  return last
}

/** After a particle comes another, or a word with a capital. */
function leadsOn(tokens: Token[], index: number): boolean {
  const [next, second] = [tokens[index + 1], tokens[index + 2]]
  if (next?.gap !== ' ') return false
  return next.casing !== 'lower' || (PARTICLES.has(next.folded) && isCapital(second) && second.gap === ' ')
}

/** "Kiran Deep Singh": a word between a given name and a surname. */
function isWithinName(tokens: Token[], index: number): boolean {
  const [previous, token, next] = [tokens[index - 1], tokens[index], tokens[index + 1]]
  if (previous == null || token == null || next == null || token.gap !== ' ' || next.gap !== ' ') return false
  return (
    token.casing === 'title' &&
    NAMES.given.has(previous.folded) &&
    isCapital(next) &&
    NAMES.surname.has(next.stem) &&
    !isWordOnly(next)
  )
}

/** An ordinary word that nobody is called. */
export function isWordOnly(token: Token): boolean {
  return isOrdinary(token.stem) && !NAMES.given.has(token.stem) && !NAMES.surname.has(token.stem)
}

export function isInitial(token: Token | undefined): boolean {
  return token != null && /^\p{Lu}$/u.test(token.text)
}

function person(tokens: Token[], first: number, last: number, confidence: number): Candidate | undefined {
  const [from, to] = [tokens[first], tokens[last]]
  if (from == null || to == null) return undefined
  return { type: 'PERSON', start: from.start, end: to.stemEnd, source: 'rule', confidence }
}

/** People whom something beside the name shows to be people: a title, `Dear`, a label, `Yours sincerely`. */
export function persons(text: string, tokens: Token[]): Candidate[] {
  const found: Candidate[] = []
  for (let i = 0; i < tokens.length; i++) {
    const candidate = titled(tokens, i) ?? greeted(tokens, i) ?? signedOff(text, tokens, i) ?? labelled(tokens, i)
    if (candidate != null) found.push(candidate)
  }
  return found
}

function titled(tokens: Token[], i: number): Candidate | undefined {
  const [title, next] = [tokens[i - 1], tokens[i]]
  if (title == null || next == null || !/^(?:\.?[ \t]{1,2}|\.)$/.test(next.gap)) return undefined
  const soft = SOFT_TITLES.has(title.folded)
  if (!(TITLES.has(title.folded) || (soft && isCapital(title) && !title.shouted))) return undefined
  if (title.casing === 'lower' && title.folded.length > 4) return undefined
  if (next.casing === 'lower') {
    // "mr khan", as hurried notes have it
    return title.casing === 'lower' && (NAMES.surname.has(next.folded) || NAMES.given.has(next.folded))
      ? lowerCased(tokens, i, 0.85)
      : undefined
  }
  const last = endOfName(tokens, i, true)
  if (last == null || (soft && !NAMES.given.has(next.stem))) return undefined
  return person(tokens, i, last, 0.955)
}

function lowerCased(tokens: Token[], first: number, confidence: number): Candidate | undefined {
  const next = tokens[first + 1]
  const two = next?.gap === ' ' && next.casing === 'lower' && NAMES.surname.has(next.stem) && !isOrdinary(next.stem)
  return person(tokens, first, two ? first + 1 : first, confidence)
}

const GREETINGS = set('dear hello hi hiya')

function greeted(tokens: Token[], i: number): Candidate | undefined {
  const [greeting, next] = [tokens[i - 1], tokens[i]]
  if (greeting == null || next == null || !GREETINGS.has(greeting.folded) || !/^[ \t]{1,2}$/.test(next.gap))
    return undefined
  if (TITLES.has(next.folded) || isWordOnly(next)) return undefined
  const last = endOfName(tokens, i, true)
  return last == null ? undefined : person(tokens, i, last, 0.94)
}

const CLOSING =
  /(?:yours(?: sincerely| faithfully| truly)?|sincerely|faithfully|regards|wishes|thanks|signed|cheers)[ \t]{0,2}[,.:]?\s{0,6}$/i

function signedOff(text: string, tokens: Token[], i: number): Candidate | undefined {
  const token = tokens[i]
  if (token == null || !(token.lineStart || /^[,:]/.test(token.gap)) || !isCapital(token)) return undefined
  if (!CLOSING.test(text.slice(Math.max(0, token.start - 40), token.start).replace(/sincere1y/i, 'sincerely')))
    return undefined
  const last = endOfName(tokens, i, true)
  if (last == null || isWordOnly(token)) return undefined
  return person(tokens, i, last, 0.9)
}

/** before a name in small letters: `cl jane`, `im gemma` */
const SMALL_LEADS = set('cl clt client partner ptr ptnr wife husband son daughter brother sister im')
const APART = /^(?:, | ?\( ?|[-–] )$/

function labelled(tokens: Token[], i: number): Candidate | undefined {
  const token = tokens[i]
  if (token == null) return undefined
  const lead = leadOf(tokens, i)
  const bare =
    (PERSON_LEADS.has(lead.word) || SMALL_LEADS.has(lead.word) || (lead.word === 'is' && lead.before === 'name')) &&
    (token.gap === ' ' || APART.test(token.gap))
  const label = PERSON_LABELS.has(lead.word) && lead.labelled
  if (!bare && !label) return undefined
  if (token.casing === 'lower') {
    // "my name is gemma", "im gemma"
    const name = NAMES.given.has(token.folded) && !isOrdinary(token.folded)
    return name && (label || SMALL_LEADS.has(lead.word) || (lead.word === 'is' && lead.before === 'name'))
      ? lowerCased(tokens, i, 0.75)
      : undefined
  }
  const last = endOfName(tokens, i, label)
  if (last == null || (isWordOnly(token) && !label)) return undefined
  const words = tokens.slice(i, last + 1)
  if (words.every(isWordOnly)) return undefined
  const known = words.some(word => NAMES.given.has(word.stem) || NAMES.surname.has(word.stem))
  // "contact:" and "re:" come before organisations as often
  const loose =
    /^(?:contact|manager|re|from|to|cc|agent|landlord|ll|supervisor|trustee|named|called|solicitor|told|asked|met)$/.test(
      lead.word
    ) ||
    (lead.word === 'client' && lead.before === 'our')
  return person(tokens, i, last, known ? (label ? 0.93 : 0.9) : loose ? 0.6 : label ? 0.85 : 0.78)
}
