import { fold } from './fold.ts'
import { NAMES } from './names/lists.ts'
import { dataLines, ORDINARY } from './words.ts'

/** shortest and longest run of letters that is counted */
const GRAM = { least: 2, most: 4 }
/** added to each count, so that a run never seen before says little */
const SMOOTHING = 0.5
/** the model is unsure of very short words, whatever their letters */
const SHORT = 3

/**
 * How much a word is spelt like a person's name rather than like an ordinary word or a place: a naive Bayes over runs of
 * letters, counted over the shipped lists when the process starts. It is what knows a name that no list has.
 */
export class NameShape {
  readonly #logOdds = new Map<string, number>()

  constructor(names: Iterable<string> = nameWords(), others: Iterable<string> = otherWords()) {
    const [inNames, totalNames] = count(names)
    const [inOthers, totalOthers] = count(others)
    const odds = (gram: string): number =>
      Math.log(((inNames.get(gram) ?? 0) + SMOOTHING) / (totalNames + 1)) -
      Math.log(((inOthers.get(gram) ?? 0) + SMOOTHING) / (totalOthers + 1))
    for (const grams of [inNames, inOthers]) {
      // a run that was seen once or twice is chance
      for (const [gram, seen] of grams) if (seen > 2) this.#logOdds.set(gram, odds(gram))
    }
  }

  /** Above 0: like a name; below: like a word. Mostly between -1 and 1. */
  score(folded: string): number {
    const parts = folded.split(/[^\p{L}]+/u).filter(part => part.length > 1)
    if (parts.length === 0) return 0
    const scores = parts.map(part => {
      let sum = 0
      let grams = 0
      for (const gram of gramsOf(part)) {
        sum += this.#logOdds.get(gram) ?? 0
        grams++
      }
      return (sum / grams) * Math.min(1, part.length / SHORT / 2)
    })
    return scores.reduce((total, score) => total + score, 0) / scores.length
  }
}

function* nameWords(): Iterable<string> {
  yield* NAMES.given
  yield* NAMES.surname
}

function* otherWords(): Iterable<string> {
  yield* ORDINARY
  for (const file of ['places.txt', 'organisations.txt', 'councils.txt'])
    for (const line of dataLines(file))
      for (const word of line.split(/[^\p{L}]+/u)) if (word.length > 2) yield fold(word)
}

function count(words: Iterable<string>): [Map<string, number>, number] {
  const counts = new Map<string, number>()
  let total = 0
  for (const word of words) {
    for (const gram of gramsOf(word)) {
      counts.set(gram, (counts.get(gram) ?? 0) + 1)
      total++
    }
  }
  return [counts, total]
}

function* gramsOf(word: string): Iterable<string> {
  const marked = `^${word}$`
  for (let length = GRAM.least; length <= GRAM.most; length++)
    for (let i = 0; i + length <= marked.length; i++) yield marked.slice(i, i + length)
}
