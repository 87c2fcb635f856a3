import { Parser } from 'htmlparser2'
import { DocumentError } from '../errors.ts'

const LESS_THAN = 0x3c
const SLASH = 0x2f

/** As many elements as there are tags that open one, and a little more. */
export function elementsIn(markup: Uint8Array): number {
  let elements = 0
  for (let at = markup.indexOf(LESS_THAN); at >= 0; at = markup.indexOf(LESS_THAN, at + 1)) {
    if (markup[at + 1] !== SLASH) elements++
  }
  return elements
}

/**
 * Walks through the tags alone, as the parser of the tree will: its time grows with the square of the depth.
 *
 * @throws {DocumentError} DocumentTooComplex
 */
export function checkNesting(markup: string, most: number): void {
  let depth = 0
  const parser = new Parser({
    onopentagname() {
      if (++depth <= most) return
      throw new DocumentError('DocumentTooComplex', `the HTML is nested more than ${most} deep`)
    },
    onclosetag() {
      depth--
    }
  })
  parser.end(markup)
}
