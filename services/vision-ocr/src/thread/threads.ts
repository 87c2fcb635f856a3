import { ServiceError } from '@hedgerow/service-kit'
import { Piscina } from 'piscina'
import { THREAD_HEAP, THREAD_TIME_LIMIT } from '../limits.ts'
import { Turns } from '../turns.ts'
import type * as Worker from './worker.ts'

type Tasks = typeof Worker
type Task<Name extends keyof Tasks> = Parameters<Tasks[Name]>[0]
type Result<Name extends keyof Tasks> = Awaited<ReturnType<Tasks[Name]>>

/** milliseconds; an idle thread gives back the memory that its last page took */
const IDLE = 30_000

/** Threads that run the tasks of `worker.ts`; one that takes too long, or too much memory, is replaced. */
export class Threads {
  readonly #pool: Piscina
  // the time limit starts with the task: waiting for a thread doesn't count
  readonly #turns: Turns<symbol>

  constructor(threads: number) {
    this.#turns = new Turns(Array.from({ length: threads }, () => Symbol()))
    this.#pool = new Piscina({
      filename: new URL(`./worker${import.meta.filename.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url).href,
      minThreads: 0,
      maxThreads: threads,
      idleTimeout: IDLE,
      resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP },
      env: {}
    })
  }

  /** @throws {ServiceError} 422 when the document is too much for a thread; the signal's reason when it aborts */
  run<Name extends keyof Tasks>(name: Name, task: Task<Name>, signal: AbortSignal): Promise<Result<Name>> {
    return this.#turns.lend(signal, async () => {
      const limit = AbortSignal.timeout(THREAD_TIME_LIMIT)
      try {
        return await this.#pool.run(task, { name, signal: AbortSignal.any([signal, limit]) })
      } catch (err) {
        signal.throwIfAborted()
        throw new ServiceError(422, 'DocumentTooComplex', 'a page takes too much time or memory', {}, err)
      }
    })
  }

  async close(): Promise<void> {
    await this.#pool.destroy()
  }
}
