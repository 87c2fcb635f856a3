import { ServiceError } from '@hedgerow/service-kit'
import { STATUS } from '../errors.ts'
import { PROCESS_HEAP, PROCESSES, TASK_TIME_LIMIT } from '../limits.ts'
import { Gate } from './gate.ts'
import { Reader, ReaderEnded } from './reader.ts'
import type { ReadResult, ReadTask, RenderTask } from './task.ts'

/** milliseconds; an idle process gives back the memory that its last document took */
const IDLE = 30_000

export interface ProcessesInit {
  /** milliseconds of one task. @default TASK_TIME_LIMIT */
  timeLimit?: number
  /** MB of JavaScript heap for each process. @default PROCESS_HEAP */
  heap?: number
}

/** A document in the hands of a process of its own. */
export interface OpenDocument {
  /** @throws {ServiceError} what is wrong with the document; also the signal's reason */
  read(task: ReadTask, signal: AbortSignal): Promise<ReadResult>
  /**
   * A page as PNG.
   *
   * @throws {ServiceError} what is wrong with the document; also the signal's reason
   */
  render(task: RenderTask, signal: AbortSignal): Promise<Uint8Array>
}

interface Idle {
  reader: Reader
  timer: NodeJS.Timeout
}

/** Processes that read documents, each with limits on time and memory; one that breaks them is replaced. */
export class Processes {
  readonly #gate = new Gate(PROCESSES)
  readonly #timeLimit: number
  readonly #heap: number
  readonly #idle: Idle[] = []
  readonly #busy = new Set<Reader>()
  #ended = 0
  #closed = false

  constructor({ timeLimit = TASK_TIME_LIMIT, heap = PROCESS_HEAP }: ProcessesInit = {}) {
    this.#timeLimit = timeLimit
    this.#heap = heap
  }

  /** processes that ended because a document took too long or too much memory */
  get ended(): number {
    return this.#ended
  }

  /**
   * Lends a process to one document for as long as `work` takes.
   *
   * @throws what `work` throws; the signal's reason when it aborts before there is a process
   */
  open<T>(bytes: Uint8Array, signal: AbortSignal, work: (document: OpenDocument) => Promise<T>): Promise<T> {
    return this.#gate.run(signal, async () => {
      const reader = this.#take()
      this.#busy.add(reader)
      try {
        await reader.give(bytes, signal)
        return await work({
          read: (task, until) => this.#run(reader, task, until) as Promise<ReadResult>,
          render: (task, until) => this.#run(reader, task, until) as Promise<Uint8Array>
        })
      } finally {
        this.#busy.delete(reader)
        this.#putBack(reader)
      }
    })
  }

  close(): void {
    this.#closed = true
    for (const { reader, timer } of this.#idle.splice(0)) {
      clearTimeout(timer)
      reader.kill()
    }
    for (const reader of this.#busy) reader.kill()
  }

  #take(): Reader {
    for (;;) {
      const idle = this.#idle.pop()
      if (idle == null) return new Reader({ heap: this.#heap })
      clearTimeout(idle.timer)
      if (idle.reader.free) return idle.reader
    }
  }

  #putBack(reader: Reader): void {
    if (this.#closed || !reader.free) {
      reader.kill()
      return
    }
    const timer = setTimeout(() => {
      this.#idle.splice(
        this.#idle.findIndex(idle => idle.reader === reader),
        1
      )
      reader.kill()
    }, IDLE).unref()
    this.#idle.push({ reader, timer })
  }

  async #run(reader: Reader, task: ReadTask | RenderTask, signal: AbortSignal): Promise<ReadResult | Uint8Array> {
    const limit = AbortSignal.timeout(this.#timeLimit)
    try {
      const answer = await reader.ask({ task }, AbortSignal.any([signal, limit]))
      if ('failed' in answer) throw Object.assign(new Error(answer.failed.message), { stack: answer.failed.stack })
      if ('started' in answer) throw new Error('a reading process started twice')
      const { outcome } = answer
      if (outcome.ok) return outcome.value
      throw new ServiceError(STATUS[outcome.code], outcome.code, outcome.detail)
    } catch (err) {
      signal.throwIfAborted()
      if (limit.aborted) {
        this.#ended++
        throw new ServiceError(504, 'TimedOut', `the document takes longer than ${this.#timeLimit / 1000} s to read`)
      }
      if (!(err instanceof ReaderEnded)) throw err
      this.#ended++
      throw new ServiceError(
        422,
        'DocumentTooComplex',
        'the document takes more memory to read than there is, or breaks what reads it',
        {},
        err
      )
    }
  }
}
