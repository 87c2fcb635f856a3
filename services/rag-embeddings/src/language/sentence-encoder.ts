import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { Turns, type Urgency } from './turns.ts'

export interface SentenceEncoderInit {
  /** Threads of the model. @default half of the cores, from 1 to 4 */
  threads?: number | undefined
}

/** The model can't be run here; the message says why. */
export class EncoderError extends Error {
  override readonly name = 'EncoderError'
}

interface Job {
  texts: Iterator<string>
  vectors: Float32Array[]
  signal: AbortSignal | undefined
  done(): void
  failed(err: Error): void
}

type Answer = { vector: Float32Array; model?: string; error?: undefined } | { error: string }

const MOST_THREADS = 4

/**
 * Turns a text into a unit vector, near to those of texts that mean the same: all-MiniLM-L6-v2 in a thread of its own,
 * one text at a time, whoever asks a question first. It depends on nothing but the text, so every instance that holds
 * a document computes the same.
 */
export class SentenceEncoder {
  readonly dimensions: number
  /** changes whenever the same text would get another vector */
  readonly model: string
  readonly #thread: Worker
  readonly #turns = new Turns<Job>()
  #current: { job: Job; urgency: Urgency } | undefined
  #closing = false

  private constructor(thread: Worker, dimensions: number, hash: string) {
    this.#thread = thread
    this.dimensions = dimensions
    this.model = `all-minilm-l6-v2-${hash.slice(0, 8)}`
    thread.on('message', (answer: Answer) => this.#take(answer))
    // it holds the only model; the process ends with it and is started again
    thread.once('error', err => this.#lost(err))
    thread.once('exit', code => this.#lost(new Error(`exit code ${code}`)))
    // a process that has nothing else to do may end
    thread.unref()
  }

  /** @throws {EncoderError} when the model or its runtime can't be loaded */
  static async start({ threads }: SentenceEncoderInit = {}): Promise<SentenceEncoder> {
    const workerData = threads ?? defaultThreads()
    const thread = new Worker(new URL('./encoder-thread.ts', import.meta.url), { workerData })
    try {
      const [answer]: Answer[] = await once(thread, 'message')
      if (answer == null || answer.error != null) throw new Error(answer?.error ?? 'it said nothing')
      return new SentenceEncoder(thread, answer.vector.length, answer.model ?? '')
    } catch (err) {
      const why = err instanceof Error ? err.message : String(err)
      throw new EncoderError(`the sentence encoder can't run on ${process.platform}-${process.arch}: ${why}`, {
        cause: err
      })
    }
  }

  /**
   * The vectors of these texts, or of the first of them when the signal comes before the last is done. All zeros for a
   * text without a letter or a digit.
   */
  embedAll(texts: Iterable<string>, urgency: Urgency, signal?: AbortSignal): Promise<Float32Array[]> {
    return new Promise((resolve, reject) => {
      const vectors: Float32Array[] = []
      const job: Job = {
        texts: texts[Symbol.iterator](),
        vectors,
        signal,
        done: () => resolve(vectors),
        failed: reject
      }
      this.#turns.add(job, urgency)
      this.#go()
    })
  }

  /** Ends the thread after the text that it is at; what waits is given up. */
  async close(): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    const ended = once(this.#thread, 'exit')
    this.#thread.ref()
    this.#thread.postMessage(undefined)
    await ended
  }

  #go(): void {
    while (this.#current == null) {
      const turn = this.#turns.next()
      if (turn == null) {
        if (!this.#closing) this.#thread.unref()
        return
      }
      const { job } = turn
      const next = this.#closing || job.signal?.aborted === true ? undefined : job.texts.next()
      if (next?.done !== false) job.done()
      else if (/[\p{L}\p{N}]/u.test(next.value)) {
        this.#current = turn
        this.#thread.ref()
        this.#thread.postMessage(next.value)
      } else {
        job.vectors.push(new Float32Array(this.dimensions))
        this.#turns.add(job, turn.urgency)
      }
    }
  }

  #take(answer: Answer): void {
    const turn = this.#current
    if (turn == null) return
    this.#current = undefined
    if (answer.error == null) {
      turn.job.vectors.push(answer.vector)
      this.#turns.add(turn.job, turn.urgency)
    } else turn.job.failed(new EncoderError(answer.error))
    this.#go()
  }

  #lost(why: Error): void {
    if (!this.#closing) throw new EncoderError('the thread of the sentence encoder ended', { cause: why })
    this.#current?.job.done()
    this.#current = undefined
    this.#go()
  }
}

function defaultThreads(): number {
  return Math.min(MOST_THREADS, Math.max(1, Math.floor(availableParallelism() / 2)))
}
