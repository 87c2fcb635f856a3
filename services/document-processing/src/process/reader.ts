import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { FromChild, ToChild } from './messages.ts'

/** The process ended with a task in hand: of itself, or because it was killed for its time. */
export class ReaderEnded extends Error {
  override readonly name = 'ReaderEnded'
}

export interface ReaderInit {
  /** MB of JavaScript heap */
  heap: number
}

/** One process that reads documents, one after the other. */
export class Reader {
  readonly #child: ChildProcess
  readonly #started: Promise<unknown>
  #killed = false
  #asked = false

  constructor({ heap }: ReaderInit) {
    this.#child = fork(new URL('./child.ts', import.meta.url), {
      execArgv: ['--conditions=hedgerow-source', `--max-old-space-size=${heap}`],
      env: {},
      serialization: 'advanced',
      // V8 writes a report of some kB when its heap is full, which says nothing of use to an operator
      stdio: ['ignore', 'ignore', 'ignore', 'ipc']
    })
    this.#child.on('error', () => this.kill())
    this.#started = this.#answer()
    this.#started.catch(() => undefined)
  }

  /** Whether it can be given another document: a process that was killed takes a moment to be gone. */
  get free(): boolean {
    return !this.#killed && !this.#asked && this.#child.connected && this.#child.exitCode == null
  }

  /** @throws {ReaderEnded} when the process ends first; the signal's reason, and the process is killed then */
  async ask(message: ToChild, signal: AbortSignal): Promise<FromChild> {
    const stop = (): void => this.kill()
    signal.addEventListener('abort', stop, { once: true })
    try {
      signal.throwIfAborted()
      await this.#started
      const answer = this.#answer()
      this.#asked = true
      this.#send(message)
      const answered = await answer
      this.#asked = false
      return answered
    } catch (err) {
      signal.throwIfAborted()
      throw err
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  /** Gives it a document; there is no answer. */
  async give(document: Uint8Array, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await this.#started
    this.#send({ document })
  }

  kill(): void {
    this.#killed = true
    this.#child.kill('SIGKILL')
  }

  #send(message: ToChild): void {
    this.#child.send(message, () => undefined)
  }

  async #answer(): Promise<FromChild> {
    const over = new AbortController()
    const signal = over.signal
    try {
      return await Promise.race([
        once(this.#child, 'message', { signal }).then(([message]) => message as FromChild),
        once(this.#child, 'exit', { signal }).then(([code, by]) => {
          throw new ReaderEnded(`a reading process ended by ${by ?? `exit ${code}`}`)
        })
      ])
    } finally {
      over.abort()
    }
  }
}
