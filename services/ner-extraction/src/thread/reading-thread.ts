import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { ServiceError } from '@hedgerow/service-kit'
import type { EntityType } from '../entity.ts'
import { MAX_ENTITIES } from '../limits.ts'
import type { FromThread, ReadTask, Sizes, ToThread } from './messages.ts'

export interface Read {
  /** `{entities}` as JSON */
  json: Uint8Array
  found: ReadonlyMap<EntityType, number>
}

interface Waiting {
  resolve(read: Read): void
  reject(reason: unknown): void
}

/** A thread that reads texts, so that the service's own has time for whoever asks how it is. */
export class ReadingThread {
  readonly sizes: Sizes
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #last = 0

  private constructor(worker: Worker, sizes: Sizes) {
    this.#worker = worker
    this.sizes = sizes
    worker.on('message', (message: FromThread) => this.#take(message))
    // An error in the thread is a bug, and is left to end the process: its daemon starts another.
  }

  /** Returns once the lists are read. */
  static async start(): Promise<ReadingThread> {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { env: {} })
    const [message]: FromThread[] = await once(worker, 'message')
    if (message == null || !('sizes' in message)) throw new Error('the thread that reads texts did not start')
    return new ReadingThread(worker, message.sizes)
  }

  /** @throws {ServiceError} when there is too much in the text; the signal's reason when it aborts, and nothing goes on */
  async read(task: Omit<ReadTask, 'number'>, signal: AbortSignal): Promise<Read> {
    signal.throwIfAborted()
    const number = ++this.#last
    const forget = (): void => {
      this.#send({ forget: number })
      this.#waiting.get(number)?.reject(signal.reason)
    }
    signal.addEventListener('abort', forget, { once: true })
    try {
      return await new Promise<Read>((resolve, reject) => {
        this.#waiting.set(number, { resolve, reject })
        this.#send({ read: { ...task, number } })
      })
    } finally {
      this.#waiting.delete(number)
      signal.removeEventListener('abort', forget)
    }
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  #send(message: ToThread): void {
    this.#worker.postMessage(message)
  }

  #take(message: FromThread): void {
    if ('sizes' in message) return
    const waiting = this.#waiting.get(message.number)
    if ('answer' in message) waiting?.resolve({ json: message.answer, found: message.found })
    else {
      waiting?.reject(
        new ServiceError(422, 'TooManyEntities', `the text has more than ${MAX_ENTITIES} entities; send it in parts`)
      )
    }
  }
}
