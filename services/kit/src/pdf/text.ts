import type { Engine } from './engine.ts'

/** A line starts a paragraph when it is this many heights of the line above it below that line. */
const PARAGRAPH_GAP = 1.65
/** or when its height differs by this factor: a heading */
const HEADING_RATIO = 1.35
/** PDFium's mark for a hyphen that ends a line */
const LINE_END_HYPHEN = '\u0002'

/** The text layer of a loaded page: lines end with a newline, paragraphs with two. */
export function pageText(engine: Engine, page: number): string {
  return engine.run(({ FPDFText_LoadPage, FPDFText_ClosePage }) => {
    const textPage = FPDFText_LoadPage(page)
    if (textPage === 0) return ''
    try {
      return joinLines(lines(engine, textPage))
    } finally {
      FPDFText_ClosePage(textPage)
    }
  })
}

interface Line {
  text: string
  /** of its first character, in points from the page's bottom */
  bottom: number
  height: number
}

function lines(engine: Engine, textPage: number): Line[] {
  const { FPDFText_CountChars, FPDFText_GetText } = engine.api
  const count = FPDFText_CountChars(textPage)
  if (count <= 0) return []
  const text = engine.lend(2 * (2 * count + 1), address => {
    // it counts the null at the end, too
    const written = FPDFText_GetText(textPage, 0, count, address) - 1
    return engine.utf16(address, written)
  })
  let start = 0
  return text.split('\n').map(raw => {
    const first = start + (raw.length - raw.trimStart().length)
    start += raw.length + 1
    return { text: raw.trimEnd(), ...position(engine, textPage, first) }
  })
}

function position(engine: Engine, textPage: number, character: number): { bottom: number; height: number } {
  return engine.lend(16, box => {
    if (!engine.api.FPDFText_GetLooseCharBox(textPage, character, box)) return { bottom: 0, height: 0 }
    const [, top = 0, , bottom = 0] = engine.floats(box, 4)
    return { bottom, height: Math.abs(top - bottom) }
  })
}

/** Puts lines together; pure, so that tables test it. */
export function joinLines(lines: Line[]): string {
  let text = ''
  let above: Line | undefined
  for (const line of lines) {
    if (line.text.trim() === '') continue
    if (above != null) text += startsParagraph(above, line) ? '\n\n' : '\n'
    text += line.text
    above = line
  }
  return text.replaceAll(LINE_END_HYPHEN, '-')
}

function startsParagraph(above: Line, line: Line): boolean {
  const drop = above.bottom - line.bottom
  const height = Math.max(above.height, line.height)
  if (height === 0) return false
  // the next column or text further up
  if (drop < 0) return true
  if (drop === 0) return false
  return drop > PARAGRAPH_GAP * height || height > HEADING_RATIO * Math.min(above.height, line.height)
}
