import type { Candidate } from '../entity.ts'
import type { NameShape } from '../shape.ts'
import { isCapital, type Token } from '../tokens.ts'
import { isOrdinary } from '../words.ts'
import {
  leadOf,
  ONLY_PERSON_VERBS,
  ORG_LABELS,
  ORG_LEADS,
  ORG_NOUNS,
  ORG_VERBS,
  PERSON_VERBS,
  PLACE_LABELS,
  PLACE_LEADS,
  PLACE_WEAK_LEADS,
  wordAfter
} from './cues.ts'
import { NAMES } from './lists.ts'
import { endOfName, isInitial, isWordOnly } from './persons.ts'

/** What speaks for each reading of a run of capitalised words; the highest wins if it is high enough. */
export interface Reading {
  PERSON: number
  ORG: number
  PLACE: number
  /** whether the lists of names had a part in it */
  listed: boolean
}

export interface Run {
  first: number
  last: number
}

/** below this, a run is left alone */
const ENOUGH = 1.5

/** `N1`, `S21`, `ES40`: a form, a section */
const FORM = /^\p{Lu}{1,2}[\dO]{1,3}\p{Lu}?$/u

/** Runs of capitalised words that may be names: what the rules before this one left over. */
export function runs(tokens: Token[]): Run[] {
  const found: Run[] = []
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]
    if (token == null || !isCapital(token)) continue
    const last = endOfName(tokens, i, false)
    if (
      last == null ||
      (last === i && (isInitial(token) || FORM.test(token.text))) ||
      (token.shouted && last === i && token.text.length < 3)
    )
      continue
    found.push({ first: i, last })
    i = last
  }
  return found
}

/** Reads a run by the lists of names, how its words are spelt, and the words beside it. */
export function read(text: string, tokens: Token[], { first, last }: Run, shape: NameShape): Reading {
  const words = tokens.slice(first, last + 1)
  const [head, tail] = [words[0], words.at(-1)]
  if (head == null || tail == null) return { PERSON: 0, ORG: 0, PLACE: 0, listed: false }
  const spelling = readSpelling(words, shape)
  const around = readSurroundings(text, tokens, first, last)
  return {
    PERSON: spelling.PERSON + around.PERSON,
    ORG: spelling.ORG + around.ORG,
    PLACE: spelling.PLACE + around.PLACE,
    listed: spelling.listed
  }
}

function readSpelling(words: Token[], shape: NameShape): Reading {
  const parts = words.filter(word => !isInitial(word))
  const reading = { PERSON: 0, ORG: 0, PLACE: 0, listed: false }
  for (const [i, word] of parts.entries()) {
    const [given, surname] = [known(NAMES.given, word.stem), known(NAMES.surname, word.stem)]
    const ordinary = isOrdinary(word.stem)
    const name = (i === 0 ? given : surname) || (i > 0 && given) || (i === 0 && surname)
    if (name) reading.listed = true
    // a name that is also a word says little; one that isn't says much, and as a first word most
    if (name)
      reading.PERSON += ordinary
        ? word.first || word.shouted
          ? 0.5
          : 1.2
        : (i === 0 && given) || (i > 0 && surname)
          ? 1.8
          : 1
    // what is no word is a name of something, and in these texts most often somebody's
    else reading.PERSON += Math.max(-1, Math.min(1.2, shape.score(word.stem) * 1.5)) + (ordinary ? 0 : 0.3)
    if (word.casing === 'mixed' || /\d/.test(word.text)) reading.ORG += 1
    if (word.casing === 'upper' && !word.shouted && word.text.length > 2 && word.text.length < 6 && !name)
      reading.ORG += 0.7
    if (!name && !ordinary) reading.ORG += Math.max(0, Math.min(0.6, -shape.score(word.stem)))
  }
  // accents come with names of people from elsewhere far more often than with names of firms
  if (words.some(word => ACCENTED.test(word.text))) {
    reading.PERSON += 0.7
    reading.ORG -= 0.5
  }
  // an acronym is nobody's name
  if (
    words.some(
      word =>
        word.casing === 'upper' &&
        !word.shouted &&
        word.text.length > 1 &&
        !NAMES.given.has(word.stem) &&
        !NAMES.surname.has(word.stem)
    )
  )
    reading.PERSON -= 1
  // people have two names or more; three capitals in a row are rarely a firm without a word that says so
  if (parts.length > 1) reading.PERSON += parts.some(word => isWordOnly(word)) ? -1 : 1.2
  if (words.length > parts.length && parts.length > 0) reading.PERSON += 1.7
  if (words.some(word => /\p{L}-\p{Lu}/u.test(word.text)) && parts.length > 1) reading.PERSON += 0.4
  return reading
}

const ACCENTED = /[\u00c0-\u024f\u1e00-\u1eff]/u

