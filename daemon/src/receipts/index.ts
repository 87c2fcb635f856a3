/**
 * Receipts for the answers that this worker gave: what is needed for one is noted with each answer, and it is signed
 * when somebody asks. Kept for an hour, the last of them only.
 *
 * @example
 * ```ts
 * const receipts = new Receipts({ mesh, privateKey, peerId, now: () => performance.now() })
 * receipts.add(served)
 * const [jws] = await receipts.of(requestId, { to: peerThatSentIt })
 * ```
 */
import { signReceipt } from '@hedgerow/protocols/receipt'
import type { PrivateKey } from '@libp2p/interface'
import type { Served } from '../serving/index.ts'

export interface ReceiptsInit {
  mesh: string
  privateKey: PrivateKey
  /** of that key */
  peerId: string
  /** milliseconds of a clock that never goes back */
  now(): number
  /** answers that are remembered; of more, the oldest go. @default 10,000: about 10 MB */
  max?: number
}

/** Milliseconds that an answer is remembered. */
const MEMORY = 60 * 60_000
const MAX = 10_000
/** How much of them is left when there are too many. */
const KEPT = 0.9
/** Milliseconds between two looks for those that are too old. */
const SWEEP = 60_000
/** Answers under one request id: who sends an id over and over gets receipts for the last ones. */
const MAX_PER_REQUEST = 8

interface Noted {
  served: Served
  at: number
}

export class Receipts {
  readonly #init: ReceiptsInit
  /** by request id; those noted last at the end */
  readonly #noted = new Map<string, Noted[]>()
  #size = 0
  #sweptAt = 0

  constructor(init: ReceiptsInit) {
    this.#init = init
  }

  get size(): number {
    return this.#size
  }

  /** Notes what was answered to its end; of anything else there is nothing to vouch for. */
  add(served: Served): void {
    if (served.outcome !== 'answered') return
    const { now, max = MAX } = this.#init
    const at = now()
    const { requestId } = served
    const noted = this.#noted.get(requestId) ?? []
    this.#noted.delete(requestId)
    this.#noted.set(requestId, noted)
    if (noted.length === MAX_PER_REQUEST) noted.shift()
    else this.#size++
    noted.push({ served, at })
    if (this.#size > max) this.#forget(at, max * KEPT)
    else if (at - this.#sweptAt >= SWEEP) this.#forget(at, max)
  }

  /**
   * The receipts for one request, signed now: for the request itself before those for calls nested in it.
   *
   * @param to only those for the peer that sent it
   */
  async of(requestId: string, { to }: { to?: string } = {}): Promise<string[]> {
    const since = this.#init.now() - MEMORY
    const noted = (this.#noted.get(requestId) ?? [])
      .filter(({ served, at }) => at > since && (to == null || served.peer === to))
      .sort((a, b) => a.served.depth - b.served.depth)
    return Promise.all(noted.map(({ served }) => this.#sign(served)))
  }

  /** Many at a time: a map finds its oldest entry the slower, the more were taken out before it. */
  #forget(now: number, max: number): void {
    this.#sweptAt = now
    for (const [oldest, entries] of this.#noted) {
      const last = entries.at(-1)?.at ?? 0
      if (this.#size <= max && now - last < MEMORY) break
      this.#noted.delete(oldest)
      this.#size -= entries.length
    }
  }

  #sign(served: Served): Promise<string> {
    const { mesh, privateKey, peerId } = this.#init
    const { requestId, service, operation = '', caller, dataClass, depth, request, answer, status } = served
    const { startedAt, duration } = served
    return signReceipt(
      {
        worker: peerId,
        requestId,
        mesh,
        service,
        operation,
        caller,
        ...(dataClass == null ? {} : { dataClass }),
        depth,
        request,
        answer: { bytes: answer.bytes, sha256: answer.sha256 },
        status,
        startedAt,
        endedAt: startedAt + Math.round(duration)
      },
      privateKey
    )
  }
}
