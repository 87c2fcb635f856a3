import type { Span } from '../types.ts'
import type { Document } from './document.ts'
import type { Decision, OptionFound, OptionMention } from './options.ts'
import type { Statement } from './statements.ts'

interface Candidate {
  weight: number
  statement: Statement
  cue: Span
  mention?: OptionMention
  conditional: boolean
}

/** Words of choosing outweigh words of wanting. */
const FIRM_WORDS =
  /^(?:decided|has decided|chose|chosen|opted|opts|agreed|has agreed|elected|settled|picked|accept|instructed|going (?:with|for|ahead)|go (?:with|for|ahead)|proceed|prefer|it is|it's the|decision|agrees)/
const SKIPPING = new Set(['than', 'instead'])
/** What an adviser and a client agree on that is no option: "we agreed that the council tax comes first". */
const MAX_REACH = 14

class DecisionReader {
  readonly #doc: Document
  readonly #mentions: ReadonlyMap<Statement, OptionMention[]>
  readonly #options: readonly OptionFound[]

  constructor(doc: Document, mentions: readonly OptionMention[], options: readonly OptionFound[]) {
    this.#doc = doc
    this.#mentions = Map.groupBy(mentions, ({ statement }) => statement)
    this.#options = options
  }

  read(): Decision | undefined {
    const candidates = this.#doc.statements.flatMap((statement, i) =>
      this.#candidates(statement, this.#doc.statements[i - 1])
    )
    const open = this.#undecided()
    const best = candidates
      .filter(({ conditional }) => !conditional)
      .reduce<Candidate | undefined>((top, next) => (top == null || next.weight >= top.weight ? next : top), undefined)
    if (open != null && (best == null || open.firm || (best.weight < 8 && this.#outweighs(open.statement, best)))) {
      return { status: { value: 'undecided', span: open.cue }, remark: spanOf(open.statement) }
    }
    const listed = this.#options.find(({ status }) => status === 'chosen')
    if (best == null || (best.mention == null && listed != null)) {
      if (listed?.because == null) return undefined
      return {
        option: { value: listed.code, span: listed.named.span },
        status: { value: 'agreed', span: listed.because },
        remark: listed.remarks[0] ?? listed.named.span
      }
    }
    const { mention } = best
    const option = mention == null ? undefined : { value: mention.code, span: this.#span(mention.from, mention.to) }
    return { option, status: { value: 'agreed', span: best.cue }, remark: spanOf(best.statement) }
  }

  #span(from: number, to: number): Span {
    const { tokens } = this.#doc
    return { start: tokens[from]?.start ?? 0, end: tokens[to - 1]?.end ?? 0 }
  }

  /** Being undecided after a choice, and not about another option, takes the choice back. */
  #outweighs(statement: Statement, best: Candidate): boolean {
    const others = this.#mentions.get(statement) ?? []
    return (
      statement.from >= best.statement.from &&
      (others.length === 0 || others.some(({ code }) => code === best.mention?.code))
    )
  }

  #undecided(): { statement: Statement; cue: Span; firm: boolean } | undefined {
    const { lexicon, tokens, statements } = this.#doc
    for (const statement of statements) {
      for (let i = statement.from; i < statement.to; i++) {
        const match = lexicon.undecided.match(tokens, i, statement.to)
        if (match != null)
          return {
            statement,
            cue: this.#span(i, i + match.length),
            firm: statement.section === 'decision' && statement.firm
          }
      }
    }
    return undefined
  }

  #candidates(statement: Statement, before: Statement | undefined): Candidate[] {
    const { lexicon, tokens } = this.#doc
    const own = this.#mentions.get(statement) ?? []
    const decides = statement.section === 'decision' && statement.firm
    if (decides) {
      const mention = own.find(({ from, to }) => !this.#refused(from, to, statement)) ?? own[0]
      return [
        {
          weight: own.length > 0 ? 10 : 6,
          statement,
          cue: statement.labelSpan ?? statement.heading ?? spanOf(statement),
          mention,
          conditional: false
        }
      ]
    }
    if (statement.firm && statement.section !== 'reasons' && statement.section !== 'budget') return []
    const found: Candidate[] = []
    if (
      own.length === 0 &&
      before != null &&
      statement.to - statement.from <= 3 &&
      before.paragraph === statement.paragraph
    ) {
      // "For now token offers to all. Agreed."
      const match = lexicon.agreed.match(tokens, statement.from, statement.to)
      const mention = this.#mentions.get(before)?.find(other => !this.#refused(other.from, other.to, before))
      if (match != null && mention != null)
        found.push({ weight: 5, statement: before, cue: spanOf(statement), mention, conditional: false })
    }
    for (let i = statement.from; i < statement.to; i++) {
      const match = lexicon.agreed.match(tokens, i, statement.to)
      if (match == null) continue
      const to = i + match.length
      const cue = this.#span(i, to)
      const mention = this.#nearest(own, i, to, statement)
      const negated =
        ['not', "n't", "doesn't", "didn't", 'never', 'nobody'].includes(tokens[i - 1]?.lower ?? '') ||
        /n't$/.test(tokens[i - 1]?.lower ?? '')
      const text = this.#doc.notes.slice(cue.start, cue.end).toLowerCase().replace(/\s+/g, ' ')
      if (mention != null && !negated) {
        const conditional =
          tokens.slice(statement.from, statement.to).some(({ lower }) => lower === 'otherwise') ||
          tokens[mention.to]?.lower === 'if'
        found.push({ weight: FIRM_WORDS.test(text) ? 5 : 4, statement, cue, mention, conditional })
      }
      i = to - 1
    }
    return found
  }

  #nearest(own: readonly OptionMention[], from: number, to: number, statement: Statement): OptionMention | undefined {
    const after = own.find(
      mention =>
        mention.from >= to - 1 && mention.from - to <= MAX_REACH && !this.#refused(mention.from, mention.to, statement)
    )
    if (after != null && !this.#passes(to, after.from)) return after
    return own.findLast(
      mention =>
        mention.to <= from && from - mention.to <= MAX_REACH && !this.#refused(mention.from, mention.to, statement)
    )
  }

  #passes(from: number, to: number): boolean {
    return this.#doc.tokens.slice(from, to).some(({ lower }) => lower === '.' || lower === ';')
  }

  /** The option is what the client would rather not have: "rather than an IVA", "not bankruptcy". */
  #refused(from: number, to: number, statement: Statement): boolean {
    const { tokens } = this.#doc
    const lead = tokens.slice(Math.max(statement.from, from - 3), from).map(({ lower }) => lower)
    if (lead.some(word => SKIPPING.has(word)) || lead.includes('not') || lead.includes('out') || lead.includes('no'))
      return true
    const next = tokens.slice(to, Math.min(statement.to, to + 3)).map(({ lower }) => lower)
    return next[0] === 'no' || (next.includes('ruled') && next.includes('out')) || next.includes('rejected')
  }
}

function spanOf({ start, end }: Span): Span {
  return { start, end }
}

/** What the client decided, or that they have yet to; undefined where the notes are silent. */
export function readDecision(
  doc: Document,
  mentions: readonly OptionMention[],
  options: readonly OptionFound[]
): Decision | undefined {
  return new DecisionReader(doc, mentions, options).read()
}
