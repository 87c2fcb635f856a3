import type { MeshError } from '../errors/index.ts'
import { HEADERS } from '../ids/index.ts'
import type { Headers, IncomingAnswer, Invoker, OutgoingRequest } from '../invocation/index.ts'
import type { AttemptSpan } from '../tracing/index.ts'
import { AnswerStream, type StreamOwner } from './answer-stream.ts'
import { PING_INTERVAL, SIGN_OF_LIFE, WITHHOLD_LIMIT } from './constants.ts'
import type { Pending, Prospect } from './experience.ts'
import { answerHeaders, single } from './headers.ts'
import { type Failure, failure, failureIn, failureOf, meshErrorIn } from './outcome.ts'
import type { AttemptRecord } from './records.ts'
import type { Progress } from './request-body.ts'

export interface Answered {
  kind: 'answered'
  status: number
  headers: Headers
  /** the whole body, when it is here */
  complete?: Uint8Array
  body: AsyncIterable<Uint8Array>
}

/** Given up for a reason that is not the worker's. */
export interface Abandoned {
  kind: 'abandoned'
  reason: Abandonment
}

/** - `Outrun`: another worker answered first */
export type Abandonment = 'ClientGone' | 'Deadline' | 'BodyTooLarge' | 'Outrun'

export type Result = Answered | Failure | Abandoned

export interface AttemptInit {
  prospect: Prospect
  record: AttemptRecord
  now(): number
  /** milliseconds */
  firstByteTimeout: number
  chunkTimeout: number
  /** whether a small answer is kept back until it is complete */
  withhold: boolean
  span: AttemptSpan | undefined
}

/** Who sent the attempt. */
export interface AttemptOwner {
  /** once: there is an answer to hand on, or there will be none */
  settled(attempt: Attempt, result: Result): void
  /** once, after an answer: its body was read to the end (no failure), or was not */
  finished(attempt: Attempt, end: Failure | Abandoned | undefined): void
  /** the worker may have stopped responding */
  doubted(attempt: Attempt): void
  /** it wants to be told when it is `time` */
  wake(time: number): void
  /** a failure in the words for the caller */
  explain(failure: Failure): MeshError
}

/** One request to one worker, from sending it to the last byte of the answer. It ends once, whatever else happens. */
export class Attempt implements Pending, Progress, StreamOwner {
  readonly prospect: Prospect
  readonly record: AttemptRecord
  readonly startedAt: number
  readonly span: AttemptSpan | undefined
  /** when the worker will have made us wait for too long */
  dueAt = Infinity
  /** when the head of the answer came */
  headAt: number | undefined
  /** milliseconds that the worker took to it, from when it had the request */
  firstByte: number | undefined
  private readonly init: AttemptInit
  private readonly owner: AttemptOwner
  private readonly controller = new AbortController()
  private waitingSince: number
  private isWaiting = true
  private isStarved = false
  /** bytes sent since the last sign of life that sending gave */
  private unnoticed = 0
  private settled = false
  private over = false
  private stream: AnswerStream | undefined

  constructor(init: AttemptInit, owner: AttemptOwner) {
    this.init = init
    this.owner = owner
    this.prospect = init.prospect
    this.record = init.record
    this.span = init.span
    this.startedAt = init.now()
    this.waitingSince = this.startedAt
  }

  start(invoke: Invoker['invoke'], request: OutgoingRequest): void {
    this.setClock()
    this.perform(invoke, request).then(
      result => this.settle(result),
      err => this.settle(failureOf(err))
    )
  }

  /** It is time. */
  late(): void {
    const { firstByteTimeout, chunkTimeout } = this.init
    this.stop(
      this.firstByte == null
        ? failure('FirstByteTimeout', `no answer had begun after ${firstByteTimeout / 1000} s`)
        : failure('ChunkTimeout', `the answer stalled for ${chunkTimeout / 1000} s`)
    )
  }

  doubted(): void {
    if (this.headAt == null) this.owner.doubted(this)
  }

  wedged(): void {
    this.stop(failure('WorkerWedged', 'the worker stopped answering pings with the request in hand'))
  }

  /** @param error what a caller is told that reads already */
  abandon(reason: Abandonment, error?: MeshError): void {
    this.stop({ kind: 'abandoned', reason }, error)
  }

  // The request's body, as it is sent.

  starved(): void {
    this.isStarved = true
    this.setClock()
  }

