import { once } from 'node:events'
import { SHARE_ENV, Worker } from 'node:worker_threads'
import { ServiceError } from '@hedgerow/service-kit'
import type { ConvertTask, FromThread, Rewrite, ToThread } from './messages.ts'

/** Has a language model reword a paragraph. */
export type AskModel = (paragraph: string) => Promise<Rewrite>

interface Waiting {
  resolve(json: Uint8Array): void
  reject(reason: unknown): void
  ask: AskModel
}

/** A thread that converts, so that the service's own has time for whoever asks how it is. */
export class ConvertingThread {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #last = 0

  private constructor(worker: Worker) {
    this.#worker = worker
    worker.on('message', (message: FromThread) => this.#take(message))
    // An error in the thread is a bug, and is left to end the process: its daemon starts another.
  }

  /** @param configPath of a config that can be used */
  static async start(configPath: string): Promise<ConvertingThread> {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: configPath, env: SHARE_ENV })
    await once(worker, 'message')
    return new ConvertingThread(worker)
  }

  /**
   * @param ask used where the task wants the letter rephrased
   * @returns the reply as JSON
   * @throws {ServiceError} what is wrong with the notes; the signal's reason when it aborts
   */
  async convert(task: Omit<ConvertTask, 'number'>, ask: AskModel, signal: AbortSignal): Promise<Uint8Array> {
    signal.throwIfAborted()
    const number = ++this.#last
    const forget = (): void => {
      this.#send({ forget: number })
      this.#waiting.get(number)?.reject(signal.reason)
    }
    signal.addEventListener('abort', forget, { once: true })
    try {
      return await new Promise<Uint8Array>((resolve, reject) => {
        this.#waiting.set(number, { resolve, reject, ask })
        this.#send({ convert: { ...task, number } })
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
    if ('started' in message) return
    const waiting = this.#waiting.get(message.number)
    if ('question' in message) {
      const { question, paragraph } = message
      const asked = waiting?.ask(paragraph) ?? Promise.resolve({ unavailable: 'the client left' })
      void asked.then(rewrite => this.#send({ question, rewrite }))
    } else if ('answer' in message) waiting?.resolve(message.answer)
    else if ('refusal' in message) {
      const { status, code, detail, extensions } = message.refusal
      waiting?.reject(new ServiceError(status, code, detail, extensions))
    } else waiting?.reject(Object.assign(new Error(message.failed.message), { stack: message.failed.stack }))
  }
}
