import { DocumentError } from '../errors.ts'
import { MAX_TEXT } from '../limits.ts'
import type { ReadResult } from '../process/task.ts'

/** A page ends with a form feed. */
const PAGE_BREAK = '\f'

/** @throws {DocumentError} */
export function readText(bytes: Uint8Array, charset: string | undefined): ReadResult {
  const { text, charset: used } = decode(bytes, charset)
  if (text.includes('\0')) throw new DocumentError('MalformedText', 'the text has null characters, so it is no text')
  return { title: undefined, pages: pagesOf(text), details: { charset: used } }
}

/** @throws {DocumentError} TextTooLong */
export function pagesOf(text: string): { number: number; text: string }[] {
  if (text.length > MAX_TEXT) {
    throw new DocumentError('TextTooLong', `the text has ${text.length} characters; ${MAX_TEXT} are the most`)
  }
  const pages = text.split(PAGE_BREAK)
  if (pages.length > 1 && pages.at(-1)?.trim() === '') pages.pop()
  return pages.map((page, i) => ({ number: i + 1, text: tidy(page) }))
}

/** Lines end alike, no space at their ends, no more than one empty line between them; nothing else is changed. */
export function tidy(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .split('\n')
    .map(line => line.trimEnd())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .replace(/^\n+|\n+$/g, '')
}

/**
 * Decodes as the sender says, else as the bytes show: a byte order mark, then UTF-8, then what Windows writes.
 *
 * @throws {DocumentError} MalformedText
 */
export function decode(bytes: Uint8Array, charset: string | undefined): { text: string; charset: string } {
  const marked = byteOrderMark(bytes) ?? charset
  if (marked != null) return { text: strictly(bytes, marked), charset: marked }
  try {
    return { text: strictly(bytes, 'utf-8'), charset: 'utf-8' }
  } catch {
    return { text: strictly(bytes, 'windows-1252'), charset: 'windows-1252' }
  }
}

function strictly(bytes: Uint8Array, charset: string): string {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes)
  } catch (err) {
    throw new DocumentError('MalformedText', `the text can't be decoded as ${charset}`, err)
  }
}

function byteOrderMark([first, second, third]: Uint8Array): string | undefined {
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8'
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  if (first === 0xfe && second === 0xff) return 'utf-16be'
  return undefined
}
