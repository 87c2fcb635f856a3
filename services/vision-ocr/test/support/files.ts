import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'

/** A PNG that says it has these sizes, whatever it holds. */
export function claimedPng(width: number, height: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header[8] = 8
  const chunks = [
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(100_000))),
    chunk('IEND', Buffer.alloc(0))
  ]
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...chunks])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}

export type FaxCoding = 'CCITTFaxDecode' | 'JBIG2Decode'

/**
 * A PDF of one A4 page that is a black and white scan, coded as office scanners do: CCITT group 4, or JBIG2 (whose
 * simplest form wraps group 4).
 */
export async function faxPdf(picture: Buffer, coding: FaxCoding): Promise<Buffer> {
  // a tile has the size of the whole page, so that there is one strip of data; TIFF calls white what PDF calls black
  const [width, height] = [1664, 2352]
  const tiff = await sharp(picture)
    .flatten({ background: '#fff' })
    .resize({ width, height, fit: 'fill' })
    .toColourspace('b-w')
    .threshold(160)
    .negate()
    .toColourspace('b-w')
    .tiff({ compression: 'ccittfax4', bitdepth: 1, tile: true, tileWidth: width, tileHeight: height })
    .toBuffer()
  const group4 = tiff.subarray(tiffTag(tiff, 324), tiffTag(tiff, 324) + tiffTag(tiff, 325))
  const fax = coding === 'CCITTFaxDecode'
  const data = fax ? group4 : jbig2(group4, width, height)
  // negated, as JBIG2 has 1 for black; the fax filter is told so
  const parms = fax ? `/DecodeParms<</K -1/Columns ${width}/Rows ${height}>>/Decode[1 0]` : ''
  const image = `<</Type/XObject/Subtype/Image/Width ${width}/Height ${height}/ColorSpace/DeviceGray/BitsPerComponent 1/Filter/${coding}${parms}/Length ${data.length}>>`
  const content = 'q 595 0 0 842 0 0 cm /I Do Q'
  return pdf([
    ['<</Type/Catalog/Pages 2 0 R>>'],
    ['<</Type/Pages/Kids[3 0 R]/Count 1>>'],
    ['<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</XObject<</I 5 0 R>>>>/Contents 4 0 R>>'],
    [`<</Length ${content.length}>>`, Buffer.from(content)],
    [image, data]
  ])
}

/** A PDF of empty pages. */
export function emptyPagesPdf(pages: number): Buffer {
  const kids = Array.from({ length: pages }, (_, i) => `${i + 3} 0 R`).join(' ')
  const page: [string] = ['<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>']
  return pdf([
    ['<</Type/Catalog/Pages 2 0 R>>'],
    [`<</Type/Pages/Kids[${kids}]/Count ${pages}>>`],
    ...Array.from({ length: pages }, () => page)
  ])
}

function pdf(objects: Array<[dictionary: string, stream?: Buffer]>): Buffer {
  const parts: Buffer[] = [Buffer.from('%PDF-1.5\n%\xe2\xe3\xcf\xd3\n', 'latin1')]
  const size = (): number => parts.reduce((sum, part) => sum + part.length, 0)
  const offsets = objects.map(([dictionary, stream], i) => {
    const offset = size()
    parts.push(Buffer.from(`${i + 1} 0 obj\n${dictionary}\n`))
    if (stream != null) parts.push(Buffer.from('stream\n'), stream, Buffer.from('\nendstream\n'))
    parts.push(Buffer.from('endobj\n'))
    return offset
  })
  const rows = offsets.map(offset => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  const table = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows}`
  parts.push(Buffer.from(`${table}trailer<</Size ${objects.length + 1}/Root 1 0 R>>\nstartxref\n${size()}\n%%EOF\n`))
  return Buffer.concat(parts)
}

/** Three segments: the page's size, one region in group 4, the page's end. */
function jbig2(group4: Buffer, width: number, height: number): Buffer {
  const number = (value: number, bytes: number): Buffer => {
    const buffer = Buffer.alloc(bytes)
    buffer.writeUIntBE(value, 0, bytes)
    return buffer
  }
  const segment = (index: number, type: number, data: Buffer): Buffer =>
    Buffer.concat([number(index, 4), number(type, 1), number(0, 1), number(1, 1), number(data.length, 4), data])
  const size = [number(width, 4), number(height, 4), number(0, 4), number(0, 4), number(0, 1)]
  return Buffer.concat([
    segment(0, 48, Buffer.concat([...size, number(0, 2)])),
    segment(1, 38, Buffer.concat([...size, number(1, 1), group4])),
    segment(2, 49, Buffer.alloc(0))
  ])
}

/** The first value of a tag in the first directory. */
function tiffTag(tiff: Buffer, wanted: number): number {
  const little = tiff.toString('latin1', 0, 2) === 'II'
  const short = (at: number): number => (little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at))
  const long = (at: number): number => (little ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at))
  const directory = long(4)
  for (let i = 0; i < short(directory); i++) {
    const entry = directory + 2 + 12 * i
    if (short(entry) === wanted) return short(entry + 2) === 3 ? short(entry + 8) : long(entry + 8)
  }
  throw new Error(`the TIFF has no tag ${wanted}`)
}