function known(list: ReadonlySet<string>, folded: string): boolean {
  return list.has(folded) || (folded.includes('-') && folded.split('-').some(part => part.length > 2 && list.has(part)))
}

const MONEY_AFTER = /^(?:['’]s)?[ \t]{0,3}[-–:(|,]?[ \t]{0,3}\(?£/
const HE_OR_SHE = /^[^.\n]{0,80}\b(?:he|she|his|her|him|hers|who|whose)\b/i
const IN_LIST = /^(?:, |,| ?\/ ?| ?\| ?|; | and | & )$/

function readSurroundings(text: string, tokens: Token[], first: number, last: number): Reading {
  const reading = { PERSON: 0, ORG: 0, PLACE: 0, listed: false }
  const [head, tail] = [tokens[first], tokens[last]]
  if (head == null || tail == null) return reading
  const lead = leadOf(tokens, first)
  const after = wordAfter(tokens, last)
  const behind = text.slice(tail.stemEnd, tail.stemEnd + 100)
  const single = first === last
  if (lead.labelled && ORG_LABELS.has(lead.word)) reading.ORG += 2
  else if (lead.apart && ORG_NOUNS.has(lead.word)) reading.ORG += 1.5
  if (lead.labelled && PLACE_LABELS.has(lead.word)) reading.PLACE += 2
  if (!lead.labelled && !lead.apart && ORG_LEADS.has(lead.word)) reading.ORG += single ? 1.1 : 0.4
  if (/^(?:at|for|by)$/.test(lead.word) && /^(?:works?|worked|working|job|employed|shifts?|nights)$/.test(lead.before))
    reading.ORG += 1
  if (/^(?:to|with)$/.test(lead.word) && /^(?:spoke|spoken|speak|speaking|talked|talking)$/.test(lead.before))
    reading.PERSON += 1
  if (PLACE_LEADS.has(lead.word)) {
    reading.PLACE += 2
    reading.PERSON -= 1.5
    reading.ORG -= 0.5
  }
  if (
    PLACE_WEAK_LEADS.has(lead.word) &&
    /^(?:moved?|moving|came|come|went|back|travel|flew|home|resident|part|native|fled|return(?:ed)?|lives?|living)$/.test(
      lead.before
    )
  ) {
    reading.PLACE += 2
    reading.PERSON -= 1
    reading.ORG -= 0.8
  }
  const possessive = tail.stemEnd !== tail.end
  if (possessive) reading.PERSON += 0.4
  if (ORG_NOUNS.has(after) && !possessive) {
    reading.ORG += 1.5
    reading.PERSON -= 0.5
  } else if (ONLY_PERSON_VERBS.has(after)) {
    reading.PERSON += 1.3
    reading.ORG -= 0.5
  } else {
    if (PERSON_VERBS.has(after)) reading.PERSON += 0.8
    if (ORG_VERBS.has(after)) reading.ORG += 0.5
  }
  if (MONEY_AFTER.test(behind)) {
    reading.ORG += 1.3
    reading.PERSON -= 0.5
  }
  if (HE_OR_SHE.test(behind)) reading.PERSON += 0.4
  if (/^['’]s \p{Ll}/u.test(behind)) reading.PERSON += 0.8
  if (/^,? ?\(?(?:aged )?\d{1,2}\)?[,.)\s]/.test(behind) || /^,? who\b/.test(behind)) reading.PERSON += 1.2
  if (IN_LIST.test(head.gap)) reading.PERSON += 0.1
  // a capital that the sentence asks for is no sign of a name
  if (head.first && single)
    for (const type of ['PERSON', 'ORG', 'PLACE'] as const) reading[type] -= isOrdinary(head.stem) ? 0.6 : 0.3
  if (head.shouted) for (const type of ['PERSON', 'ORG', 'PLACE'] as const) reading[type] -= 0.5
  if (single && isWordOnly(head)) {
    reading.PERSON -= 2
    reading.PLACE -= 2
    reading.ORG -= 1
  }
  return reading
}

/** Takes the reading that has most for it, if that is enough. */
export function decide(tokens: Token[], { first, last }: Run, reading: Reading): Candidate | undefined {
  const [head, tail] = [tokens[first], tokens[last]]
  if (head == null || tail == null) return undefined
  const scores = (['PERSON', 'ORG', 'PLACE'] as const).map(type => ({ type, score: reading[type] }))
  const [best, second] = scores.sort((a, b) => b.score - a.score)
  if (best == null || best.score < ENOUGH) return undefined
  const margin = best.score - (second?.score ?? 0)
  return {
    type: best.type,
    start: head.start,
    end: tail.stemEnd,
    source: best.type === 'PERSON' && reading.listed ? 'gazetteer' : 'model',
    confidence: Math.round(100 * Math.min(0.88, 0.45 + best.score * 0.08 + margin * 0.04)) / 100
  }
}
