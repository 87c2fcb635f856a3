import type { Block, Inline } from './blocks.ts'
import type { Piece } from './pieces.ts'

export const FORMATS = ['text', 'markdown', 'html'] as const
export type Format = (typeof FORMATS)[number]

/** A table that is wider goes one line per cell in plain text. */
const MAX_TABLE_WIDTH = 100

const text = (inlines: readonly Inline[]): string =>
  inlines.map(inline => (typeof inline === 'string' ? inline : inline.text)).join('')

function textTable(rows: readonly Inline[][][]): string {
  const cells = rows.map(row => row.map(text))
  const header = cells[0] ?? []
  const widths = header.map((_, column) => cells.reduce((width, row) => Math.max(width, (row[column] ?? '').length), 0))
  if (widths.reduce((sum, width) => sum + width + 2, -2) <= MAX_TABLE_WIDTH) {
    const lines = cells.map(row =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()
    )
    lines.splice(1, 0, widths.map(width => '-'.repeat(width)).join('  '))
    return lines.join('\n')
  }
  return cells
    .slice(1)
    .map(row =>
      row
        .flatMap((cell, column) =>
          cell === ''
            ? []
            : [`${column === 0 ? '' : '  '}${header[column] === '' ? '' : `${header[column] ?? ''}: `}${cell}`]
        )
        .join('\n')
    )
    .join('\n')
}

function textBlock(block: Block): string {
  switch (block.kind) {
    case 'heading': {
      const line = text(block.content)
      return `${line}\n${(block.level === 1 ? '=' : '-').repeat(Math.min(line.length, 80))}`
    }
    case 'paragraph':
      return block.lines.map(text).join('\n')
    case 'list':
      return block.items.map(item => `- ${text(item)}`).join('\n')
    case 'table':
      return textTable(block.rows)
  }
}

/** Characters that could start markup anywhere in a line of Markdown. */
const MARKDOWN = /[\\`*_[\]<>|~#$]/g
const escapeMarkdown = (value: string): string => value.replaceAll('&', '&amp;').replace(MARKDOWN, '\\$&')

function markdownPiece(piece: Piece): string {
  if (piece.gap == null) return escapeMarkdown(piece.text)
  // the brackets of a gap stay as they are: what follows can make no link of them
  return `[${escapeMarkdown(piece.text.slice(1, -1))}]`
}

const markdown = (inlines: readonly Inline[]): string =>
  inlines.map(inline => (typeof inline === 'string' ? inline : markdownPiece(inline))).join('')

/** What only means something at the start of a line: "- ", "+ ", "1. ", "====". */
function markdownLine(inlines: readonly Inline[]): string {
  return markdown(inlines)
    .replace(/^(\d{1,9})([.)])(?=\s|$)/, '$1\\$2')
    .replace(/^[-+=]/, '\\$&')
}

function markdownBlock(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `${'#'.repeat(block.level)} ${markdown(block.content)}`
    case 'paragraph':
      return block.lines.map(markdownLine).join('\\\n')
    case 'list':
      return block.items.map(item => `- ${markdownLine(item)}`).join('\n')
    case 'table': {
      const rows = block.rows.map(row => `| ${row.map(markdown).join(' | ')} |`)
      rows.splice(1, 0, `|${' --- |'.repeat(block.rows[0]?.length ?? 0)}`)
      return rows.join('\n')
    }
  }
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escapeHtml = (value: string): string => value.replace(/[&<>"']/g, char => ENTITIES[char] ?? char)

const html = (inlines: readonly Inline[]): string =>
  inlines
    .map(inline => {
      if (typeof inline === 'string') return escapeHtml(inline)
      return inline.gap == null ? escapeHtml(inline.text) : `<mark>${escapeHtml(inline.text)}</mark>`
    })
    .join('')

function htmlBlock(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `<h${block.level}>${html(block.content)}</h${block.level}>`
    case 'paragraph':
      return `<p>${block.lines.map(html).join('<br>')}</p>`
    case 'list':
      return `<ul>\n${block.items.map(item => `<li>${html(item)}</li>`).join('\n')}\n</ul>`
    case 'table': {
      const [header = [], ...rows] = block.rows
      const cells = (row: readonly Inline[][], tag: 'th' | 'td'): string =>
        `<tr>${row.map(cell => `<${tag}>${html(cell)}</${tag}>`).join('')}</tr>`
      return `<table>\n<thead>${cells(header, 'th')}</thead>\n<tbody>\n${rows.map(row => cells(row, 'td')).join('\n')}\n</tbody>\n</table>`
    }
  }
}

/** Writes a letter; every value is escaped for its format. HTML is one `<article>`, to be put into a page. */
export function writeLetter(blocks: readonly Block[], format: Format): string {
  if (format === 'html')
    return `<article lang="en-GB" class="confirmation-of-advice">\n${blocks.map(htmlBlock).join('\n')}\n</article>\n`
  return `${blocks.map(format === 'markdown' ? markdownBlock : textBlock).join('\n\n')}\n`
}

const TAG =
  /<\/?(?:article|h[1-3]|p|br|ul|li|table|thead|tbody|tr|t[hd]|mark)(?: lang="en-GB" class="confirmation-of-advice")?>/g
const NAMED: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" }

/** What a reader sees of a letter, whatever its format: for the self-check, and written apart from the writers above. */
export function readableText(letter: string, format: Format): string {
  if (format === 'html')
    return letter.replace(TAG, ' ').replace(/&(?:amp|lt|gt|quot|#39);/g, entity => NAMED[entity] ?? entity)
  if (format === 'markdown') return letter.replace(/\\([\\`*_[\]<>|~#$.)+=\n-])/g, '$1').replaceAll('&amp;', '&')
  return letter
}
