import type { Piece } from './pieces.ts'

export type Inline = string | Piece
export type Block =
  | { kind: 'heading'; level: 1 | 2 | 3; content: Inline[] }
  | { kind: 'paragraph'; lines: Inline[][] }
  | { kind: 'list'; items: Inline[][] }
  | { kind: 'table'; rows: Inline[][][] }

// Private-use characters stand around the number of a value while the layout is read.
const OPEN = '\ue000'
const CLOSE = '\ue001'
const VALUE = /\ue000(\d+)\ue001/

/** Holds values out of the text until its layout has been read, so that no value can be taken for layout. */
export class Values {
  readonly pieces: Piece[] = []

  hold(value: unknown): string {
    if (value == null) return ''
    const piece: Piece = isPiece(value) ? value : { text: String(value), from: 'config', spans: [] }
    this.pieces.push(piece)
    return `${OPEN}${this.pieces.length - 1}${CLOSE}`
  }

  inline(text: string): Inline[] {
    const parts: Inline[] = []
    text.split(VALUE).forEach((part, i) => {
      const piece = i % 2 === 1 ? this.pieces[Number(part)] : undefined
      if (piece != null) parts.push(piece)
      else if (part !== '') parts.push(part)
    })
    return parts
  }
}

function isPiece(value: unknown): value is Piece {
  return typeof value === 'object' && value != null && 'text' in value && 'from' in value && 'spans' in value
}

export function hasValueMarks(text: string): boolean {
  return text.includes(OPEN) || text.includes(CLOSE)
}

/** Reads what a template gave: `#` headings, `-` items, `|` rows, and paragraphs parted by empty lines. */
export function readBlocks(rendered: string, values: Values): Block[] {
  const blocks: Block[] = []
  let fresh = true
  for (const raw of rendered.split('\n')) {
    const line = raw.trim()
    const last = blocks.at(-1)
    if (line === '') {
      fresh = true
      continue
    }
    const heading = /^(#{1,3}) /.exec(line)
    if (heading?.[1] != null) {
      const level = heading[1].length
      blocks.push({
        kind: 'heading',
        level: level === 1 ? 1 : level === 2 ? 2 : 3,
        content: values.inline(line.slice(level + 1))
      })
    } else if (line.startsWith('- ')) {
      const item = values.inline(line.slice(2))
      if (last?.kind === 'list' && !fresh) last.items.push(item)
      else blocks.push({ kind: 'list', items: [item] })
    } else if (line.startsWith('|') && line.endsWith('|') && line.length > 1) {
      const row = line
        .slice(1, -1)
        .split('|')
        .map(cell => values.inline(cell.trim()))
      if (last?.kind === 'table' && !fresh) last.rows.push(row)
      else blocks.push({ kind: 'table', rows: [row] })
    } else if (last?.kind === 'paragraph' && !fresh) {
      last.lines.push(values.inline(line))
    } else {
      blocks.push({ kind: 'paragraph', lines: [values.inline(line)] })
    }
    fresh = false
  }
  return blocks
}
