import type { MeshError } from '../errors/index.ts'

/** Who follows the reading of an answer's body. */
export interface StreamOwner {
  /** the reader waits for the worker */
  waiting(): void
  /** the worker went on; the rest waits for the reader */
  received(): void
  /** it is complete */
  ended(): void
  /** @returns what the reader is told */
  broke(err: unknown): MeshError
  /** the reader left before the end */
  left(): void
}

/**
 * An answer's body on its way to the caller: what was withheld of it, then the rest as the caller reads it. It can be
 * made to fail while a read waits for a worker that says nothing any more.
 */
export class AnswerStream implements AsyncIterableIterator<Uint8Array> {
  private readonly withheld: Uint8Array[]
  private readonly source: AsyncIterator<Uint8Array>
  private readonly owner: StreamOwner
  private over = false
  private error: MeshError | undefined
  private rejectRead: ((error: MeshError) => void) | undefined

  constructor(withheld: Uint8Array[], source: AsyncIterator<Uint8Array>, owner: StreamOwner) {
    this.withheld = withheld
    this.source = source
    this.owner = owner
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    if (this.error != null) {
      const { error } = this
      this.error = undefined
      return Promise.reject(error)
    }
    if (this.over) return Promise.resolve({ done: true, value: undefined })
    const value = this.withheld.shift()
    if (value != null) return Promise.resolve({ done: false, value })
    return new Promise((resolve, reject) => this.read(resolve, reject))
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    if (!this.over) {
      this.over = true
      this.owner.left()
      // The exchange is being aborted; that its source ends in an error is no news.
      this.source.return?.().catch(() => {})
    }
    return Promise.resolve({ done: true, value: undefined })
  }

  /** Ends it: the read under way fails, or the next one. */
  fail(error: MeshError): void {
    if (this.over) return
    this.over = true
    if (this.rejectRead == null) this.error = error
    else this.rejectRead(error)
  }

  private read(resolve: (step: IteratorResult<Uint8Array>) => void, reject: (error: MeshError) => void): void {
    this.rejectRead = reject
    this.owner.waiting()
    this.source.next().then(
      step => {
        if (this.over) return
        this.rejectRead = undefined
        this.owner.received()
        if (step.done === true) {
          this.over = true
          this.owner.ended()
        }
        resolve(step)
      },
      err => {
        if (this.over) return
        this.over = true
        reject(this.owner.broke(err))
      }
    )
  }
}
