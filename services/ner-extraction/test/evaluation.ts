import { readdirSync, readFileSync } from 'node:fs'
import { ENTITY_TYPES, type EntityType } from '../src/entity.ts'
import { fold } from '../src/fold.ts'
import { readGazetteers } from '../src/gazetteer.ts'
import { NAMES } from '../src/names/lists.ts'

export interface Label {
  type: EntityType
  start: number
  end: number
  /** may be found or not: counts neither way */
  optional: boolean
}

export interface LabelledText {
  register: string
  text: string
  labels: Label[]
}

export type LabelSet = 'dev' | 'held-out'

const LABEL = new RegExp(`\\[(${ENTITY_TYPES.join('|')})(\\??) ([^\\]]+)\\]`, 'g')

/** Reads the labelled texts of a set; `data/README.md` says how they are written. */
export function labelledTexts(name: LabelSet): LabelledText[] {
  const folder = new URL(`./data/${name}/`, import.meta.url)
  return readdirSync(folder).flatMap(file =>
    readFileSync(new URL(file, folder), 'utf8')
      .split(/^===$/m)
      .map(block => ({ register: file.replace('.txt', ''), ...parse(block.trim()) }))
  )
}

function parse(marked: string): { text: string; labels: Label[] } {
  const labels: Label[] = []
  let text = ''
  let position = 0
  for (const match of marked.matchAll(LABEL)) {
    text += marked.slice(position, match.index)
    const type = ENTITY_TYPES.find(candidate => candidate === match[1])
    const words = match[3] ?? ''
    if (type != null)
      labels.push({ type, start: text.length, end: text.length + words.length, optional: match[2] === '?' })
    text += words
    position = match.index + match[0].length
  }
  return { text: text + marked.slice(position), labels }
}

export interface Found {
  type: string
  start: number
  end: number
}

export interface Score {
  right: number
  found: number
  labelled: number
}

export interface Outcome {
  missed: Label[]
  wrong: Found[]
}

/** Counts over texts, by type and by register; an entity is right when its type and both ends are. */
export class Scores {
  readonly #counts = new Map<string, Score>()

  add({ labels, register }: LabelledText, found: Found[]): Outcome {
    const matches = (a: Found, b: Found): boolean => a.type === b.type && a.start === b.start && a.end === b.end
    const overlaps = (a: Found, b: Found): boolean => a.start < b.end && b.start < a.end
    const required = labels.filter(({ optional }) => !optional)
    const counted = found.filter(
      entity =>
        !labels.some(label => label.optional && overlaps(label, entity)) ||
        required.some(label => matches(label, entity))
    )
    for (const key of ['all', register]) {
      this.#count(key, required, counted, matches)
    }
    for (const type of ENTITY_TYPES) {
      const of = (entity: Found): boolean => entity.type === type
      this.#count(type, required.filter(of), counted.filter(of), matches)
    }
    return {
      missed: required.filter(label => !counted.some(entity => matches(label, entity))),
      wrong: counted.filter(entity => !required.some(label => matches(label, entity)))
    }
  }

  of(key: string): Score & { precision: number; recall: number; f1: number } {
    const score = this.#counts.get(key) ?? { right: 0, found: 0, labelled: 0 }
    const precision = score.found === 0 ? 1 : score.right / score.found
    const recall = score.labelled === 0 ? 1 : score.right / score.labelled
    return {
      ...score,
      precision,
      recall,
      f1: precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall)
    }
  }

  get keys(): string[] {
    return [...this.#counts.keys()]
  }

  #count(key: string, labels: Found[], found: Found[], matches: (a: Found, b: Found) => boolean): void {
    const score = this.#counts.get(key) ?? { right: 0, found: 0, labelled: 0 }
    score.labelled += labels.length
    score.found += found.length
    score.right += found.filter(entity => labels.some(label => matches(label, entity))).length
    this.#counts.set(key, score)
  }
}

const gazetteers = readGazetteers()

/** Says of a person, an organisation or a place whether the shipped lists have the name. */
export function listedOrNot(type: EntityType, name: string): string | undefined {
  if (type === 'PERSON') {
    const parts = name.split(/[\s.]+/).filter(part => part.length > 1)
    const known = parts.filter(part => NAMES.given.has(fold(part)) || NAMES.surname.has(fold(part)))
    return `PERSON, ${known.length === parts.length ? 'all of it' : known.length > 0 ? 'part of it' : 'none of it'} listed`
  }
  if (type === 'ORG') {
    const plain = name.replace(/ (?:Ltd|Limited|plc|LLP)$/i, '')
    return `ORG ${gazetteers.organisations.get(plain) == null ? 'not listed' : 'listed'}`
  }
  if (type === 'PLACE') return `PLACE ${gazetteers.places.get(name) == null ? 'not listed' : 'listed'}`
  return undefined
}
