import { checkLetter } from './check.ts'
import type { Config } from './config.ts'
import { type Case, readCase } from './extract/case.ts'
import { listFacts } from './extract/facts.ts'
import type { Block } from './letter/blocks.ts'
import { type Format, writeLetter } from './letter/formats.ts'
import type { Piece } from './letter/pieces.ts'
import { LetterTemplate, type Rendered } from './letter/template.ts'
import { buildView, findLeftovers, type People, type View } from './letter/view.ts'
import type { Warning } from './letter/warnings.ts'
import type { Lexicon } from './lexicon.ts'
import { buildLexicon } from './lexicon.ts'
import { type Calculation, type Fact, type Gap, type Source, sourceOf } from './types.ts'

export interface Letter {
  letter: string
  format: Format
  status: 'draft'
  /** what the letter needs and the notes don't say, as the letter asks for it */
  missing: string[]
  /** the same with the field that each is about */
  gaps: Gap[]
  facts: Fact[]
  calculated: Calculation[]
  warnings: Warning[]
  /** sentences of the notes that the letter neither quotes nor draws a fact from */
  unplaced: Source[]
  config: { as_of: string; confirmed: boolean }
}

/** Rewrites quotations; gives what came of it as warnings. */
export type Rephrase = (view: View, found: Case) => Promise<Warning[]>

/** Turns notes into draft letters. Everything in it is built once; a conversion keeps nothing. */
export class Converter {
  readonly #config: Config
  readonly #lexicon: Lexicon
  readonly #template: LetterTemplate

  constructor(config: Config) {
    this.#config = config
    this.#lexicon = buildLexicon(config)
    this.#template = new LetterTemplate(config.template)
  }

  get lexicon(): Lexicon {
    return this.#lexicon
  }

  /**
   * @throws {ServiceError} 500 `LetterCheckFailed` where the letter would lose or invent an amount, a date or a name
   */
  async convert(notes: string, people: People, format: Format, rephrase?: Rephrase): Promise<Letter> {
    const found = readCase(this.#lexicon, notes)
    const { view, calculated, warnings } = buildView(found, this.#config, people)
    if (rephrase != null) warnings.push(...(await rephrase(view, found)))
    const { blocks, pieces } = this.#render(view, found)
    const letter = writeLetter(blocks, format)
    const facts = listFacts(found)
    const gaps = gapsOf(pieces)
    checkLetter({
      notes,
      found,
      people,
      config: this.#config,
      lexicon: this.#lexicon,
      letter,
      format,
      facts,
      calculated,
      gaps
    })
    const { as_of, confirmed_by } = this.#config.letter
    return {
      letter,
      format,
      status: 'draft',
      missing: [...new Set(gaps.map(({ prompt }) => prompt))],
      gaps,
      facts,
      calculated,
      warnings,
      unplaced: unplaced(found, facts, pieces),
      config: { as_of, confirmed: confirmed_by != null }
    }
  }

  /** Renders twice: what the first pass shows tells which sums the second has to list. */
  #render(view: View, found: Case): Rendered & { blocks: Block[] } {
    const first = this.#template.render(view)
    const leftovers = findLeftovers(found, first.pieces)
    return leftovers.length === 0 ? first : this.#template.render({ ...view, leftovers })
  }
}

function gapsOf(pieces: readonly Piece[]): Gap[] {
  const gaps = new Map<string, Gap>()
  for (const { gap } of pieces) if (gap != null) gaps.set(`${gap.field}|${gap.prompt}`, gap)
  return [...gaps.values()]
}

/** "Referrals: none." leaves nothing to place. */
const NOTHING = /^\W*(?:none|nil|n\/a)\W*$/i

function unplaced({ doc }: Case, facts: readonly Fact[], pieces: readonly Piece[]): Source[] {
  const spans = [...facts.map(({ source }) => source), ...pieces.flatMap(piece => piece.spans)].toSorted(
    (a, b) => a.start - b.start
  )
  const found: Source[] = []
  let at = 0
  let reach = -1
  for (const statement of doc.statements) {
    for (let span = spans[at]; span != null && span.start < statement.end; span = spans[at]) {
      reach = Math.max(reach, span.end)
      at += 1
    }
    if (
      reach <= statement.start &&
      !NOTHING.test(doc.notes.slice(statement.start, statement.end)) &&
      statement.end > statement.start
    )
      found.push(sourceOf(doc.notes, { start: statement.start, end: statement.end }))
  }
  return found
}
