/**
 * Makes the two PDFs of `examples/data` from `creditor-letter.txt`: the letter as its sender's computer writes it, and as
 * the client's scanner gives it back: a picture without a text layer, in grey, a little askew, with the scanner's noise.
 * Run again after the text is changed; the same text gives the same letter.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { openPdf } from '@hedgerow/service-kit/pdf'
import PdfDocument from 'pdfkit'
import sharp from 'sharp'

const DATA = new URL('../data/', import.meta.url)
const TITLE = 'Notice of intended court action'
/** The date of the letter: a PDF with the time of its making in it would change each time. */
const MADE = new Date('2025-03-18T09:00:00Z')

/** points */
const MARGIN = 56
const FONT_SIZE = 10
const A4 = { width: 595.28, height: 841.89 }

/** dots per inch, what people's scanners are set to */
const SCAN_DPI = 200
/** degrees */
const SKEW = 0.7
/** standard deviation of a pixel's grey, of 255 */
const NOISE = 5
/** of white paper on a scanner's glass */
const PAPER = 246
const JPEG_QUALITY = 55

type Pdf = InstanceType<typeof PdfDocument>

const letter = await readFile(new URL('creditor-letter.txt', DATA), 'utf8')
const text = await pdf(TITLE, document => {
  const [heading = '', ...rest] = letter.trim().split('\n')
  document.font('Helvetica-Bold').fontSize(15).text(heading)
  document.font('Helvetica').fontSize(FONT_SIZE)
  for (const line of rest) {
    if (line === '') document.moveDown(0.9)
    else document.font(line === TITLE ? 'Helvetica-Bold' : 'Helvetica').text(line, { lineGap: 1 })
  }
})
const scanned = await scan(text)
const asScan = await pdf('Scan', document => document.image(scanned, 0, 0, A4))

for (const [name, bytes] of Object.entries({ 'creditor-letter.pdf': text, 'creditor-letter-scan.pdf': asScan })) {
  await writeFile(new URL(name, DATA), bytes)
  process.stdout.write(`${name}: ${Math.round(bytes.length / 1024)} KiB\n`)
}

async function pdf(title: string, draw: (document: Pdf) => void): Promise<Buffer> {
  const document = new PdfDocument({
    size: [A4.width, A4.height],
    margin: MARGIN,
    info: { Title: title, CreationDate: MADE }
  })
  const parts: Buffer[] = []
  document.on('data', part => parts.push(part))
  const ended = new Promise(resolve => document.once('end', resolve))
  draw(document)
  document.end()
  await ended
  return Buffer.concat(parts)
}

async function scan(bytes: Uint8Array): Promise<Buffer> {
  using document = await openPdf(bytes)
  if (document.pageCount !== 1) throw new Error(`the letter has ${document.pageCount} pages; shorten it to one`)
  const page = document.render(1, { dpi: SCAN_DPI })
  const { data, info } = await sharp(page.data, { raw: { width: page.width, height: page.height, channels: 1 } })
    .rotate(SKEW, { background: 'white' })
    .resize(page.width, page.height, { fit: 'cover' })
    .blur(0.6)
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true })
  const random = normal(1)
  const noisy = data.map(grey => Math.max(0, Math.min(255, (grey * PAPER) / 255 + NOISE * random())))
  return sharp(noisy, { raw: { width: info.width, height: info.height, channels: 1 } })
    .jpeg({ quality: JPEG_QUALITY })
    .toBuffer()
}

/** Numbers of a normal distribution, the same for the same seed: the sum of twelve uniform ones (mulberry32), less six. */
function normal(seed: number): () => number {
  let state = seed
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return () => Array.from({ length: 12 }, uniform).reduce((sum, value) => sum + value, -6)
}
