import { createHash } from 'node:crypto'
import type { Ideas } from './ideas.ts'
import type { WordVectors } from './word-vectors.ts'
import { contentWords } from './words.ts'

/** An idea adds this share of what its terms mean to a text that names it: measured best on the development questions. */
const IDEA_WEIGHT = 0.5

/**
 * Turns a text into a unit vector: the average of its words' vectors, rare words weighing more (smooth inverse
 * frequency), together with the ideas that it names. It depends on nothing but the text, so every instance that holds
 * a document computes the same.
 */
export class Embedder {
  readonly dimensions: number
  /** changes whenever the same text would get another vector */
  readonly model: string
  readonly #words: WordVectors
  readonly #ideas: Ideas
  readonly #ideaVectors: (Float64Array | undefined)[]

  constructor(words: WordVectors, ideas: Ideas) {
    this.#words = words
    this.#ideas = ideas
    this.dimensions = words.header.dimensions
    const hash = createHash('sha256').update(words.header.format).update(words.header.source)
    this.model = `glove-100d-sif-${hash.update(JSON.stringify(ideas.terms)).digest('hex').slice(0, 8)}`
    this.#ideaVectors = ideas.terms.map(terms => this.#meaning(terms))
  }

  /** All zeros for a text of which no word is known. */
  embed(text: string): Float32Array {
    const sum = new Float64Array(this.dimensions)
    for (const word of contentWords(text)) {
      const i = this.#words.index.get(word)
      if (i != null) this.#add(sum, i, this.#words.weights[i] ?? 0)
    }
    for (const idea of this.#ideas.find(text)) {
      const vector = this.#ideaVectors[idea]
      if (vector == null) continue
      for (let k = 0; k < this.dimensions; k++) sum[k] = (sum[k] ?? 0) + IDEA_WEIGHT * (vector[k] ?? 0)
    }
    const length = Math.hypot(...sum)
    return Float32Array.from(sum, x => (length === 0 ? 0 : x / length))
  }

  /** What an idea means: the average of those of its terms that are single words. */
  #meaning(terms: readonly string[]): Float64Array | undefined {
    const known = terms
      .map(contentWords)
      .flatMap(words => (words.length === 1 ? words : []))
      .flatMap(word => this.#words.index.get(word) ?? [])
    if (known.length === 0) return undefined
    const sum = new Float64Array(this.dimensions)
    for (const i of known) this.#add(sum, i, 1 / known.length)
    return sum
  }

  #add(sum: Float64Array, word: number, weight: number): void {
    const scale = (this.#words.scales[word] ?? 0) * weight
    const offset = word * this.dimensions
    for (let k = 0; k < this.dimensions; k++) sum[k] = (sum[k] ?? 0) + (this.#words.vectors[offset + k] ?? 0) * scale
  }
}
