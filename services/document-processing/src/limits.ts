/** What one request may cost; the README gives the reasons to those who send. */

/** bytes: some 100 pages scanned in colour at 300 dpi, which is as much as is read by OCR in one request */
export const MAX_BODY = 50 * 1024 * 1024
/** of a PDF; a bundle for court has a few hundred */
export const MAX_PAGES = 2_000
/** Pages read by OCR for one request: at 3 to 6 s each, two or three at once, 100 are done within `first_byte_s`. */
export const MAX_OCR_PAGES = 100
/** UTF-16 code units of the whole text; it is answered three times: whole, by pages, by chunks */
export const MAX_TEXT = 5_000_000
/** milliseconds of reading or rendering, after which the process that does it is ended */
export const TASK_TIME_LIMIT = 60_000
/** milliseconds for the whole of a request; below `first_byte_s` of the manifest, so that the answer says why */
export const REQUEST_TIME_LIMIT = 590_000
/** as many as the manifest admits requests */
export const PROCESSES = 2
/** MB of JavaScript heap for each of them; past it that process ends, the service doesn't */
export const PROCESS_HEAP = 256

/** bytes of markup that a DOCX unpacks to; 500 pages have some 10 MB */
export const MAX_DOCX_MARKUP = 32 * 1024 * 1024
/** bytes that a DOCX says it unpacks to, pictures included */
export const MAX_DOCX_UNPACKED = 512 * 1024 * 1024
/** elements of its markup, each of which becomes several objects; 500 pages have some 150,000 */
export const MAX_DOCX_ELEMENTS = 200_000
export const MAX_DOCX_ENTRIES = 5_000
/** bytes */
export const MAX_HTML = 8 * 1024 * 1024
/** each takes about a kB of a process's heap */
export const MAX_HTML_ELEMENTS = 200_000
/** elements within each other; browsers show the first 512, and sloppy mail never closes what it opens */
export const MAX_HTML_NESTING = 6_000
/** pixels; the photographs of today's telephones have 12 to 50 million */
export const MAX_PICTURE_PIXELS = 60_000_000

/** dots per inch at which pages are rendered: below 200 small print is lost, above 300 nothing is won */
export const MIN_DPI = 200
export const MAX_DPI = 300
/** pixels of a picture sent to OCR: A4 at 400 dpi */
export const MAX_OCR_PIXELS = 16_000_000

/** Pages of one document rendered and read at once: enough to keep two OCR workers busy, too few to crowd out others. */
export const OCR_AT_ONCE = 3
/** A page refused because all OCR workers are busy is tried again so often before the document is refused. */
export const OCR_ATTEMPTS = 6

/** UTF-16 code units of a chunk: about 200 words, small enough to be about one thing */
export const CHUNK_SIZE = 1_200
export const MIN_CHUNK_SIZE = 200
export const MAX_CHUNK_SIZE = 8_000
