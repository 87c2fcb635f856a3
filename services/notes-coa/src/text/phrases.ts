import { type Token, tokenise } from './tokens.ts'

interface Node<T> {
  next: Map<string, Node<T>>
  values: T[]
}

export interface PhraseMatch<T> {
  /** how many tokens it covers */
  length: number
  values: readonly T[]
}

/** Phrases of words, found by walking a tree of tokens: the time per position is bounded by the longest phrase. */
export class PhraseIndex<T> {
  readonly #root: Node<T> = { next: new Map(), values: [] }

  add(phrase: string, value: T): void {
    let node = this.#root
    for (const { lower } of tokenise(phrase)) {
      let next = node.next.get(lower)
      if (next == null) {
        next = { next: new Map(), values: [] }
        node.next.set(lower, next)
      }
      node = next
    }
    node.values.push(value)
  }

  /** The longest phrase that starts at `tokens[from]` and ends before `to`. */
  match(tokens: readonly Token[], from: number, to: number): PhraseMatch<T> | undefined {
    let node = this.#root
    let best: PhraseMatch<T> | undefined
    for (let i = from; i < to; i++) {
      const token = tokens[i]
      if (token == null) break
      const next = node.next.get(token.lower) ?? node.next.get(token.stem)
      if (next == null) {
        // "take-home" is "take home"
        if (token.text === '-' && token.joined && i > from) continue
        break
      }
      node = next
      if (node.values.length > 0) best = { length: i - from + 1, values: node.values }
    }
    return best
  }

  has(phrase: string): boolean {
    const tokens = tokenise(phrase)
    return this.match(tokens, 0, tokens.length)?.length === tokens.length
  }
}
