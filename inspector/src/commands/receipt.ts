import { openReceipt, type Receipt } from '@hedgerow/protocols/receipt'
import { InspectorError } from '../errors.ts'
import type { MeshSource } from '../source/index.ts'

export interface ReceiptReport {
  request_id: string
  /** compact JWS, for the request itself first, then for calls nested in it */
  receipts: string[]
}

/** Fetches what a worker signed of a request; each is checked before it is shown. */
export async function fetchReceipts(
  source: MeshSource,
  requestId: string,
  signal: AbortSignal
): Promise<ReceiptReport> {
  const receipts = await source.receipts(requestId, signal)
  for (const jws of receipts) {
    const receipt = await openReceipt(jws).catch((err): Receipt => {
      throw new InspectorError('Failed', `${source.via.name} gives a receipt that is not good: ${err.message}`)
    })
    if (receipt.requestId !== requestId)
      throw new InspectorError('Failed', `${source.via.name} gives a receipt for another request`)
  }
  return { request_id: requestId, receipts }
}
