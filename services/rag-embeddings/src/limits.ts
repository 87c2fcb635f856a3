/** What one instance takes on, so that no caller can fill a volunteer's disk. Sizes in bytes unless they say otherwise. */
export const MAX_DOCUMENT = 4 * 1024 * 1024
/** JSON may write one byte of text as six (\\u00e9) */
export const MAX_UPLOAD = 8 * 1024 * 1024
export const MAX_METADATA = 16 * 1024
export const MAX_METADATA_FIELDS = 64
export const MAX_COLLECTIONS = 64
export const MAX_DOCUMENTS_PER_COLLECTION = 20_000
export const MAX_PASSAGES_PER_COLLECTION = 100_000
/** characters */
export const MAX_QUERY = 4000
export const MAX_TOP_K = 50
export const MAX_EMBED_TEXTS = 256
/** characters */
export const MAX_EMBED_TEXT = 100_000
/** documents of one page of a list */
export const MAX_PAGE = 500

/** Instances send each other documents in batches of about this size, and a batch holds at least one. */
export const BATCH_BYTES = 4 * 1024 * 1024
export const BATCH_DOCUMENTS = 200
/** entries of one page when copies are compared */
export const ENTRIES_PAGE = 5000
/** The vectors of a document go along with it unless they are longer than this; they can be computed again. */
export function maxSentVectors(characters: number): number {
  return 1024 + 2 * characters
}
/** a document of {@link MAX_DOCUMENT} on top of a full batch, as JSON, with vectors */
export const MAX_BATCH_BODY =
  6 * (BATCH_BYTES + MAX_DOCUMENT) + maxSentVectors(BATCH_BYTES + MAX_DOCUMENT) + BATCH_DOCUMENTS * maxSentVectors(0)
/** Milliseconds that a write waits for the vectors of its document; those that aren't done then follow. */
export const WAIT_FOR_VECTORS = 10_000
