import type { Lexicon } from '../lexicon.ts'
import type { Period, Said, Span } from '../types.ts'
import { type Cell, periodIn, readCells, readHeader } from './cells.ts'
import { type Context, contextOf, type Layout, type Piece, sectionOf } from './context.ts'
import { type Label, type LabelledText, labelOf, readLabel } from './labels.ts'
import { type Line, readLines } from './lines.ts'
import { RecordReader } from './records.ts'

/** A longer line is no heading. */
const HEADING_LIMIT = 120
/** An unknown heading is no longer than this. */
const STRANGE_HEADING = 40
/** A line this long was probably wrapped, so the next one goes on. */
const WRAPPED = 60
/** … in a list under a heading, where lines stand for themselves */
const WRAPPED_LIST = 95
/** … for certain, where the line has no end mark either */
const WRAPPED_PROSE = 70
/** Parts of a line with labels of their own are looked for this far. */
const MAX_PARTS_SPAN = 2000

class LayoutReader {
  readonly pieces: Piece[] = []
  readonly #lexicon: Lexicon
  readonly #records: RecordReader
  #context: Context = { section: undefined, firm: false }
  #columns: (string | undefined)[] | undefined
  #columnPeriod: Said<Period> | undefined
  /** what governed before a table's header did */
  #outside: Context | undefined
  #paragraph = 0
  #block = 0
  #last: Line | undefined

  constructor(lexicon: Lexicon) {
    this.#lexicon = lexicon
    this.#records = new RecordReader(lexicon)
  }

  read(notes: string): Layout {
    const lines = readLines(notes)
    lines.forEach((line, at) => {
      if (line.kind === 'blank') {
        this.#endTable()
        this.#endBlock()
      } else if (line.kind === 'text') this.#line(line, lines[at + 1]?.kind === 'rule' && !line.text.includes('|'))
      this.#last = line.kind === 'text' ? line : undefined
    })
    return { pieces: this.pieces, records: this.#records.records }
  }

  #endTable(): void {
    if (this.#outside != null) this.#context = this.#outside
    this.#outside = undefined
    this.#columns = undefined
    this.#columnPeriod = undefined
  }

  #endBlock(): void {
    this.#columns = undefined
    this.#columnPeriod = undefined
    this.#paragraph += 1
    this.#block += 1
  }

