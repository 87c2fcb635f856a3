import { createHash } from 'node:crypto'
import type { Ideas } from './ideas.ts'
import type { SentenceEncoder } from './sentence-encoder.ts'
import type { Urgency } from './turns.ts'

/** An idea adds this share of its meaning to a text that names it: measured best on the development questions. */
const IDEA_WEIGHT = 0.3

/** Turns a text into a unit vector: what the model makes of it, together with the ideas that it names. */
export class Embedder {
  readonly dimensions: number
  /** changes whenever the same text would get another vector */
  readonly model: string
  readonly #encoder: SentenceEncoder
  readonly #ideas: Ideas
  readonly #ideaVectors = new Map<number, Float32Array>()

  constructor(encoder: SentenceEncoder, ideas: Ideas) {
    this.#encoder = encoder
    this.#ideas = ideas
    this.dimensions = encoder.dimensions
    const hash = createHash('sha256')
      .update(JSON.stringify([IDEA_WEIGHT, ideas.terms]))
      .digest('hex')
    this.model = `${encoder.model}-ideas-${hash.slice(0, 8)}`
  }

  /** All zeros for a text without a letter or a digit. */
  async embed(text: string): Promise<Float32Array> {
    const [vector] = await this.embedAll([text], 'question')
    return vector ?? new Float32Array(this.dimensions)
  }

  /** The vectors of these texts, or of the first of them when the signal comes before the last is done. */
  async embedAll(texts: Iterable<string>, urgency: Urgency, signal?: AbortSignal): Promise<Float32Array[]> {
    const named: number[][] = []
    const vectors = await this.#encoder.embedAll(this.#noting(texts, named), urgency, signal)
    await this.#learn(new Set(named.flat()), urgency)
    return vectors.map((vector, n) => this.#together(vector, named[n] ?? []))
  }

  /** Passes the texts on and notes the ideas of each. */
  *#noting(texts: Iterable<string>, named: number[][]): Generator<string> {
    for (const text of texts) {
      named.push([...new Set(this.#ideas.find(text))])
      yield text
    }
  }

  /** What an idea means: all that it is called, as one text. Computed when it is first named. */
  async #learn(ideas: Set<number>, urgency: Urgency): Promise<void> {
    const unknown = [...ideas].filter(idea => !this.#ideaVectors.has(idea))
    const vectors = await this.#encoder.embedAll(
      unknown.map(idea => this.#ideas.terms[idea]?.join(', ') ?? ''),
      urgency
    )
    for (const [i, idea] of unknown.entries()) {
      const vector = vectors[i]
      if (vector != null) this.#ideaVectors.set(idea, vector)
    }
  }

  #together(vector: Float32Array, ideas: readonly number[]): Float32Array {
    if (ideas.length === 0) return vector
    const sum = Float64Array.from(vector)
    for (const idea of ideas) {
      const meaning = this.#ideaVectors.get(idea)
      for (let k = 0; k < sum.length; k++) sum[k] = (sum[k] ?? 0) + IDEA_WEIGHT * (meaning?.[k] ?? 0)
    }
    const length = Math.hypot(...sum)
    return Float32Array.from(sum, x => (length === 0 ? 0 : x / length))
  }
}
