/** Documents made for the tests; nothing here is a file that somebody once had. */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { createDeflate, deflateRawSync } from 'node:zlib'
import { openPdf } from '@hedgerow/service-kit/pdf'
import {
  Footer,
  Header,
  Packer,
  PageBreak,
  Paragraph,
  Table,
  TableCell,
  TableRow,
  Document as WordDocument
} from 'docx'
import { strToU8, zipSync } from 'fflate'
import jsQr from 'jsqr'
import PdfDocument from 'pdfkit'
import qrcode from 'qrcode'
import sharp from 'sharp'

// its default export is wrapped once more where it is loaded as CommonJS
const jsqr = jsQr.default

type PdfOptions = ConstructorParameters<typeof PdfDocument>[0]
type Pdf = InstanceType<typeof PdfDocument>

export async function pdf(draw: (page: Pdf) => void, options: PdfOptions = {}): Promise<Buffer> {
  const document = new PdfDocument({ size: 'A4', ...options })
  const parts: Buffer[] = []
  document.on('data', part => parts.push(part))
  const ended = new Promise(resolve => document.once('end', resolve))
  draw(document)
  document.end()
  await ended
  return Buffer.concat(parts)
}

export function textPdf(pages: readonly string[], options: PdfOptions = {}): Promise<Buffer> {
  return pdf(
    document => {
      for (const [i, text] of pages.entries()) {
        if (i > 0) document.addPage()
        document.fontSize(11).text(text, 60, 60, { lineBreak: true })
      }
    },
    { info: { Title: 'Arrears letter' }, ...options }
  )
}

/** Each page is one picture: a code that tells a test which page it is. */
export async function scannedPdf(pages: readonly string[]): Promise<Buffer> {
  return picturesPdf(await Promise.all(pages.map(text => picture(text, 'jpeg'))))
}

function picturesPdf(pictures: readonly Buffer[]): Promise<Buffer> {
  return pdf(document => {
    for (const [i, jpeg] of pictures.entries()) {
      if (i > 0) document.addPage()
      fillPage(document, jpeg)
    }
  })
}

export function fillPage(document: Pdf, jpeg: Buffer): void {
  document.image(jpeg, 0, 0, { width: document.page.width, height: document.page.height })
}

/** A4 at 150 dpi with the text as a code. */
export async function picture(text: string, format: 'png' | 'jpeg'): Promise<Buffer> {
  const code = await qrcode.toBuffer(text, { width: 500 })
  return sharp({ create: { width: 1240, height: 1754, channels: 3, background: 'white' } })
    .composite([{ input: code, left: 370, top: 600 }])
    .toFormat(format)
    .toBuffer()
}

/** Text pages as a cheap scanner gives them: pictures at this resolution, in grey, a little askew. */
export async function scanOf(bytes: Uint8Array, dpi: number): Promise<Buffer> {
  const pictures: Buffer[] = []
  {
    using document = await openPdf(bytes)
    for (let number = 1; number <= document.pageCount; number++) {
      const { data, width, height } = document.render(number, { dpi })
      pictures.push(
        await sharp(data, { raw: { width, height, channels: 1 } })
          .rotate(0.6, { background: 'white' })
          .jpeg({ quality: 75 })
          .toBuffer()
      )
    }
  }
  return picturesPdf(pictures)
}

/** What the code on a picture says, and what kind of picture it is. */
export async function readCode(
  png: Uint8Array
): Promise<{ text: string | undefined; width: number; height: number; density: number | undefined }> {
  const { format, width, height, density } = await sharp(png).metadata()
  if (format !== 'png') throw new Error(`the picture is ${format}`)
  const { data, info } = await sharp(png)
    .ensureAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  const code = jsqr(new Uint8ClampedArray(data), info.width, info.height)
  return { text: code?.data, width, height, density }
}

