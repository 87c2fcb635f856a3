import { readFileSync } from 'node:fs'
import { allStems } from './words.ts'

/**
 * Finds ideas in a text, whatever they are called there: a client says "bailiff", the manual "enforcement agent". The
 * ideas are the lines of a plain text file, so that an adviser can add to them.
 */
export class Ideas {
  /** the terms of each idea, as written */
  readonly terms: readonly (readonly string[])[]
  readonly #byFirstStem = new Map<string, { stems: string[]; idea: number }[]>()

  /** @param text one idea to a line, its terms separated by commas; `#` begins a comment */
  constructor(text: string) {
    this.terms = text
      .split('\n')
      .map(line => line.replace(/#.*/, '').trim())
      .filter(line => line !== '')
      .map(line => line.split(',').map(term => term.trim()))
    this.terms.forEach((terms, idea) => {
      for (const term of terms) this.#add(allStems(term), idea)
    })
  }

  #add(stems: string[], idea: number): void {
    const [first] = stems
    if (first == null) return
    const entries = this.#byFirstStem.get(first)
    if (entries == null) this.#byFirstStem.set(first, [{ stems, idea }])
    else entries.push({ stems, idea })
  }

  /** The number of each idea, once for each time that the text names it. */
  find(text: string): number[] {
    const stems = allStems(text)
    const found: number[] = []
    for (let at = 0; at < stems.length; at++) {
      for (const entry of this.#byFirstStem.get(stems[at] ?? '') ?? []) {
        if (entry.stems.every((stem, i) => stems[at + i] === stem)) found.push(entry.idea)
      }
    }
    return found
  }
}

export const IDEAS_FILE = new URL('../../data/client-language.txt', import.meta.url)

export function readIdeas(file: string | URL = IDEAS_FILE): Ideas {
  return new Ideas(readFileSync(file, 'utf8'))
}
