import { Eta } from 'eta'
import { ConfigError } from '../config.ts'
import { type Block, hasValueMarks, readBlocks, Values } from './blocks.ts'
import { gapPiece, type Piece } from './pieces.ts'

/** A line with code alone leaves no empty line behind. */
function withoutCodeLines(source: string): string {
  return source
    .split('\n')
    .map(line =>
      /^\s*(?:<%(?![=~]).*)?%>\s*$/.test(line) && !line.includes('<%=') ? line.replace(/-?%>\s*$/, '-%>') : line
    )
    .join('\n')
}

/** What a template may use beside the data: `it.gap(field, prompt)` `it.or(value, field, prompt)`, `it.capital(value)`. */
export interface TemplateHelpers {
  gap(field: string, prompt: string): Piece
  or(value: Piece | undefined, field: string, prompt: string): Piece
  /** the value with a capital first letter */
  capital(value: Piece): Piece
}

export const helpers: TemplateHelpers = {
  gap: gapPiece,
  or: (value, field, prompt) => value ?? gapPiece(field, prompt),
  capital: value => ({ ...value, text: value.text.charAt(0).toUpperCase() + value.text.slice(1) })
}

export interface Rendered {
  blocks: Block[]
  /** every value that the template printed, in order */
  pieces: readonly Piece[]
}

/** A letter's template, compiled once. */
export class LetterTemplate {
  readonly #eta: Eta
  readonly #run: ReturnType<Eta['compile']>
  #values = new Values()

  constructor(source: string) {
    if (hasValueMarks(source))
      throw new ConfigError('the template has characters U+E000 or U+E001, which stand for values')
    this.#eta = new Eta({ autoTrim: false, escapeFunction: value => this.#values.hold(value) })
    try {
      this.#run = this.#eta.compile(withoutCodeLines(source))
    } catch (err) {
      throw new ConfigError(`the template can't be read: ${err instanceof Error ? err.message : String(err)}`, {
        cause: err
      })
    }
  }

  render(data: object): Rendered {
    const values = new Values()
    this.#values = values
    const rendered = this.#run.call(this.#eta, { ...data, ...helpers })
    return { blocks: readBlocks(rendered, values), pieces: values.pieces }
  }
}
