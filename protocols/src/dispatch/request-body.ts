import { MeshError } from '../errors/index.ts'
import type { Body } from '../invocation/index.ts'
import { REPLAY_LIMIT } from './constants.ts'

/** What the dispatcher sends of a caller's body, and can send again. */
export interface RequestBody {
  /** whether it can be sent (once more) from its start */
  readonly replayable: boolean
  /** whether all of it is here already */
  readonly complete: boolean
  /** the body from its start, for one attempt */
  open(progress: Progress): Body
  /** nothing more will be sent again */
  settle(): void
  /** the exchange is over: nothing more will be read */
  close(): void
}

/** Who follows the sending of a body. */
export interface Progress {
  /** nothing can be sent until the caller goes on */
  starved(): void
  /** the caller went on; this much is about to be sent, or (0) there is no more */
  fed(bytes: number): void
}

/**
 * @param limit bytes
 * @param broke called when a streamed body turns out to be too large, or its source fails: there is no use in sending it
 * @throws {MeshError} `BodyTooLarge` when that is known at once
 */
export function requestBody(body: Body, limit: number, broke: (error: MeshError) => void): RequestBody {
  if (body != null && Symbol.asyncIterator in body) return new StreamedBody(body, limit, broke)
  if (body != null && body.byteLength > limit) throw tooLarge(limit)
  return { replayable: true, complete: true, open: () => body, settle: nothing, close: nothing }
}

export function tooLarge(limit: number): MeshError {
  return new MeshError('BodyTooLarge', `this operation takes bodies up to ${limit} bytes`, { limit, retry_safe: true })
}

/**
 * A body that is read once from its source and can be sent several times: what was read is kept, up to a limit, while it
 * is on its way, so that keeping it delays nothing.
 */
class StreamedBody implements RequestBody {
  complete = false
  private readonly source: AsyncIterator<Uint8Array>
  private readonly limit: number
  private readonly broke: (error: MeshError) => void
  /** what was read, from byte 0 while it can be replayed, else what the reader hasn't taken yet */
  private kept: Uint8Array[] = []
  /** chunks that were read and aren't kept any more */
  private dropped = 0
  private size = 0
  private keeping = true
  /** one read from the source at a time, whoever waits for it */
  private pull: Promise<void> | undefined
  private failure: MeshError | undefined

  constructor(body: AsyncIterable<Uint8Array>, limit: number, broke: (error: MeshError) => void) {
    this.source = body[Symbol.asyncIterator]()
    this.limit = limit
    this.broke = broke
  }

  get replayable(): boolean {
    return this.dropped === 0 && this.failure == null
  }

  async *open(progress: Progress): AsyncGenerator<Uint8Array> {
    for (let next = 0; ; next++) {
      while (next >= this.dropped + this.kept.length) {
        if (this.complete) return
        if (this.failure != null) throw this.failure
        progress.starved()
        this.pull ??= this.read()
        await this.pull
        progress.fed(this.kept[next - this.dropped]?.byteLength ?? 0)
      }
      const chunk = this.kept[next - this.dropped]
      // An attempt that was given up reads on after the next one took over what is no longer kept.
      if (chunk == null) return
      if (!this.keeping) this.drop(next + 1)
      yield chunk
    }
  }

  settle(): void {
    this.keeping = false
  }

  /** The source stays open: it may be a socket on which the answer has yet to go out. */
  close(): void {
    this.settle()
    this.kept = []
  }

  private async read(): Promise<void> {
    try {
      const { done, value } = await this.source.next()
      if (done === true) this.complete = true
      else this.keep(value)
    } catch (err) {
      this.failure =
        err instanceof MeshError
          ? err
          : new MeshError('ClientGone', 'the request body broke off', { retry_safe: false }, { cause: err })
      this.broke(this.failure)
    } finally {
      this.pull = undefined
    }
  }

  private keep(chunk: Uint8Array): void {
    this.size += chunk.byteLength
    if (this.size > this.limit) throw tooLarge(this.limit)
    if (this.size > REPLAY_LIMIT) this.keeping = false
    this.kept.push(chunk)
  }

  private drop(until: number): void {
    this.kept.splice(0, until - this.dropped)
    this.dropped = until
  }
}

function nothing(): void {}