  fed(bytes: number): void {
    if (this.over) return
    this.isStarved = false
    this.setClock()
    // A link that is full of our upload delays pings; that it moves shows that somebody takes it in. What only fills
    // buffers shows nothing, so neither a new upload nor a trickle counts.
    this.unnoticed += bytes
    if (this.unnoticed < SIGN_OF_LIFE || this.init.now() - this.startedAt < PING_INTERVAL) return
    this.unnoticed = 0
    this.heard()
  }

  // The answer's body, as the caller reads it.

  waiting(): void {
    this.isWaiting = true
    this.setClock()
  }

  received(): void {
    this.isWaiting = false
    this.setClock()
    this.heard()
  }

  ended(): void {
    this.end(undefined)
  }

  broke(err: unknown): MeshError {
    const reason = failureOf(err)
    this.end(reason)
    return this.owner.explain(reason)
  }

  left(): void {
    this.end({ kind: 'abandoned', reason: 'ClientGone' })
    this.controller.abort()
  }

  private async perform(invoke: Invoker['invoke'], request: OutgoingRequest): Promise<Result> {
    const answer = await invoke(this.prospect.peer.peerId, request, { signal: this.controller.signal })
    this.headAt = this.init.now()
    this.firstByte = this.headAt - this.waitingSince
    this.record.status = answer.status
    this.record.route = answer.route
    this.heard()
    this.setClock()
    const code = meshErrorIn(single(answer.headers, HEADERS.error))
    if (code != null) return failureIn(code, answer)
    const headers = answerHeaders(answer.headers)
    const { status, complete, body } = answer
    if (complete != null) return { kind: 'answered', status, headers, complete, body }
    const source = body[Symbol.asyncIterator]()
    if (!this.init.withhold || flowsAtOnce(answer))
      return { kind: 'answered', status, headers, body: this.open([], source) }
    const chunks: Uint8Array[] = []
    for (let size = 0; size <= WITHHOLD_LIMIT; ) {
      const { done, value } = await source.next()
      this.heard()
      this.setClock()
      if (done === true) {
        const complete = join(chunks, size)
        return { kind: 'answered', status, headers, complete, body: once(complete) }
      }
      size += value.byteLength
      chunks.push(value)
    }
    return { kind: 'answered', status, headers, body: this.open(chunks, source) }
  }

  private open(withheld: Uint8Array[], source: AsyncIterator<Uint8Array>): AnswerStream {
    this.isWaiting = false
    this.setClock()
    this.stream = new AnswerStream(withheld, source, this)
    return this.stream
  }

  /** The clock runs only while the worker is waited for: not while a slow caller is. */
  private setClock(): void {
    if (this.over || this.isStarved || !this.isWaiting) {
      this.dueAt = Infinity
      return
    }
    this.waitingSince = this.init.now()
    this.dueAt = this.waitingSince + (this.firstByte == null ? this.init.firstByteTimeout : this.init.chunkTimeout)
    this.owner.wake(this.dueAt)
  }

  private heard(): void {
    const { heartbeat } = this.prospect.peer
    heartbeat.aliveAt = this.init.now()
    heartbeat.missed = 0
    heartbeat.doubtful = false
  }

  private settle(result: Result): void {
    if (this.settled) return
    this.settled = true
    if (result.kind !== 'answered' || result.complete != null) {
      this.over = true
      this.dueAt = Infinity
    }
    this.owner.settled(this, result)
  }

  private stop(reason: Failure | Abandoned, error?: MeshError): void {
    if (this.over) return
    if (this.settled) {
      this.end(reason)
      const told = error ?? (reason.kind === 'abandoned' ? undefined : this.owner.explain(reason))
      if (told != null) this.stream?.fail(told)
    } else {
      this.settle(reason)
    }
    this.controller.abort()
  }

  private end(reason: Failure | Abandoned | undefined): void {
    if (this.over) return
    this.over = true
    this.dueAt = Infinity
    this.owner.finished(this, reason)
  }
}

const EVENTS = /^(text\/event-stream|application\/(x-ndjson|jsonl|json-seq))\b/i

/** Events are read as they come; what is known to be large can't be kept back anyway. */
function flowsAtOnce({ headers }: IncomingAnswer): boolean {
  if (EVENTS.test(single(headers, 'content-type') ?? '')) return true
  return Number(single(headers, 'content-length') ?? 0) > WITHHOLD_LIMIT
}

function join(chunks: Uint8Array[], size: number): Uint8Array {
  const [first] = chunks
  if (first != null && chunks.length === 1) return first
  const whole = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.byteLength
  }
  return whole
}

async function* once(content: Uint8Array): AsyncGenerator<Uint8Array> {
  if (content.byteLength > 0) yield content
}
