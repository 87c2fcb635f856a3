/** A piece of a document, sized for retrieval: `text.slice(start, end)` of the document's text is its text. */
export interface Chunk {
  index: number
  text: string
  /** UTF-16 code units */
  start: number
  end: number
  /** number of the page it is on */
  page: number
}

export interface PageText {
  number: number
  text: string
}

/** Between pages, and so never inside a chunk. */
const PAGE_SEPARATOR = '\n\n'

/** Where a chunk may end, best first; the end is after the match. */
const BREAKS = [/\n\s*\n/g, /\n/g, /[.!?;:]["')\]]?\s/g, /\s/g]
/** A better kind of break is taken only if the chunk keeps this share of its size. */
const LEAST_SHARE = 0.5

/**
 * The text of a document and its chunks. A chunk ends with a paragraph where it can, else a line, a sentence, a word;
 * it is on one page. Every character but white space is in exactly one chunk.
 *
 * @param size UTF-16 code units that a chunk has at most
 */
export function assemble(pages: readonly PageText[], size: number): { text: string; chunks: Chunk[] } {
  const chunks: Chunk[] = []
  const texts: string[] = []
  let offset = 0
  for (const { number, text } of pages) {
    if (text === '') continue
    texts.push(text)
    for (const { start, end } of cut(text, size)) {
      chunks.push({
        index: chunks.length,
        text: text.slice(start, end),
        start: offset + start,
        end: offset + end,
        page: number
      })
    }
    offset += text.length + PAGE_SEPARATOR.length
  }
  return { text: texts.join(PAGE_SEPARATOR), chunks }
}

interface Span {
  start: number
  end: number
}

function* cut(text: string, size: number): Generator<Span> {
  let start = skipSpace(text, 0)
  while (start < text.length) {
    const end = start + breakIn(text.slice(start, start + size + 1), size)
    yield { start, end: start + text.slice(start, end).trimEnd().length }
    start = skipSpace(text, end)
  }
}

/** @param window one character more than `size`, so that a break right after the size is seen */
function breakIn(window: string, size: number): number {
  if (window.length <= size) return window.length
  for (const kind of BREAKS) {
    let best = 0
    for (const { index, 0: found } of window.matchAll(kind)) {
      // what ends with white space is trimmed to what stands before it
      if (index + found.trimEnd().length <= size) best = index + found.length
    }
    if (best >= size * LEAST_SHARE) return Math.min(best, window.length)
  }
  // never between the halves of a character
  return /[\uD800-\uDBFF]/.test(window.charAt(size - 1)) ? size - 1 : size
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && /\s/.test(text.charAt(at))) at++
  return at
}
