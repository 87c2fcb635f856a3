import { readFile } from 'node:fs/promises'
import { type GreyImage, openPdf } from '@hedgerow/service-kit/pdf'
import PDFDocument from 'pdfkit'

/** How a page is set: the same text looks quite different to OCR in another face and size. */
export interface Style {
  /** a package of @fontsource, or one of PDF's standard fonts */
  font: { regular: string; bold: string }
  size: number
  columns?: { count: number; height: number }
  margin?: number
}

export interface Page {
  name: string
  /** what a reader reads, line breaks as in the source */
  truth: string
  pdf: Uint8Array
}

export const FONTS = {
  arimo: fontsource('arimo'),
  tinos: fontsource('tinos'),
  carlito: fontsource('carlito'),
  courierPrime: fontsource('courier-prime'),
  helvetica: { regular: 'Helvetica', bold: 'Helvetica-Bold' },
  times: { regular: 'Times-Roman', bold: 'Times-Bold' }
}

function fontsource(name: string): { regular: string; bold: string } {
  const file = (weight: number): string => `@fontsource/${name}/files/${name}-latin-${weight}-normal.woff`
  return { regular: file(400), bold: file(700) }
}

/**
 * Sets a text of `test/pages`. A line is a paragraph; `@right` and `@bold` set one to the right or in bold, and
 * `@row a|b|c` is a row of a table.
 */
export async function setPage(
  name: string,
  style: Style,
  folder = new URL('../pages/', import.meta.url)
): Promise<Page> {
  const source = await readFile(new URL(`${name}.txt`, folder), 'utf8')
  const lines = source.trimEnd().split('\n')
  const pdf = await draw(lines, style)
  const truth = lines.map(line => line.replace(/^@\w+ /, '').replaceAll('|', ' ')).join('\n')
  return { name, truth, pdf }
}

async function draw(lines: string[], style: Style): Promise<Uint8Array> {
  const margin = style.margin ?? 62
  const document = new PDFDocument({ size: 'A4', margin })
  const { regular, bold } = await registered(document, style)
  document.on('pageAdded', () => {
    throw new Error('the text does not fit on a page')
  })
  document.fontSize(style.size).lineGap(style.size * 0.25)
  const width = document.page.width - 2 * margin
  const rows = lines.filter(line => line.startsWith('@row'))
  const body: string[] = []
  for (const line of lines) {
    const [, directive, text = ''] = /^(?:@(\w+) )?(.*)$/.exec(line) ?? []
    document.font(directive === 'bold' ? bold : regular)
    if (directive === 'row') {
      tableRow(document, text.split('|'), margin, width, line === rows[0])
    } else if (style.columns != null && directive == null) {
      body.push(text)
    } else if (text === '') {
      document.moveDown(0.7)
    } else {
      document.text(text, margin, document.y, { width, align: directive === 'right' ? 'right' : 'left' })
    }
  }
  if (style.columns != null) {
    document.font(regular).moveDown(0.7)
    document.text(body.join('\n'), { width, columns: style.columns.count, columnGap: 24, height: style.columns.height })
  }
  return finish(document)
}

function tableRow(document: PDFKit.PDFDocument, cells: string[], left: number, width: number, first: boolean): void {
  const y = document.y
  const rule = (at: number): unknown =>
    document
      .moveTo(left, at)
      .lineTo(left + width, at)
      .lineWidth(0.5)
      .stroke()
  if (first) rule(y - 3)
  const [date, what, ...amounts] = cells
  document.text(date ?? '', left + 4, y, { width: width * 0.2, lineBreak: false })
  document.text(what ?? '', left + width * 0.22, y, { width: width * 0.4, lineBreak: false })
  amounts.forEach((amount, i) => {
    document.text(amount, left + width * (0.62 + 0.19 * i), y, { width: width * 0.18, align: 'right' })
  })
  rule(document.y + 1)
  document.y += 5
}

async function registered(document: PDFKit.PDFDocument, { font }: Style): Promise<{ regular: string; bold: string }> {
  for (const file of [font.regular, font.bold]) {
    if (file.includes('/')) document.registerFont(file, await readFile(new URL(import.meta.resolve(file))))
  }
  return font
}

export async function finish(document: PDFKit.PDFDocument): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  document.on('data', part => parts.push(part))
  const ended = new Promise(resolve => document.once('end', resolve))
  document.end()
  await ended
  return Buffer.concat(parts)
}

/** The page as a printer would put it on paper. */
export async function rasterise(pdf: Uint8Array, dpi: number, page = 1): Promise<GreyImage> {
  using document = await openPdf(pdf)
  return document.render(page, { dpi })
}
