import nlp from 'compromise'
import type { EntityType, Span } from './entity.ts'

/** a longer sentence is not looked at: its tagging would take too long for what it brings */
const MAX_SENTENCE = 600

/** What compromise takes the spans of one sentence for. */
export class Tagger {
  readonly #sentences = new Map<string, { span: Span; type: EntityType }[]>()
  #budget: number

  /** @param budget characters that may be tagged in all */
  constructor(budget: number) {
    this.#budget = budget
  }

  typeOf(text: string, span: Span): EntityType | undefined {
    const start = sentenceStart(text, span.start)
    const end = sentenceEnd(text, span.end)
    const sentence = text.slice(start, end)
    const found = this.#tag(sentence)
    return found.find(({ span: { start: from, end: to } }) => from < span.end - start && to > span.start - start)?.type
  }

  #tag(sentence: string): { span: Span; type: EntityType }[] {
    const known = this.#sentences.get(sentence)
    if (known != null) return known
    if (sentence.length > MAX_SENTENCE || sentence.length > this.#budget) return []
    this.#budget -= sentence.length
    const doc = nlp(sentence)
    const found = (
      [
        ['PERSON', doc.people()],
        ['ORG', doc.organizations()],
        ['PLACE', doc.places()]
      ] as const
    ).flatMap(([type, view]) =>
      offsetsOf(view.json({ offset: true })).map(({ start, length }) => ({
        type,
        span: { start, end: start + length }
      }))
    )
    this.#sentences.set(sentence, found)
    return found
  }
}

function offsetsOf(json: unknown): { start: number; length: number }[] {
  if (!Array.isArray(json)) return []
  return json.flatMap((item: unknown) => {
    if (typeof item !== 'object' || item == null || !('offset' in item)) return []
    const { offset } = item
    if (typeof offset !== 'object' || offset == null || !('start' in offset) || !('length' in offset)) return []
    return typeof offset.start === 'number' && typeof offset.length === 'number'
      ? [{ start: offset.start, length: offset.length }]
      : []
  })
}

function sentenceStart(text: string, from: number): number {
  const least = Math.max(0, from - MAX_SENTENCE)
  for (let i = from - 1; i >= least; i--) {
    const character = text[i]
    if (
      character === '\n' ||
      ((character === '.' || character === '?' || character === '!') && text[i + 1] === ' ' && i < from - 4)
    )
      return i + 1
  }
  return least
}

function sentenceEnd(text: string, from: number): number {
  const most = Math.min(text.length, from + MAX_SENTENCE)
  for (let i = from; i < most; i++) {
    const character = text[i]
    if (
      character === '\n' ||
      ((character === '.' || character === '?' || character === '!') && (text[i + 1] ?? ' ') === ' ')
    )
      return i + 1
  }
  return most
}
