/** Text of an HTML tree as it reads: blocks on lines of their own, paragraphs apart, cells of a row on one line. */

const SKIPPED = new Set(
  'script style noscript template head title svg math iframe object embed canvas audio video select datalist'.split(' ')
)
const PARAGRAPHS = new Set(
  'p h1 h2 h3 h4 h5 h6 ul ol dl table pre blockquote article section header footer main aside nav figure form fieldset address'.split(
    ' '
  )
)
const LINES = new Set('div li tr dt dd caption figcaption legend option summary details'.split(' '))
const CELLS = new Set(['td', 'th'])
/** characters; a longer cell, or one with a table in it, is layout: its blocks keep their lines */
const LONGEST_DATA_CELL = 200
/** nodes; a cell with more of them is layout too */
const MOST_IN_DATA_CELL = 1_000
/** the class of the rule that stands for the end of a page */
export const PAGE_BREAK_CLASS = 'hedgerow-page-break'

/** No recursion: markup can be nested without end. */
export function htmlText(root: Node): string {
  const text = new Text()
  let node: Node | null = root
  while (node != null) {
    const skipped = enter(node, text)
    if (!skipped && node.firstChild != null) {
      node = node.firstChild
      continue
    }
    while (node != null) {
      leave(node, text)
      if (node === root) return text.toString()
      if (node.nextSibling != null) break
      node = node.parentNode
    }
    node = node?.nextSibling ?? null
  }
  return text.toString()
}

const ELEMENT = 1
const TEXT = 3

/** Whether what is inside is left out. */
function enter(node: Node, text: Text): boolean {
  if (node.nodeType === TEXT) text.add(node.nodeValue ?? '')
  if (!isElement(node)) return false
  const name = node.localName
  if (SKIPPED.has(name) || isHidden(node)) return true
  if (name === 'br') text.line()
  else if (name === 'hr') {
    if (node.classList.contains(PAGE_BREAK_CLASS)) text.page()
    else text.paragraph()
  } else if (PARAGRAPHS.has(name)) text.paragraph()
  else if (LINES.has(name)) text.line()
  else if (CELLS.has(name)) text.cell(isData(node))
  if (name === 'li') text.add('- ')
  if (name === 'pre') text.preformatted++
  return false
}

function leave(node: Node, text: Text): void {
  if (!isElement(node)) return
  const name = node.localName
  if (name === 'pre') text.preformatted = Math.max(0, text.preformatted - 1)
  if (SKIPPED.has(name)) return
  if (PARAGRAPHS.has(name)) text.paragraph()
  else if (LINES.has(name)) text.line()
  else if (CELLS.has(name)) text.endCell()
}

/** Looks at no more of the cell than it takes to decide: cells can be nested without end. */
function isData(cell: Element): boolean {
  let length = 0
  let nodes = 0
  let node: Node | null = cell.firstChild
  while (node != null) {
    if (++nodes > MOST_IN_DATA_CELL) return false
    if (node.nodeType === TEXT) length += node.nodeValue?.length ?? 0
    if (length > LONGEST_DATA_CELL || (isElement(node) && node.localName === 'table')) return false
    if (node.firstChild != null) {
      node = node.firstChild
      continue
    }
    while (node != null && node !== cell && node.nextSibling == null) node = node.parentNode
    node = node == null || node === cell ? null : node.nextSibling
  }
  return true
}

function isElement(node: Node): node is Element {
  return node.nodeType === ELEMENT
}

function isHidden(element: Element): boolean {
  if (element.hasAttribute('hidden')) return true
  const style = element.getAttribute('style')
  return style != null && /(?:display\s*:\s*none|visibility\s*:\s*hidden)/i.test(style)
}

/** Collects text; a break is written when more text follows, the strongest of those asked for. */
class Text {
  preformatted = 0
  readonly #parts: string[] = []
  #pending = ''
  /** text has been written since the last break */
  #inLine = false
  #dataCell = false

  add(raw: string): void {
    if (this.preformatted > 0) {
      if (raw !== '') this.#write(raw)
      return
    }
    const text = raw.replace(/[ \t\n\r\f]+/g, ' ')
    if (text === ' ' || text === '') {
      if (text === ' ') this.#space()
      return
    }
    const [, before = '', middle = '', after = ''] = /^( ?)(.*?)( ?)$/s.exec(text) ?? []
    if (before !== '') this.#space()
    this.#write(middle)
    if (after !== '') this.#space()
  }

  /** @param isData its blocks are put on the line of its row */
  cell(isData: boolean): void {
    this.#dataCell = isData
    if (!isData) this.line()
    else if (this.#inLine) this.#pending = '\t'
  }

  endCell(): void {
    this.#dataCell = false
  }

  line(): void {
    if (this.#dataCell) this.#space()
    else if (this.#pending !== '\n\n' && this.#pending !== '\f') this.#break('\n')
  }

  paragraph(): void {
    if (this.#dataCell) this.#space()
    else if (this.#pending !== '\f') this.#break('\n\n')
  }

  page(): void {
    this.#break('\f')
  }

  toString(): string {
    return this.#parts.join('')
  }

  #break(kind: string): void {
    this.#pending = kind
    this.#inLine = false
  }

  #space(): void {
    if (this.#inLine && this.#pending === '') this.#pending = ' '
  }

  #write(text: string): void {
    // a break before the first text separates nothing, unless it ends a page
    if (this.#parts.length > 0 || this.#pending === '\f') this.#parts.push(this.#pending)
    this.#parts.push(text)
    this.#pending = ''
    this.#inLine = true
  }
}
