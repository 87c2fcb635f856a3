/** What one request may cost; the README gives the reasons to those who send. */

/** bytes */
export const BODY_LIMIT = 25 * 1024 * 1024
/** A4 at 900 dpi, and what the telephones of today take */
export const MAX_PIXELS = 80_000_000
/** of one PDF or TIFF: two at once, at 3 s each, they take 3 minutes */
export const MAX_PAGES = 100
/** pixels that Tesseract is given of a page: A4 at 400 dpi has 15 million */
export const MAX_READ_PIXELS = 20_000_000
/** pixels of a side: Tesseract reads no further than 32,767, and a picture that is straightened grows a little */
export const MAX_READ_SIDE = 30_000

/** dots per inch of a rendered page, unless it is a scan: then as it was scanned, within bounds */
export const PDF_DPI = 300
export const SCAN_DPI = { least: 150, most: 400 }

/** milliseconds of rendering or measuring one page in a thread, after which the thread is ended */
export const THREAD_TIME_LIMIT = 60_000
/** MB of JavaScript heap for each thread; past it the thread ends, the process doesn't */
export const THREAD_HEAP = 256
