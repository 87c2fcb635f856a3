import { stripVTControlCharacters } from 'node:util'
import Table from 'cli-table3'
import type { Format, Style } from './style.ts'

export interface Column {
  title: string
  align?: 'left' | 'right'
  /** takes what room is left, and wraps in it */
  flexible?: boolean
}

/** Painted already, or to be painted after it is wrapped: a colour must not run into the next column. */
export type Cell = string | { text: string; format: Format }

const GAP = 2
const MIN_FLEXIBLE = 12

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: ' '.repeat(GAP)
}

/** Rows below titles, with no lines between: what a terminal shows well and `awk` reads. */
export function table(columns: Column[], rows: Cell[][], { paint, width }: Style): string {
  const room = width == null ? undefined : roomFor(columns, rows, width)
  const show = (cell: Cell, i: number): string => {
    const { text, format } = typeof cell === 'string' ? { text: cell, format: undefined } : cell
    const lines = (room != null && columns[i]?.flexible === true ? wrap(text, room) : text).split('\n')
    return (format == null ? lines : lines.map(line => paint(format, line))).join('\n')
  }
  const out = new Table({
    head: columns.map(({ title }) => (title === '' ? '' : paint('dim', title))),
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
    colAligns: columns.map(({ align = 'left' }) => align)
  })
  out.push(...rows.map(row => row.map(show)))
  return out.toString().replace(/[ \t]+$/gm, '')
}

/** What the other columns leave to the flexible one; undefined when all fits as it is. */
function roomFor(columns: Column[], rows: Cell[][], width: number): number | undefined {
  const needed = columns.map(({ title }, i) => Math.max(lengthOf(title), ...rows.map(row => lengthOf(row[i] ?? ''))))
  const excess = needed.reduce((sum, one) => sum + one, 0) + GAP * (columns.length - 1) - width
  const flexible = columns.findIndex(column => column.flexible === true)
  return excess <= 0 || flexible === -1 ? undefined : Math.max(MIN_FLEXIBLE, (needed[flexible] ?? 0) - excess)
}

function lengthOf(cell: Cell): number {
  const text = typeof cell === 'string' ? cell : cell.text
  return Math.max(...text.split('\n').map(line => stripVTControlCharacters(line).length))
}

/** Breaks after spaces, hyphens and slashes, and within a word only where it is longer than a line. */
export function wrap(text: string, width: number): string {
  const lines: string[] = []
  for (const paragraph of text.split('\n')) {
    let line = ''
    for (let word of paragraph.split(/(?<=[ /-])/)) {
      if (line !== '' && line.length + word.trimEnd().length > width) {
        lines.push(line)
        line = ''
      }
      for (; word.trimEnd().length > width; word = word.slice(width)) lines.push(word.slice(0, width))
      line += word
    }
    lines.push(line)
  }
  return lines.map(line => line.trimEnd()).join('\n')
}
