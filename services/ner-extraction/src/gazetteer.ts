import { fold, skeleton } from './fold.ts'
import type { Token } from './tokens.ts'
import { dataLines, isOrdinary } from './words.ts'

export interface Entry {
  type: 'ORG' | 'PLACE'
  /** the name that the list gives first */
  name: string
  /** the list's heading, as in `debt_collector` */
  kind: string
  /** also an ordinary word or a person's name, so that it needs other evidence */
  ambiguous: boolean
  /** found in small letters too, as hurried notes have it; an ambiguous one is for the caller to judge */
  lowerCase: boolean
}

export interface Match {
  /** index of the first token */
  first: number
  /** index of the last token, inclusive */
  last: number
  entry: Entry
  /** the spelling differs from the list's by more than case, accents and spaces */
  approximate: boolean
}

/** no name in the lists has more words than this, save a few councils */
const MAX_WORDS = 8
/** a name of fewer letters is not looked for with a letter wrong */
const MIN_FUZZY = 9
/** nor one of more: what is that long and not in the lists is a sentence */
const MAX_FUZZY = 32
/** with one letter wrong, either the first five are right or the last four are */
const HEAD = 5
const TAIL = 4
const PREFIX = 3
/** a name of no more letters is written without spaces */
const SHORT = 3
const GAP = /^(?:[ \t.'’+-]{0,3}|[ \t]?&[ \t]?|,[ \t]|[ \t]?\n[ \t]?)$/
const WORD = /[\p{L}\p{M}\p{N}]+|&/gu

/** Names of organisations and places, looked up by their {@link skeleton} with the spaces left out. */
export class Gazetteer {
  readonly #entries = new Map<string, Entry>()
  readonly #prefixes = new Set<string>()
  readonly #heads = new Set<string>()
  readonly #tails = new Set<string>()
  /** names with one letter left out, to find those with one letter wrong */
  readonly #neighbours = new Map<string, string>()

  get size(): number {
    return this.#entries.size
  }

  add(alias: string, entry: Entry): void {
    const key = keyOf(alias)
    if (key.length < 2 || this.#entries.has(key)) return
    this.#entries.set(key, entry)
    this.#prefixes.add(key.slice(0, PREFIX))
    if (key.length < MIN_FUZZY || key.length > MAX_FUZZY || entry.ambiguous) return
    this.#heads.add(key.slice(0, HEAD))
    this.#tails.add(key.slice(-TAIL))
    for (const neighbour of withOneLeftOut(key)) this.#neighbours.set(neighbour, key)
  }

  get(name: string): Entry | undefined {
    return this.#entries.get(keyOf(name))
  }

  /** The longest name of the lists that begins at a token. */
  longestAt(tokens: Token[], first: number): Match | undefined {
    let key = ''
    let best: Match | undefined
    for (let last = first; last < Math.min(tokens.length, first + MAX_WORDS); last++) {
      const token = tokens[last]
      if (token == null || (last > first && !GAP.test(token.gap))) break
      // "L v" is not LV, nor "A B" AB; "E.ON" and "H&M" hold together
      const loose = last > first && key.length < SHORT && /^\s/.test(token.gap) && !token.gap.includes('&')
      if (loose && key.length + token.key.length <= SHORT) break
      if (last > first && token.gap.includes('&')) key += 'and'
      const before = key
      key = before + token.key
      // "UK's" may be the UK
      const stem = token.stem === token.folded ? key : key.slice(0, -1)
      if (
        last === first &&
        ![key, stem].some(part => part.length < PREFIX || this.#prefixes.has(part.slice(0, PREFIX)))
      )
        return undefined
      const match = this.#lookUp(tokens, first, last, key, best == null || best.approximate)
      if (match != null) best = match
      else if (token.stem !== token.folded) {
        const possessive = this.#lookUp(tokens, first, last, before + token.key.slice(0, -1), false)
        if (possessive != null) best = possessive
      }
    }
    return best
  }

  #lookUp(tokens: Token[], first: number, last: number, key: string, fuzzy: boolean): Match | undefined {
    const exact = this.#entries.get(key)
    const capital = tokens[first]?.casing !== 'lower'
    if (exact != null)
      return capital || exact.lowerCase || exact.ambiguous
        ? { first, last, entry: exact, approximate: false }
        : undefined
    if (!fuzzy || !capital || key.length < MIN_FUZZY || key.length > MAX_FUZZY || tokens[last]?.gap.includes(','))
      return undefined
    if (!this.#heads.has(key.slice(0, HEAD)) && !this.#tails.has(key.slice(-TAIL))) return undefined
    const found =
      this.#neighbours.get(key) ??
      withOneLeftOut(key)
        .map(neighbour => (this.#entries.has(neighbour) ? neighbour : this.#neighbours.get(neighbour)))
        .find(candidate => candidate != null)
    const entry = found == null ? undefined : this.#entries.get(found)
    if (entry == null || entry.ambiguous || found?.[0] !== key[0]) return undefined
    return { first, last, entry, approximate: true }
  }
}

function keyOf(name: string): string {
  return (fold(name).match(WORD) ?? []).map(word => (word === '&' ? 'and' : skeleton(word))).join('')
}

function withOneLeftOut(key: string): string[] {
  return Array.from(key, (_, i) => key.slice(0, i) + key.slice(i + 1))
}

/** The gazetteers as shipped. Places and organisations are apart: many an organisation is named after a place. */
export interface Gazetteers {
  organisations: Gazetteer
  places: Gazetteer
}

export function readGazetteers(): Gazetteers {
  const organisations = new Gazetteer()
  readSections('organisations.txt', (kind, line) => addOrganisation(organisations, kind, line))
  readSections('councils.txt', (kind, line) => {
    for (const name of line.split(';')) addCouncil(organisations, kind, name.trim())
  })
  const places = new Gazetteer()
  readSections('places.txt', (kind, line) => {
    for (const part of line.split(';')) {
      const name = part.trim().replace(/^~/, '')
      const ambiguous = part.includes('~') || isOrdinary(fold(name))
      places.add(name, { type: 'PLACE', name, kind: kind.replace(/ .*/, ''), ambiguous, lowerCase: !ambiguous })
    }
  })
  return { organisations, places }
}

function readSections(file: string, read: (kind: string, line: string) => void): void {
  let kind = ''
  for (const line of dataLines(file)) {
    const heading = /^\[(.+)\]$/.exec(line)?.[1]
    if (heading != null) kind = heading
    else read(kind, line)
  }
}

function addOrganisation(gazetteer: Gazetteer, heading: string, line: string): void {
  const aliases = line.split('|').map(alias => alias.trim())
  const name = (aliases[0] ?? '').replace(/^~/, '')
  const kind = heading.replace(/ and .*/, '').replace(/ /g, '_')
  for (const alias of aliases) {
    const plain = alias.replace(/^~/, '')
    const words = plain.split(/[\s-]+/)
    const ambiguous = alias.startsWith('~') || (words.length === 1 && plain.length < 3)
    // in small letters "good energy" is two words; "british gas" and "lowell" are what they are
    const lowerCase = !ambiguous && plain.length > 3 && !words.every(word => COMMON_IN_NAMES.has(fold(word)))
    gazetteer.add(plain, { type: 'ORG', name, kind, ambiguous: ambiguous && words.length === 1, lowerCase })
  }
}

const COMMON_IN_NAMES = new Set(
  (
    'so good extra green energy buddy loans first credit past due very group pay in 3 snap finance asset collections style ' +
    'control account jobcentre home great places one source choice housing platform network homes your high court supreme appeal of tax ' +
    'social fund job centre pension service advice money lending stream everyday uk the insurance direct line premium ' +
    'egg wise orange money shop opening law step one open dot swift cash generator now tv ' +
    'department for education health communities employment upper tribunal official receiver smart parking tick tock likely budget ' +
    'family action new look river island perfect bright house citizen community fibre post office look again more than'
  ).split(' ')
)

function addCouncil(gazetteer: Gazetteer, suffix: string, name: string): void {
  const boroughOfLondon = suffix === 'London Borough'
  const full = boroughOfLondon ? `London Borough of ${name}` : `${name} ${suffix}`
  const entry: Entry = { type: 'ORG', name: full, kind: 'council', ambiguous: false, lowerCase: true }
  const aliases = [full, `${name} Council`, `Council of ${name}`]
  if (boroughOfLondon)
    aliases.push(
      `LB ${name}`,
      `LB of ${name}`,
      `${name} LBC`,
      `LBC ${name}`,
      `Royal Borough of ${name}`,
      `${name} London Borough Council`
    )
  if (suffix === 'City Council')
    aliases.push(`City of ${name} Council`, `${name} CC`, `City of ${name} Metropolitan District Council`)
  if (suffix === 'Metropolitan Borough Council')
    aliases.push(`${name} MBC`, `${name} Borough Council`, `${name} Metropolitan Council`)
  if (suffix === 'County Borough Council') aliases.push(`${name} CBC`, `${name} County Council`)
  if (suffix === 'Borough Council') aliases.push(`${name} BC`, `Borough of ${name}`)
  if (suffix === 'District Council') aliases.push(`${name} DC`)
  for (const alias of aliases) gazetteer.add(alias, entry)
}
