import { setImmediate as yieldToOthers } from 'node:timers/promises'
import type { Embedder } from './language/embedder.ts'
import type { Ideas } from './language/ideas.ts'
import { searchStems } from './language/words.ts'
import { passagesOf } from './passages.ts'
import type { IndexedPassage, StoredDocument } from './store/document.ts'
import { ideaTerm } from './store/search.ts'

/** Changes when the same text would be cut or indexed otherwise; an instance then indexes its documents anew. */
const RECIPE = 1
/** Passages indexed in one go, about 10 ms; then other requests get their turn. */
const SLICE = 100

/** Cuts texts into passages and computes what these are found by. */
export class Indexer {
  /** changes when documents need to be indexed anew */
  readonly recipe: string
  readonly #embedder: Embedder
  readonly #ideas: Ideas

  constructor(embedder: Embedder, ideas: Ideas) {
    this.#embedder = embedder
    this.#ideas = ideas
    this.recipe = `${RECIPE} ${embedder.model}`
  }

  async index({
    text,
    metadata,
    deleted
  }: Pick<StoredDocument, 'text' | 'metadata' | 'deleted'>): Promise<IndexedPassage[]> {
    if (deleted) return []
    const title = typeof metadata.title === 'string' ? metadata.title : ''
    const indexed: IndexedPassage[] = []
    for (const [n, passage] of passagesOf(text).entries()) {
      if (n % SLICE === SLICE - 1) await yieldToOthers()
      // what a passage is about often stands in its headings alone
      const whole = [title, passage.heading, passage.text].filter(part => part !== '').join('\n')
      indexed.push({ ...passage, terms: this.terms(whole).join(' '), vector: this.#embedder.embed(whole) })
    }
    return indexed
  }

  /** What a text can be found by: its words and the ideas that it names. */
  terms(text: string): string[] {
    return [...searchStems(text), ...this.#ideas.find(text).map(ideaTerm)]
  }

  vector(text: string): Float32Array {
    return this.#embedder.embed(text)
  }
}
