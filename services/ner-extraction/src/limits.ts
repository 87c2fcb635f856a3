/** What one request may cost; the README gives the reasons to those who send. */

/** UTF-16 units; some 300 pages */
export const MAX_TEXT = 1_000_000
/** bytes: a text of that length, even where JSON escapes every letter of it */
export const BODY_LIMIT = 6 * 1024 * 1024
/** of one answer, which takes some 5 MB then; 300 pages of letters have 20,000 */
export const MAX_ENTITIES = 50_000
/** milliseconds that one text may take, the turns of others included */
export const TIME_LIMIT = 30_000