  #line(line: Line, underlined: boolean): void {
    const cells = readCells(line.text, line.start)
    if (cells != null && this.#row(line, cells)) return
    this.#endTable()
    if (this.#continues(line)) {
      this.#text(line)
      return
    }
    if (readLabel(this.#lexicon, line.text, this.#context.section) != null) {
      for (const part of this.#parts(line)) this.#field(line, part)
      return
    }
    if (this.#heading(line, underlined)) return
    this.#columns = undefined
    this.#text(line)
  }

  /** A line that is a label and nothing else opens a section; an unknown heading closes the section before. */
  #heading(line: Line, underlined: boolean): boolean {
    if (line.text.length >= HEADING_LIMIT) return false
    const bare = line.text.trimEnd().replace(/:$/, '').trimEnd()
    const label = labelOf(this.#lexicon, bare)
    const figures = /\d{2}|£/.test(bare)
    const span = { start: line.start, end: line.end }
    if (label != null && figures && sectionOf(label.code) == null) {
      // "TOTAL £9,331.67"
      this.#paragraph += 1
      this.#add(this.#context, 'field', line, span, { label: label.code })
      return true
    }
    // "Next (catalogue): £123" is no heading; figures may only stand in its brackets
    const plain = !/\d{2}|£/.test(bare.replace(/\([^()]{0,60}\)/g, ''))
    if (label != null && plain) {
      this.#open(label, span)
      this.#endBlock()
      // "Priority debts (total £3,905):" is a heading with a sum in it
      if (figures) this.#add(this.#context, 'text', line, span)
      return true
    }
    const strange = line.text.trimEnd().endsWith(':') && bare.length <= STRANGE_HEADING && !line.bullet
    if (!(line.heading || underlined || strange) || /\d{3}|£/.test(bare)) return false
    // "Paul:" within a list of debts parts them; it doesn't end it
    const within = strange && this.#context.section === 'debts'
    this.#context = { section: within ? 'debts' : undefined, firm: false }
    this.#records.close()
    this.#endBlock()
    return true
  }

  #open(label: Label, heading: Span): void {
    this.#records.close()
    this.#context = contextOf(label, sectionOf(label.code) ?? label.code, heading)
  }

  /** Splits "Client: A     Adviser: B | Date: C / phone" where the parts have labels of their own. */
  #parts(line: Line): Span[] {
    const parts: Span[] = []
    let from = 0
    for (const match of line.text.slice(0, MAX_PARTS_SPAN).matchAll(/\t|\s{2,}|\s?;\s|\s[|/]\s/g)) {
      const after = match.index + match[0].length
      const next = readLabel(this.#lexicon, line.text.slice(after, after + 70))
      const named = next != null && /^[^:=]{1,40}[:=]/.test(line.text.slice(after, after + 45))
      const marked = /[|/]/.test(match[0]) && (parts.length > 0 || this.#aboutPeople(line.text))
      if (!named && !marked) continue
      parts.push({ start: line.start + from, end: line.start + match.index })
      from = after
    }
    parts.push({ start: line.start + from, end: line.end })
    return parts
  }

  /** A line of short parts about people and dates: "Cl: A / Adv: B / 25.02.26 / tel". */
  #aboutPeople(text: string): boolean {
    return (
      text.length <= 120 &&
      ['client', 'adviser', 'date', 'channel'].includes(readLabel(this.#lexicon, text)?.code ?? '')
    )
  }

  #field(line: Line, span: Span, period?: Said<Period>): void {
    const text = line.text.slice(span.start - line.start, span.end - line.start)
    const label = readLabel(this.#lexicon, text, this.#context.section)
    if (label == null) {
      this.#add(this.#context, 'text', line, span)
      return
    }
    const value = { start: span.start + label.value, end: span.end }
    const written = text.slice(label.value)
    if (this.#records.take(label, value, written, span, this.#context, line.start)) return
    if (written.trim() === '') {
      this.#open(label, span)
      return
    }
    this.#value(line, label, span, value, period)
  }

  /** A label with its value on the same line. */
  #value(line: Line, label: LabelledText, span: Span, value: Span, period?: Said<Period>): void {
    const before = this.#context
    const section = sectionOf(label.code)
    const heading = { start: span.start, end: value.start }
    const own = contextOf(label, section ?? '', heading)
    const within = before.section === section || before.section === 'budget'
    const total = label.code.startsWith('total') || label.code === 'surplus'
    const context: Context =
      section == null
        ? { ...before, period: own.period ?? (total ? before.period : undefined) }
        : { ...own, period: period ?? own.period ?? (within ? before.period : undefined) }
    if (section != null) this.#records.close()
    this.#paragraph += 1
    this.#add(context, 'field', line, value, { label: label.code, labelSpan: heading })
    // a section that is named on a line of its own value ends what a heading opened before, unless it is the same one
    if (section != null && !within) this.#context = { section: undefined, firm: false }
  }

  /** True where the line was taken as a row of a table. */
  #row(line: Line, cells: readonly Cell[]): boolean {
    const keyed = cells.filter(({ text }) => readLabel(this.#lexicon, text) != null && /^[^:]{1,40}:/.test(text))
    const whole = { start: line.start, end: line.end }
    if (keyed.length === 1 && cells[0] === keyed[0] && (cells.length === 2 || !this.#aboutPeople(line.text))) {
      this.#field(line, whole, periodIn(cells.slice(1)))
      return true
    }
    if (keyed.length >= 2 || (keyed.length === 1 && cells[0] === keyed[0])) {
      for (const { start, end } of cells) this.#field(line, { start, end })
      return true
    }
    const header = readHeader(this.#lexicon, cells)
    if (header != null) {
      this.#columns = header
      this.#header(cells, header, whole)
      return true
    }
    const [first] = cells
    if (first == null) return false
    const label = labelOf(this.#lexicon, first.text)
    if (label != null && cells.length >= 2) return this.#labelledRow(line, first, label, cells)
    const columns = this.#columns
    if (columns?.some(column => column === 'creditor' || column === 'debts'))
      return this.#records.row(cells, columns, this.#context, whole)
    this.#add(
      { ...this.#context, period: periodIn(cells.slice(1)) ?? this.#columnPeriod ?? this.#context.period },
      'row',
      line,
      whole
    )
    return true
  }

  #header(cells: readonly Cell[], columns: readonly (string | undefined)[], heading: Span): void {
    this.#outside ??= this.#context
    this.#columnPeriod = periodIn(cells.filter(({ text }) => text.includes('/') || text.includes('per ')))
    const section = columns
      .map(column => (column == null ? undefined : sectionOf(column)))
      .find(found => found === 'income' || found === 'spending')
    if (section != null) this.#context = { section, firm: true, period: this.#columnPeriod, heading }
    else if (columns.includes('creditor')) this.#context = { section: 'debts', firm: true, heading }
    else if (columns.includes('item') && this.#context.section === 'debts')
      this.#context = { section: 'budget', firm: false }
    this.#records.close()
  }

  /** A row whose first cell is a label: "Total | | £8,346.15", "Option,DMP,chosen", "Date<tab>13/02/2026". */
  #labelledRow(line: Line, first: Cell, label: Label, cells: readonly Cell[]): boolean {
    const values = cells.slice(1).filter(({ text }) => text !== '')
    const start = values[0]?.start
    const end = values.at(-1)?.end
    if (start == null || end == null) return false
    const section = sectionOf(label.code)
    const labelSpan = { start: first.start, end: first.end }
    const own = contextOf(label, section ?? '', labelSpan)
    const context: Context = section == null ? { ...this.#context, period: own.period ?? this.#columnPeriod } : own
    this.#paragraph += 1
    this.#add(context, 'field', line, { start, end }, { label: label.code, labelSpan })
    return true
  }

  /** True for a line in the midst of running text, where a colon makes no label. */
  #continues(line: Line): boolean {
    const last = this.#last
    const piece = this.pieces.at(-1)
    const prose = piece?.kind === 'text' && !piece.firm
    return (
      prose && last != null && last.text.length >= WRAPPED_PROSE && !/[.!?:;]$/.test(last.text) && this.#wraps(line)
    )
  }

  #wraps(line: Line): boolean {
    const last = this.pieces.at(-1)
    const before = this.#last
    if (last == null || before == null || line.bullet || line.heading || last.kind === 'row' || last.end !== before.end)
      return false
    const small = /^\p{Ll}/u.test(line.text)
    // a sentence that goes on in small letters
    const goesOn = small && /[\p{L},]$/u.test(before.text) && before.text.split(' ').length >= 8
    if (goesOn && last.kind === 'text' && !last.bullet) return true
    return before.text.length >= (last.firm && !small ? WRAPPED_LIST : WRAPPED)
  }

  #text(line: Line): void {
    const last = this.pieces.at(-1)
    if (last != null && this.#wraps(line)) last.end = line.end
    else this.#add(this.#context, 'text', line, { start: line.start, end: line.end })
  }

  #add(
    context: Context,
    kind: Piece['kind'],
    line: Line,
    { start, end }: Span,
    label: Pick<Piece, 'label' | 'labelSpan'> = {}
  ): void {
    if (end <= start) return
    if (line.bullet && kind !== 'field') this.#paragraph += 1
    this.pieces.push({
      ...context,
      kind,
      start,
      end,
      ...label,
      paragraph: this.#paragraph,
      block: this.#block,
      bullet: line.bullet
    })
  }
}

/** Finds the notes' layout: headings and what is under them, fields, tables, paragraphs. */
export function readLayout(lexicon: Lexicon, notes: string): Layout {
  return new LayoutReader(lexicon).read(notes)
}
