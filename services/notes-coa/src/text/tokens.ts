import type { Span } from '../types.ts'

export interface Token extends Span {
  text: string
  /** lower case, with straight apostrophes */
  lower: string
  /** `lower` without a possessive or contracted `'s` */
  stem: string
  kind: 'word' | 'number' | 'mark'
  /** written with a capital first letter */
  capital: boolean
  /** nothing stands between it and the token before */
  joined: boolean
  /** a line break stands between it and the token before */
  newLine: boolean
}

// Three alternatives that start with different characters, so matching never backs up: time is linear in the text.
const TOKEN =
  /(\p{L}[\p{L}\p{M}\p{N}]*(?:['’]\p{L}+)*)|(\d+(?:[.,]\d+)*)|(\.{3,}|-{3,}|_{3,}|={3,}|\*{3,})|[^\s\p{L}\d]|\p{M}/gu

/** What a row of dots or dashes is, as in "Rent ........ £420". */
export const LEADER = '…'

/** Cuts text into words, numbers and single marks; white space is dropped. */
export function tokenise(text: string, offset = 0): Token[] {
  const tokens: Token[] = []
  let end = 0
  for (const match of text.matchAll(TOKEN)) {
    const [raw, word, number, leader] = match
    const start = match.index
    const lower = leader != null ? LEADER : raw.toLowerCase().replaceAll('’', "'")
    tokens.push({
      start: start + offset,
      end: start + raw.length + offset,
      text: raw,
      lower,
      stem: lower.endsWith("'s") ? lower.slice(0, -2) : lower,
      kind: word != null ? 'word' : number != null ? 'number' : 'mark',
      capital: word != null && raw.charAt(0) !== raw.charAt(0).toLowerCase(),
      joined: start === end && start > 0,
      newLine: text.slice(end, start).includes('\n')
    })
    end = start + raw.length
  }
  return tokens
}
