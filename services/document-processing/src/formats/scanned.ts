import type { PdfPage } from '@hedgerow/service-kit/pdf'

/** Letters and digits; a page with fewer has hardly any text: a stamp, a fax header, a number put on each page. */
const HARDLY_ANY = 100
/** Share of a page that pictures cover when it may be a scan; a letterhead's logo covers less. */
const SCAN_COVERAGE = 0.3
/** Share of characters that mean nothing, when the fonts don't say which letters their shapes are. */
const MOST_UNREADABLE = 0.2

/** Whether a page must be read by OCR, because its text layer is missing, says hardly anything, or is unreadable. */
export function isScanned({ text, imageCoverage, hasGraphics }: Omit<PdfPage, 'imageDpi'>): boolean {
  const visible = count(text, /\S/gu)
  const unreadable = count(text, /[\uFFFD\p{Co}\p{Cn}]|(?!\s)\p{Cc}/gu)
  if (visible > 0 && unreadable / visible > MOST_UNREADABLE) return true
  const letters = count(text, /[\p{L}\p{N}]/gu)
  // letters drawn as shapes, or a picture of any size
  if (letters === 0) return hasGraphics
  return letters < HARDLY_ANY && imageCoverage >= SCAN_COVERAGE
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0
}
