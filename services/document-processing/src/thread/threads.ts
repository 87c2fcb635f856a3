import { ServiceError } from '@hedgerow/service-kit'
import { Piscina } from 'piscina'
import { STATUS } from '../errors.ts'
import { THREAD_HEAP, THREAD_TIME_LIMIT, THREADS } from '../limits.ts'
import { Gate } from './gate.ts'
import type { Outcome, ReadResult, ReadTask, RenderTask } from './task.ts'

/** milliseconds; an idle thread gives back the memory that its last document took */
const IDLE = 30_000

export interface ThreadsInit {
  /** milliseconds of one task. @default THREAD_TIME_LIMIT */
  timeLimit?: number
  /** MB of JavaScript heap for each thread. @default THREAD_HEAP */
  heap?: number
}

/** Worker threads that read documents, each with limits on time and memory; one that breaks them is replaced. */
export class Threads {
  readonly #pool: Piscina<ReadTask | RenderTask, Outcome<ReadResult & Uint8Array>>
  // the time limit starts with the task, so that none spends it waiting in the pool's own queue
  readonly #gate = new Gate(THREADS)
  readonly #timeLimit: number
  #ended = 0

  constructor(init: ThreadsInit = {}) {
    this.#timeLimit = init.timeLimit ?? THREAD_TIME_LIMIT
    this.#pool = new Piscina({
      filename: new URL('./worker.ts', import.meta.url).href,
      minThreads: 0,
      maxThreads: THREADS,
      idleTimeout: IDLE,
      resourceLimits: { maxOldGenerationSizeMb: init.heap ?? THREAD_HEAP },
      env: {}
    })
  }

  /** threads ended because a document took too long or too much memory */
  get ended(): number {
    return this.#ended
  }

  /** @throws {ServiceError} what is wrong with the document; also the signal's reason */
  read(task: ReadTask, signal: AbortSignal): Promise<ReadResult> {
    return this.#run(task, signal)
  }

  /**
   * A page as PNG.
   *
   * @throws {ServiceError} what is wrong with the document; also the signal's reason
   */
  render(task: RenderTask, signal: AbortSignal): Promise<Uint8Array> {
    return this.#run(task, signal)
  }

  async close(): Promise<void> {
    await this.#pool.destroy()
  }

  #run(task: ReadTask | RenderTask, signal: AbortSignal): Promise<ReadResult & Uint8Array> {
    return this.#gate.run(signal, async () => {
      const limit = AbortSignal.timeout(this.#timeLimit)
      const outcome = await this.#pool.run(task, { signal: AbortSignal.any([signal, limit]) }).catch((err: unknown) => {
        signal.throwIfAborted()
        throw this.#ending(err, limit.aborted)
      })
      if (!outcome.ok) throw new ServiceError(STATUS[outcome.code], outcome.code, outcome.detail)
      return outcome.value
    })
  }

  #ending(err: unknown, tooLong: boolean): unknown {
    if (tooLong) {
      this.#ended++
      return new ServiceError(504, 'TimedOut', `the document takes longer than ${this.#timeLimit / 1000} s to read`)
    }
    const code = err instanceof Error && 'code' in err ? err.code : undefined
    if (code !== 'ERR_WORKER_OUT_OF_MEMORY') return err
    this.#ended++
    return new ServiceError(422, 'DocumentTooComplex', 'the document takes more memory to read than there is')
  }
}
