import type { Lexicon } from '../lexicon.ts'
import type { Period, Said, Span } from '../types.ts'
import { labelOf } from './labels.ts'
import { periodNamed } from './periods.ts'
import { tokenise } from './tokens.ts'

export interface Cell extends Span {
  text: string
}

function cell(line: string, offset: number, from: number, to: number): Cell {
  const raw = line.slice(from, to)
  const text = raw.trim()
  const start = from + (raw.length - raw.trimStart().length)
  return { start: offset + start, end: offset + start + text.length, text }
}

function cutAt(line: string, offset: number, mark: string): Cell[] {
  const cells: Cell[] = []
  let from = 0
  for (let at = line.indexOf(mark); at >= 0; at = line.indexOf(mark, from)) {
    cells.push(cell(line, offset, from, at))
    from = at + 1
  }
  cells.push(cell(line, offset, from, line.length))
  return cells
}

/** Comma-separated values, quoted where a value has a comma; undefined where the line is ordinary text with commas. */
function cutCommas(line: string, offset: number): Cell[] | undefined {
  const cells: Cell[] = []
  let from = 0
  let quoted = false
  for (let at = 0; at <= line.length; at++) {
    const char = line.charAt(at)
    if (char === '"') quoted = !quoted
    if (at < line.length && (char !== ',' || quoted)) continue
    const next = line.charAt(at + 1)
    const betweenDigits = /\d/.test(line.charAt(at - 1)) && /^\d{3}/.test(line.slice(at + 1, at + 4))
    if (char === ',' && (next === ' ' || betweenDigits)) return undefined
    const found = cell(line, offset, from, at)
    const wrapped = found.text.length >= 2 && found.text.startsWith('"') && found.text.endsWith('"')
    cells.push(wrapped ? { start: found.start + 1, end: found.end - 1, text: found.text.slice(1, -1) } : found)
    from = at + 1
  }
  return quoted || cells.length < 2 ? undefined : cells
}

/** The cells of a row of a table (`|`, tabs, CSV), or undefined for a line that is no row. */
export function readCells(line: string, offset: number): Cell[] | undefined {
  if (line.includes('|')) {
    const cells = cutAt(line, offset, '|')
    if (cells.at(-1)?.text === '' && /\|\s*$/.test(line.slice(-8))) cells.pop()
    if (line.startsWith('|')) cells.shift()
    return cells.length >= 2 ? cells : undefined
  }
  if (line.includes('\t')) {
    const cells = cutAt(line, offset, '\t')
    return cells.length >= 2 ? cells : undefined
  }
  return line.length <= MAX_CSV_LINE && line.includes(',') ? cutCommas(line, offset) : undefined
}

const MAX_CSV_LINE = 400

/**
 * What the columns of a table hold, where a row is its header: two labels or more and no figures. A column may be a
 * section too ("Income | £/month").
 */
export function readHeader(lexicon: Lexicon, cells: readonly Cell[]): (string | undefined)[] | undefined {
  if (cells.length < 2 || cells.some(({ text }) => /\d/.test(text))) return undefined
  const columns = cells.map(({ text }) => columnOf(lexicon, text))
  const known = columns.filter(column => column != null && COLUMNS.has(column))
  return known.length >= 2 || (known.length >= 1 && cells.some(({ text }) => text.includes('£'))) ? columns : undefined
}

const COLUMNS = new Set([
  'creditor',
  'debt_type',
  'balance',
  'priority',
  'stage',
  'item',
  'period',
  'income',
  'spending',
  'debts'
])

function columnOf(lexicon: Lexicon, text: string): string | undefined {
  const code = labelOf(lexicon, text)?.code
  if (code === 'debts_priority') return 'priority'
  if (code == null && text.includes('£')) return 'balance'
  return code
}

/** The first cell that names a period. */
export function periodIn(cells: readonly Cell[]): Said<Period> | undefined {
  for (const { text, start, end } of cells) {
    const tokens = tokenise(text.replace('£', ' '))
    const value = tokens.length > 6 ? undefined : periodNamed(tokens, 0, tokens.length)
    if (value != null) return { value, span: { start, end } }
  }
  return undefined
}