/** A small PDF whose only page unpacks to this many megabytes. */
export async function pdfBomb(megabytes: number): Promise<Buffer> {
  const block = Buffer.alloc(1024 * 1024, 'q Q\n')
  const deflate = createDeflate({ level: 1 })
  const packing = Readable.from(Array.from({ length: megabytes }, () => block)).pipe(deflate)
  const packed = Buffer.concat(await packing.toArray())
  const objects = [
    '<</Type/Catalog/Pages 2 0 R>>',
    '<</Type/Pages/Kids[3 0 R]/Count 1>>',
    '<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>',
    `<</Filter/FlateDecode/Length ${packed.length}>>stream\n${packed.toString('latin1')}\nendstream`
  ]
  let file = '%PDF-1.7\n'
  const places = objects.map((object, i) => {
    const place = String(file.length).padStart(10, '0')
    file += `${i + 1} 0 obj\n${object}\nendobj\n`
    return `${place} 00000 n \n`
  })
  const table = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${places.join('')}`
  return Buffer.from(
    `${file}${table}trailer<</Size ${objects.length + 1}/Root 1 0 R>>\nstartxref\n${file.length}\n%%EOF`,
    'latin1'
  )
}

export function docx(): Promise<Buffer> {
  const cell = (text: string): TableCell => new TableCell({ children: [new Paragraph(text)] })
  return Packer.toBuffer(
    new WordDocument({
      title: 'Offer of payment',
      sections: [
        {
          headers: { default: new Header({ children: [new Paragraph('Northway Lending, 4 Mill Lane')] }) },
          footers: { default: new Footer({ children: [new Paragraph('Registered in England')] }) },
          children: [
            new Paragraph({ text: 'Your account', heading: 'Heading1' }),
            new Paragraph('You owe £1,250.00 – please reply by 3 March 2026.'),
            new Paragraph({ text: 'first point', bullet: { level: 0 } }),
            new Table({
              rows: [
                new TableRow({ children: [cell('Creditor'), cell('Balance')] }),
                new TableRow({ children: [cell('Northway'), cell('£1,250.00')] })
              ]
            }),
            new Paragraph({ children: [new PageBreak()] }),
            new Paragraph('Second page.')
          ]
        }
      ]
    })
  )
}

/** A Word document with this markup as its body. */
export function docxOf(body: string): Uint8Array {
  return zipSync(docxParts(body))
}

function docxParts(body: string): Record<string, Uint8Array> {
  const types =
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
  const rels =
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>'
  return {
    '[Content_Types].xml': strToU8(types),
    '_rels/.rels': strToU8(rels),
    'word/document.xml': strToU8(
      `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${body}</w:body></w:document>`
    )
  }
}

/** Small, and declares that it unpacks to 600 MB of markup. */
export function zipBomb(): Uint8Array {
  const zip = zipSync(docxParts('<w:p/>'))
  return declareSize(zip, 'word/document.xml', 600 * 1024 * 1024)
}

/** Says that its text has 100 bytes, while it unpacks to 256 MB. */
export function lyingZip(): Uint8Array {
  const filler = Buffer.alloc(256 * 1024 * 1024, 'a')
  const packed = deflateRawSync(filler, { level: 9 })
  const parts = docxParts('')
  const zip = zipSync({ ...parts, 'word/document.xml': [new Uint8Array(packed), { level: 0 }] })
  return declareSize(declareDeflated(zip, 'word/document.xml'), 'word/document.xml', 100)
}

/** Every place of the archive that states the entry's size says another one. */
function declareSize(zip: Uint8Array, name: string, size: number): Uint8Array {
  return patchHeaders(zip, name, (view, at, central) => view.setUint32(at + (central ? 24 : 22), size, true))
}

function declareDeflated(zip: Uint8Array, name: string): Uint8Array {
  return patchHeaders(zip, name, (view, at, central) => view.setUint16(at + (central ? 10 : 8), 8, true))
}

function patchHeaders(
  zip: Uint8Array,
  name: string,
  patch: (view: DataView, at: number, central: boolean) => void
): Uint8Array {
  const bytes = Buffer.from(zip)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (const [mark, nameAt, central] of [
    ['PK\x03\x04', 30, false],
    ['PK\x01\x02', 46, true]
  ] as const) {
    for (let at = bytes.indexOf(mark, 0, 'latin1'); at >= 0; at = bytes.indexOf(mark, at + 1, 'latin1')) {
      if (bytes.toString('latin1', at + nameAt, at + nameAt + name.length) === name) patch(view, at, central)
    }
  }
  return bytes
}

/** An Office document behind a password is no ZIP: it lies encrypted in a compound file. */
export function encryptedOffice(): Buffer {
  const bytes = Buffer.alloc(4096)
  Buffer.from('d0cf11e0a1b11ae1', 'hex').copy(bytes)
  Buffer.from('EncryptedPackage', 'utf16le').copy(bytes, 1024)
  createHash('sha256').update('package').digest().copy(bytes, 2048)
  return bytes
}
