import type { Gap, Span } from '../types.ts'

/** A value in a letter, with where it comes from. A template prints it; the self-check relies on it. */
export interface Piece {
  text: string
  from: 'notes' | 'request' | 'config' | 'calculated' | 'model' | 'gap'
  /** for a value from the notes that gives their words or their sum: where those stand */
  spans: readonly Span[]
  /** for a gap */
  gap?: Gap
}

// Controls and characters that change the direction of text have no place in a letter.
const UNSEEN = /[\p{Cc}\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/gu

/** Text as one line, without what can't be seen. */
export function oneLine(text: string): string {
  return text.replace(UNSEEN, ' ').replace(/\s+/g, ' ').trim()
}

/** A value from the notes. `spans` only where it shows what stands there, as a quotation or a sum does. */
export function noted(text: string, ...spans: Span[]): Piece {
  return { text: oneLine(text), from: 'notes', spans }
}

export function requested(text: string): Piece {
  return { text: oneLine(text), from: 'request', spans: [] }
}

export function configured(text: string): Piece {
  return { text: oneLine(text), from: 'config', spans: [] }
}

export function worked(text: string): Piece {
  return { text, from: 'calculated', spans: [] }
}

export const GAP_START = '[ADVISER TO COMPLETE: '
export const GAP_END = ']'

export function gapPiece(field: string, prompt: string): Piece {
  const gap = { field, prompt: oneLine(prompt) }
  return { text: `${GAP_START}${gap.prompt}${GAP_END}`, from: 'gap', spans: [], gap }
}
