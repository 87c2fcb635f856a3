import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml'
import { MAX_ALIASES, MAX_ERRORS, MAX_MANIFEST_SIZE } from './constants.ts'
import type { ManifestError } from './index.ts'

/** A place in a document: names of fields and positions in lists. */
export type FieldPath = ReadonlyArray<string | number>

/** A YAML text with its value, which can say on which line a field is. */
export class Source {
  readonly file: string
  readonly #document: Document
  readonly #lines: LineCounter
  readonly value: unknown

  private constructor(file: string, document: Document, lines: LineCounter, value: unknown) {
    this.file = file
    this.#document = document
    this.#lines = lines
    this.value = value
  }

  static parse(file: string, text: string): Source | ManifestError[] {
    if (Buffer.byteLength(text) > MAX_MANIFEST_SIZE) return [tooLarge(file)]
    const lines = new LineCounter()
    try {
      const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false })
      const [document, second] = Array.isArray(documents) ? documents : []
      if (document?.contents == null) return [{ file, message: 'is empty; it must be a service manifest' }]
      if (second != null) {
        const { line } = lines.linePos(second.range[0])
        return [{ file, line, message: 'holds more than one document; a file is one manifest' }]
      }
      if (document.errors.length > 0) {
        // The parser recurses, and lists its own stack overflow among the errors.
        if (document.errors.some(({ message }) => /call stack/i.test(message))) return [tooDeep(file)]
        const byText = new Map(document.errors.map(error => [error.message, error]))
        return [...byText.values()].slice(0, MAX_ERRORS).map(({ message, pos }) => ({
          file,
          line: lines.linePos(pos[0]).line,
          message: `is not valid YAML: ${message}`
        }))
      }
      return new Source(file, document, lines, document.toJS({ maxAliasCount: MAX_ALIASES }))
    } catch (err) {
      // What the parser throws rather than lists: aliases without an end, or nesting deeper than the stack.
      if (err instanceof RangeError) return [tooDeep(file)]
      return [{ file, message: `is not valid YAML: ${err instanceof Error ? err.message : String(err)}` }]
    }
  }

  error(path: FieldPath, message: string): ManifestError {
    const line = this.#line(path)
    return {
      file: this.file,
      ...(line == null ? {} : { line }),
      ...(path.length === 0 ? {} : { field: fieldName(path) }),
      message
    }
  }

  /** The line of the field itself, or of the nearest that exists above it. */
  #line(path: FieldPath): number | undefined {
    let node: unknown = this.#document.contents
    let offset: number | undefined
    for (const step of path) {
      if (isAlias(node)) node = node.resolve(this.#document)
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))
        if (pair == null) break
        offset = startOf(pair.key) ?? offset
        node = pair.value
      } else if (isSeq(node)) {
        node = node.items[Number(step)]
        offset = startOf(node) ?? offset
      } else break
    }
    return offset == null ? undefined : this.#lines.linePos(offset).line
  }
}

export function tooLarge(file: string): ManifestError {
  return { file, message: `is larger than ${MAX_MANIFEST_SIZE / 1024} KiB, which no manifest is` }
}

const tooDeep = (file: string): ManifestError => ({ file, message: 'is nested far deeper than any manifest' })

function fieldName(path: FieldPath): string {
  return path.map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`)).join('')
}

function startOf(node: unknown): number | undefined {
  if (typeof node !== 'object' || node == null || !('range' in node)) return undefined
  return Array.isArray(node.range) && typeof node.range[0] === 'number' ? node.range[0] : undefined
}
