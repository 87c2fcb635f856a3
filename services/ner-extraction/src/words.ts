import { readFileSync } from 'node:fs'
import nlp from 'compromise/two'
import { fold } from './fold.ts'

/** Reads a data file that stands in `data/`, without its comments. */
export function dataLines(name: string): string[] {
  return readFileSync(new URL(`./data/${name}`, import.meta.url), 'utf8')
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
}

/** The tags that compromise's lexicon gives to names, rather than to ordinary words. */
const NAME_TAGS = /Name|Person|City|Country|Region|Place|Organization|SportsTeam|ProperNoun|Demonym/

interface Model {
  one: { lexicon: Record<string, string | string[]> }
}

function isModel(model: object): model is Model {
  return 'one' in model
}

/** The words that letters and notes about debt are made of. */
export const LETTER_WORDS: ReadonlySet<string> = new Set(
  dataLines('words.txt').flatMap(line => line.split(/\s+/).map(fold))
)

/** Words that a letter capitalises for reasons of its own: they name nobody unless something else says so. */
export const ORDINARY: ReadonlySet<string> = ordinaryWords()

function ordinaryWords(): Set<string> {
  const words = new Set(LETTER_WORDS)
  for (const line of dataLines('nouns.txt')) for (const word of line.split(/\s+/)) words.add(fold(word))
  const model: object = nlp.model()
  if (!isModel(model)) throw new Error('compromise has changed the shape of its model; pin the version in package.json')
  for (const [word, tags] of Object.entries(model.one.lexicon)) {
    if (!/^[a-z]+$/.test(word) || [tags].flat().every(tag => NAME_TAGS.test(tag))) continue
    words.add(word)
  }
  return words
}

/** Whether a folded word is an ordinary one, in the forms that a dictionary leaves out too. */
export function isOrdinary(folded: string): boolean {
  if (ORDINARY.has(folded)) return true
  if (folded.includes('-')) return folded.split('-').every(part => isOrdinary(part))
  for (const [ending, replacements] of ENDINGS) {
    if (!folded.endsWith(ending) || folded.length < ending.length + 3) continue
    const stem = folded.slice(0, -ending.length)
    if (replacements.some(replacement => ORDINARY.has(stem + replacement))) return true
  }
  return false
}

const ENDINGS: [string, string[]][] = [
  ['s', ['']],
  ['es', ['', 'e']],
  ['ies', ['y']],
  ['ed', ['', 'e']],
  ['ing', ['', 'e']],
  ['ly', ['', 'le']],
  ['y', ['']],
  ['ful', ['']],
  ['less', ['']],
  ['able', ['', 'e']],
  ['er', ['', 'e']],
  ['ness', ['']],
  ['ment', ['', 'e']]
]
