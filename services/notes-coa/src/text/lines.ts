import type { Span } from '../types.ts'

export interface Line extends Span {
  /** what is left of bullet, number, heading marks and white space */
  text: string
  kind: 'blank' | 'rule' | 'text'
  bullet: boolean
  /** written as a heading: "## Debts" */
  heading: boolean
}

const BULLET = /^(?:[-*•◦▪·+–—]|\(?\d{1,2}[.)]|\(?[a-zA-Z][.)])\s+/
const HEADING = /^#{1,6}\s+/
const RULE = /^[-=_*~#|:.\s+]{3,}$/

/** Cuts the notes into lines and takes off what is only layout. Spans point at what is left. */
export function readLines(notes: string): Line[] {
  const lines: Line[] = []
  for (let at = 0; at <= notes.length; ) {
    const found = notes.slice(at, at + LOOK_AHEAD).search(BREAK)
    const end = found >= 0 ? at + found : nextBreak(notes, at + LOOK_AHEAD)
    lines.push(readLine(notes, at, end))
    at = end + (notes.startsWith('\r\n', end) ? 2 : 1)
  }
  return lines
}

const BREAK = /[\r\n\u2028\u2029]/
const LOOK_AHEAD = 1024

function nextBreak(notes: string, from: number): number {
  for (let at = from; at < notes.length; at++) if (BREAK.test(notes.charAt(at))) return at
  return notes.length
}

function readLine(notes: string, from: number, to: number): Line {
  let text = notes.slice(from, to).trimEnd()
  let start = from
  const cut = (length: number): void => {
    text = text.slice(length)
    start += length
  }
  cut(text.length - text.trimStart().length)
  const quote = /^>\s*/.exec(text)
  if (quote != null) cut(quote[0].length)
  const hashes = HEADING.exec(text)
  if (hashes != null) cut(hashes[0].length)
  const bullet = RULE.test(text) ? null : BULLET.exec(text)
  if (bullet != null) cut(bullet[0].length)
  const kind = text === '' ? 'blank' : RULE.test(text) ? 'rule' : 'text'
  return { start, end: start + text.length, text, kind, bullet: bullet != null, heading: hashes != null }
}
