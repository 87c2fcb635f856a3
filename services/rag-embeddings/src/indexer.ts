import { setImmediate as yieldToOthers } from 'node:timers/promises'
import type { Embedder } from './language/embedder.ts'
import type { Ideas } from './language/ideas.ts'
import type { Urgency } from './language/turns.ts'
import { searchStems } from './language/words.ts'
import { type Passage, passagesOf } from './passages.ts'
import type { StoredDocument } from './store/document.ts'
import { ideaTerm } from './store/search.ts'
import type { Index } from './store/store.ts'
import { rounded, unpackVectors } from './store/vectors.ts'

/** Changes when the same text would be cut or indexed otherwise; an instance then indexes its documents anew. */
const RECIPE = 2
/** Passages whose terms are taken in one go, about 10 ms; then other requests get their turn. */
const SLICE = 100

/** Cuts texts into passages and computes what these are found by: terms at once, vectors as there is time. */
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

  /**
   * @param passages of the document, as {@link passagesOf} cuts them
   * @param vectors of the passages; those that aren't there are pending
   */
  async index(
    { metadata }: Pick<StoredDocument, 'metadata'>,
    passages: readonly Passage[],
    vectors: readonly (Int8Array | undefined)[]
  ): Promise<Index> {
    const indexed: Index['passages'][number][] = []
    for (const [n, passage] of passages.entries()) {
      if (n % SLICE === SLICE - 1) await yieldToOthers()
      const terms = this.terms(wholeOf({ ...passage, title: titleOf(metadata) })).join(' ')
      indexed.push({ ...passage, terms, vector: vectors[n] })
    }
    return { recipe: this.recipe, passages: indexed }
  }

  /** The vectors of a document's passages, or of the first of them when the signal comes before the last is done. */
  embed(
    { metadata }: Pick<StoredDocument, 'metadata'>,
    passages: readonly Passage[],
    urgency: Urgency,
    signal: AbortSignal
  ): Promise<Int8Array[]> {
    const title = titleOf(metadata)
    return this.embedTitled(
      passages.map(passage => ({ ...passage, title })),
      urgency,
      signal
    )
  }

  async embedTitled(
    passages: readonly (Passage & { title: string })[],
    urgency: Urgency,
    signal?: AbortSignal
  ): Promise<Int8Array[]> {
    const vectors = await this.#embedder.embedAll(wholes(passages), urgency, signal)
    return vectors.map(rounded)
  }

  /** The vectors that came with a document, if they are what would be computed here. */
  sent({ vectors }: StoredDocument, passages: number): (Int8Array | undefined)[] {
    if (vectors?.recipe !== this.recipe) return []
    return unpackVectors(vectors.bytes, passages, this.#embedder.dimensions)
  }

  /** What a text can be found by: its words and the ideas that it names. */
  terms(text: string): string[] {
    return [...searchStems(text), ...this.#ideas.find(text).map(ideaTerm)]
  }

  /** Of a question. */
  vector(text: string): Promise<Float32Array> {
    return this.#embedder.embed(text)
  }
}

/** One after the other as they are wanted: a large document isn't kept twice. */
function* wholes(passages: Iterable<Passage & { title: string }>): Generator<string> {
  for (const passage of passages) yield wholeOf(passage)
}

/** What a passage is about often stands in its headings alone. */
function wholeOf({ title, heading, text }: Passage & { title: string }): string {
  return [title, heading, text].filter(part => part !== '').join('\n')
}

function titleOf({ title }: StoredDocument['metadata']): string {
  return typeof title === 'string' ? title : ''
}
