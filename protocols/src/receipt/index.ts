/**
 * What a worker says of one answer that it gave, signed: which request, which service, what came in and went out (as
 * digests), when. A compact JWS with EdDSA, so that any JWT library checks it; the key is the worker's own, and a peer id
 * is that key, so that nothing else is needed.
 *
 * @example
 * ```ts
 * const jws = await signReceipt(receipt, privateKey)
 * const { worker, answer } = await openReceipt(jws) // throws InvalidReceipt
 * answer.sha256 === sha256(bytes)
 * ```
 */
export { InvalidReceipt, openReceipt, signReceipt } from './jws.ts'

/** The JOSE `typ`: no other statement of a peer can be taken for a receipt. */
export const RECEIPT_TYPE = 'hedgerow-receipt+jwt'

/** Characters of a receipt; a longer one is none. */
export const MAX_RECEIPT_LENGTH = 4096

/** Bytes as they passed the worker, and their SHA-256 in hex. */
export interface Digest {
  bytes: number
  sha256: string
}

export interface Receipt {
  /** peer id of who signed */
  worker: string
  requestId: string
  mesh: string
  service: string
  /** as in `POST /extract` */
  operation: string
  /** who called, as the worker could tell: `peer/<id>`, or `service/<name>` */
  caller: string
  dataClass?: string
  /** how many calls the request was nested in */
  depth: number
  /** of a body that the backend didn't want to the end, as far as it was read */
  request: Digest & { complete: boolean }
  answer: Digest
  /** HTTP status of the answer */
  status: number
  /** milliseconds since 1970, by the worker's clock */
  startedAt: number
  endedAt: number
}
