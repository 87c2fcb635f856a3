import { createHash, type Hash, hash } from 'node:crypto'
import { type MeshError, type MeshErrorCode, toMeshError } from '@hedgerow/protocols/errors'
import type { Body } from '@hedgerow/protocols/invocation'

/** What a request that was served here is known by. */
export interface ServedHead {
  requestId: string
  /** who sent it, as its connection proves */
  peer: string
  /** as the backend hears it */
  caller: string
  service: string
  /** as in `POST /extract`; undefined when there is no such operation */
  operation: string | undefined
  method: string
  dataClass: string | undefined
  /** how many calls it was nested in */
  depth: number
}

/** One request that was served or refused here, when it is over. */
export interface Served extends ServedHead {
  request: Passed
  answer: Passed
  /** HTTP status; of a refusal, too */
  status: number
  outcome: 'answered' | MeshErrorCode
  /** milliseconds since 1970 */
  startedAt: number
  /** milliseconds */
  duration: number
}

/** What came by of a body. */
export interface Passed {
  bytes: number
  complete: boolean
  /** SHA-256 in hex; empty unless the answer was given to its end */
  sha256: string
}

const EMPTY = hash('sha256', '')

/** Measures a body as it passes. */
class Gauge {
  #bytes = 0
  #complete = false
  #whole: Uint8Array | undefined
  #hash: Hash | undefined

  whole(bytes: Uint8Array): void {
    this.#whole = bytes
    this.#bytes = bytes.byteLength
    this.#complete = true
  }

  add(bytes: Uint8Array): void {
    this.#bytes += bytes.byteLength
    this.#hash ??= createHash('sha256')
    this.#hash.update(bytes)
  }

  end(): void {
    this.#complete = true
  }

  /** To be asked once. @param digested a refusal isn't worth a hash of what was refused */
  passed(digested: boolean): Passed {
    return { bytes: this.#bytes, complete: this.#complete, sha256: digested ? this.#digest() : '' }
  }

  #digest(): string {
    if (this.#bytes === 0) return EMPTY
    // In one go: for a small body the object for several goes costs more than the hash.
    return this.#whole != null ? hash('sha256', this.#whole) : (this.#hash?.digest('hex') ?? EMPTY)
  }
}

/** Keeps account of one request from its head to the last byte of its answer, and tells it once. */
export class Account {
  readonly head: ServedHead
  readonly #request = new Gauge()
  readonly #answer = new Gauge()
  readonly #tell: (served: Served) => void
  readonly #startedAt = Date.now()
  readonly #begun = performance.now()
  #over = false
  /** of the answer, once there is one */
  status = 0

  constructor(head: ServedHead, tell: (served: Served) => void) {
    this.head = head
    this.#tell = tell
  }

  /** The same body, measured. */
  request(body: Body): Body {
    if (body == null) {
      this.#request.end()
      return body
    }
    if (body instanceof Uint8Array) {
      this.#request.whole(body)
      return body
    }
    return this.#measured(body)
  }

  /** The whole answer. */
  complete(bytes: Uint8Array): void {
    this.#answer.whole(bytes)
    this.end('answered')
  }

  /** An answer of ours in place of the service's. */
  refused({ code, status }: MeshError, bytes: Uint8Array): void {
    this.#answer.whole(bytes)
    this.status = status
    this.end(code)
  }

  /** The same answer, measured; it is over when that is. */
  async *answer(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let outcome: Served['outcome'] = 'ClientGone'
    try {
      for await (const piece of body) {
        this.#answer.add(piece)
        yield piece
      }
      this.#answer.end()
      outcome = 'answered'
    } catch (err) {
      outcome = toMeshError(err).code
      throw err
    } finally {
      this.end(outcome)
    }
  }

  end(outcome: Served['outcome']): void {
    if (this.#over) return
    this.#over = true
    this.#tell({
      ...this.head,
      request: this.#request.passed(outcome === 'answered'),
      answer: this.#answer.passed(outcome === 'answered'),
      status: this.status,
      outcome,
      startedAt: this.#startedAt,
      duration: performance.now() - this.#begun
    })
  }

  #measured(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    const gauge = this.#request
    return {
      [Symbol.asyncIterator]() {
        const source = body[Symbol.asyncIterator]()
        return {
          async next() {
            const result = await source.next()
            if (result.done === true) gauge.end()
            else gauge.add(result.value)
            return result
          },
          async return() {
            await source.return?.()
            return { done: true, value: undefined }
          }
        }
      }
    }
  }
}
