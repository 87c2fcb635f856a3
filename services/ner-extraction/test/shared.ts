import { Extractor } from '../src/extract.ts'

/** One for all tests: it reads the lists and counts letters once. */
export const extractor = new Extractor()

/** `TYPE text` for each entity found, in order. */
export function found(text: string): string[] {
  return extractor.extract(text).map(entity => `${entity.type} ${entity.text}`)
}
