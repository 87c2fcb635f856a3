import { strToU8, type Unzipped, unzipSync, zipSync } from 'fflate'
import { DOMParser, parseHTML } from 'linkedom'
import mammoth from 'mammoth'
import { DocumentError } from '../errors.ts'
import { MAX_DOCX_ELEMENTS, MAX_DOCX_ENTRIES, MAX_DOCX_MARKUP, MAX_DOCX_UNPACKED } from '../limits.ts'
import type { ReadResult } from '../process/task.ts'
import { htmlText, PAGE_BREAK_CLASS } from './html-text.ts'
import { elementsIn } from './markup-limits.ts'
import { pagesOf } from './text.ts'

const OLD_OFFICE = 0xe011cfd0
const DOCUMENT = 'word/document.xml'
const MARKUP = /\.(?:xml|rels)$/i
const FURNITURE = /^word\/(header|footer)\d*\.xml$/

/**
 * Text of a Word document, with tables, lists, text boxes and notes; headers come first and footers last. Pages are
 * what its author divided by page breaks: the rest is decided where it is printed.
 *
 * @throws {DocumentError}
 */
export async function readDocx(bytes: Uint8Array): Promise<ReadResult> {
  const parts = unpack(bytes)
  if (parts[DOCUMENT] == null) {
    throw new DocumentError(
      'UnsupportedMediaType',
      'this is a ZIP archive, but no Word document; send its files one by one'
    )
  }
  const html = await convert(parts)
  const { document } = parseHTML(`<!doctype html><html><head></head><body>${html}</body></html>`)
  const text = [furniture(parts, 'header'), htmlText(document.body), furniture(parts, 'footer')]
    .filter(part => part.trim() !== '')
    .join('\n\n')
  const pictures = document.querySelectorAll('img').length
  if (text.trim() === '' && pictures > 0) {
    throw new DocumentError(
      'PicturesOnly',
      'this Word document has pictures and no text; save it as PDF, or send the pictures, so that they are read by OCR'
    )
  }
  return { title: titleOf(parts), pages: pagesOf(text), details: { pictures_not_read: pictures } }
}

/** The markup of the archive, whose sizes are checked before anything is unpacked, and can't exceed what is declared. */
function unpack(bytes: Uint8Array): Unzipped {
  if (new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) === OLD_OFFICE) throw notZip(bytes)
  let entries = 0
  let unpacked = 0
  let markup = 0
  try {
    unzipSync(bytes, {
      filter: ({ name, originalSize }) => {
        entries++
        unpacked += originalSize
        if (MARKUP.test(name)) markup += originalSize
        return false
      }
    })
    if (entries > MAX_DOCX_ENTRIES || unpacked > MAX_DOCX_UNPACKED || markup > MAX_DOCX_MARKUP) {
      throw new DocumentError(
        'DocumentTooComplex',
        `the Word document unpacks to ${unpacked} bytes in ${entries} parts, ${markup} of them text; ${MAX_DOCX_UNPACKED}, ${MAX_DOCX_ENTRIES} and ${MAX_DOCX_MARKUP} are the most`
      )
    }
    const parts = unzipSync(bytes, { filter: ({ name }) => MARKUP.test(name) })
    const elements = Object.values(parts).reduce((sum, part) => sum + elementsIn(part), 0)
    if (elements > MAX_DOCX_ELEMENTS) {
      throw new DocumentError(
        'DocumentTooComplex',
        `the Word document has ${elements} elements of markup; ${MAX_DOCX_ELEMENTS} are the most, so split it`
      )
    }
    return parts
  } catch (err) {
    if (err instanceof DocumentError) throw err
    throw new DocumentError('CorruptDocument', 'the Word document is damaged or cut short', err)
  }
}

function notZip(bytes: Uint8Array): DocumentError {
  if (Buffer.from(bytes).includes(Buffer.from('EncryptedPackage', 'utf16le'))) {
    return new DocumentError(
      'PasswordProtected',
      'this Word document is protected by a password; open it in Word and save a copy without one'
    )
  }
  return new DocumentError('UnsupportedMediaType', 'documents of Word 97-2003 are not read; save it as DOCX or PDF')
}

async function convert(parts: Unzipped): Promise<string> {
  // packed again without its pictures, which nobody looks at
  const buffer = Buffer.from(zipSync(parts, { level: 0 }))
  try {
    const { value } = await mammoth.convertToHtml(
      { buffer },
      {
        styleMap: [`br[type='page'] => hr.${PAGE_BREAK_CLASS}`],
        includeEmbeddedStyleMap: false,
        convertImage: mammoth.images.imgElement(async () => ({ src: '' }))
      }
    )
    return value
  } catch (err) {
    if (err instanceof RangeError) throw err
    throw new DocumentError('CorruptDocument', 'the Word document is damaged', err)
  }
}

/** Headers or footers of all sections, each text once: a firm's name and address are often there and nowhere else. */
function furniture(parts: Unzipped, kind: 'header' | 'footer'): string {
  const texts = Object.entries(parts)
    .filter(([name]) => FURNITURE.exec(name)?.[1] === kind)
    .toSorted(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
    .map(([, xml]) => paragraphsOf(xml))
  return [...new Set(texts)].filter(text => text !== '').join('\n')
}

function paragraphsOf(xml: Uint8Array): string {
  const document = new DOMParser().parseFromString(new TextDecoder().decode(xml), 'text/xml')
  return [...document.getElementsByTagName('w:p')]
    .map(paragraph =>
      [...paragraph.querySelectorAll('*')]
        .map(({ tagName, textContent }) => (tagName === 'w:t' ? textContent : tagName === 'w:tab' ? '\t' : ''))
        .join('')
        .trim()
    )
    .filter(text => text !== '')
    .join('\n')
}

function titleOf(parts: Unzipped): string | undefined {
  const document = new DOMParser().parseFromString(
    new TextDecoder().decode(parts['docProps/core.xml'] ?? strToU8('<none/>')),
    'text/xml'
  )
  const title = document.getElementsByTagName('dc:title')[0]?.textContent?.trim() ?? ''
  return title === '' ? undefined : title
}
