import type { Dispatcher } from '@hedgerow/protocols/dispatch'
import { MeshError } from '@hedgerow/protocols/errors'
import { InvocationError, type Invoker } from '@hedgerow/protocols/invocation'
import { remotePeerOf } from '@hedgerow/protocols/invocation/node'
import { MAX_RECEIPT_LENGTH, openReceipt } from '@hedgerow/protocols/receipt'
import { Ajv } from 'ajv'
import type { FastifyPluginAsync } from 'fastify'
import { askPeer } from '../discovery/index.ts'
import type { Receipts } from '../receipts/index.ts'
import { bounded } from './bounded.ts'
import type { Self } from './index.ts'

/** `GET /receipts/{request_id}` */
export interface ReceiptsAnswer {
  request_id: string
  /** signed by the worker: compact JWS, for the request itself first */
  receipts: string[]
}

/** Milliseconds for the worker's answer. */
const ASK_TIMEOUT = 5000
/** Questions under way: whoever may ask this peer can make it ask others. */
const MAX_ASKS = 32
const MAX_RECEIPTS = 8
const MAX_BYTES = MAX_RECEIPTS * (MAX_RECEIPT_LENGTH + 64)

const checkAnswer = new Ajv().compile<Pick<ReceiptsAnswer, 'receipts'>>({
  type: 'object',
  required: ['receipts'],
  properties: {
    receipts: {
      type: 'array',
      minItems: 1,
      maxItems: MAX_RECEIPTS,
      items: { type: 'string', maxLength: MAX_RECEIPT_LENGTH }
    }
  }
})

const PATH = '/receipts/:id'
const schema = { tags: ['dispatch'], summary: 'What the worker signed of a request and its answer' }

/** As other peers ask: for the answers to their own requests. */
export function peerReceiptRoutes({ receipts }: { receipts: Receipts | undefined }): FastifyPluginAsync {
  return async app => {
    app.get<{ Params: { id: string } }>(PATH, { schema }, async (request): Promise<ReceiptsAnswer> => {
      const { id } = request.params
      const peer = remotePeerOf(request.raw)
      // The same for what isn't there and for what is another's: who asks learns nothing of others.
      const own = peer == null ? [] : await receipts?.of(id, { to: peer })
      if (own == null || own.length === 0)
        throw unknown(id, 'this worker gave you no answer to it within the last hour')
      return { request_id: id, receipts: own }
    })
  }
}

export interface ReceiptComponents {
  self: Pick<Self, 'peerId'>
  /** of answers given here; undefined on a peer that runs no services */
  receipts: Receipts | undefined
  dispatcher: Pick<Dispatcher, 'explain'>
  invoker: Invoker
}

/** As callers of this peer ask: for what was answered here, or by the worker that this peer sent the request to. */
export function receiptRoutes({ self, receipts, dispatcher, invoker }: ReceiptComponents): FastifyPluginAsync {
  const inBounds = bounded(MAX_ASKS, 'questions for receipts')
  return async app => {
    app.get<{ Params: { id: string } }>(PATH, { schema }, async (request): Promise<ReceiptsAnswer> => {
      const { id } = request.params
      const own = (await receipts?.of(id)) ?? []
      if (own.length > 0) return { request_id: id, receipts: own }
      const worker = dispatcher.explain(id)?.chosen
      if (worker == null || worker === self.peerId)
        throw unknown(
          id,
          'ask the peer where it entered within ten minutes, or the worker that answered within an hour'
        )
      return { request_id: id, receipts: await inBounds(() => fetchReceipts(invoker, worker, id)) }
    })
  }
}

/** @throws {MeshError} Unreachable, UnknownRequest, BadReceipt */
async function fetchReceipts(invoker: Invoker, worker: string, id: string): Promise<string[]> {
  const signal = AbortSignal.timeout(ASK_TIMEOUT)
  let answer: { status: number; body: Buffer }
  try {
    answer = await askPeer(invoker, worker, `/receipts/${encodeURIComponent(id)}`, { signal, maxBytes: MAX_BYTES })
  } catch (err) {
    if (!signal.aborted && !(err instanceof InvocationError)) throw err
    const why = signal.aborted ? `no answer within ${ASK_TIMEOUT / 1000} s` : String((err as Error).message)
    throw new MeshError('Unreachable', `the worker that has the receipt can't be reached: ${why}`, { peer_id: worker })
  }
  if (answer.status === 404) throw unknown(id, 'the worker that answered it does not remember it')
  const receipts = receiptsIn(answer.body)
  for (const jws of receipts ?? []) {
    const receipt = await openReceipt(jws).catch(() => undefined)
    if (receipt?.worker !== worker || receipt.requestId !== id) throw bad(worker)
  }
  if (receipts == null) throw bad(worker)
  return receipts
}

export function receiptsIn(body: Buffer): string[] | undefined {
  try {
    const answer: unknown = JSON.parse(body.toString())
    return checkAnswer(answer) ? answer.receipts : undefined
  } catch {
    return undefined
  }
}

function unknown(id: string, hint: string): MeshError {
  return new MeshError('UnknownRequest', `there is no receipt for request ${id.slice(0, 64)} here: ${hint}`)
}

function bad(worker: string): MeshError {
  return new MeshError('BadReceipt', 'what the worker sent is no receipt for this request that it signed', {
    peer_id: worker
  })
}
