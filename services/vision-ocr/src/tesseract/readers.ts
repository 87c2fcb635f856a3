import type Tesseract from 'tesseract.js'
import type { Grey } from '../image/bitmap.ts'
import { Turns } from '../turns.ts'
import { Engine } from './engine.ts'

/** milliseconds; then an idle engine gives back its memory, all but one */
const IDLE = 60_000

interface Reader {
  engine?: Promise<Engine>
  idle?: NodeJS.Timeout
}

/** A bounded number of engines: started when they are needed, replaced when they fail or are abandoned. */
export class Readers {
  readonly #readers: Reader[]
  readonly #turns: Turns<Reader>
  #replaced = 0
  #reading = 0

  constructor(count: number) {
    this.#readers = Array.from({ length: count }, () => ({}))
    this.#turns = new Turns(this.#readers)
  }

  /** engines that run, pages read now, pages that wait for an engine, engines that were ended */
  get stats(): { engines: number; reading: number; waiting: number; replaced: number } {
    const engines = this.#readers.filter(({ engine }) => engine != null).length
    return { engines, reading: this.#reading, waiting: this.#turns.waiting, replaced: this.#replaced }
  }

  /** Starts an engine, so that the first page need not wait for one. */
  async start(): Promise<void> {
    await this.#turns.lend(AbortSignal.timeout(0x7fffffff), reader => {
      reader.engine ??= Engine.start()
      return reader.engine
    })
  }

  /**
   * Reads a page. When the signal aborts, the engine that reads it is ended: nothing else stops Tesseract.
   *
   * @throws the signal's reason, or what made Tesseract fail
   */
  read(page: Grey, signal: AbortSignal): Promise<Tesseract.Page> {
    return this.#turns.lend(signal, async reader => {
      clearTimeout(reader.idle)
      const { promise: aborted, reject } = Promise.withResolvers<never>()
      const abort = (): void => reject(signal.reason)
      signal.addEventListener('abort', abort, { once: true })
      try {
        this.#reading++
        reader.engine ??= Engine.start()
        const engine = await Promise.race([reader.engine, aborted])
        return await Promise.race([engine.read(page), aborted])
      } catch (err) {
        this.#replaced++
        end(reader)
        throw err
      } finally {
        this.#reading--
        signal.removeEventListener('abort', abort)
        reader.idle = setTimeout(() => this.#giveUp(reader), IDLE).unref()
      }
    })
  }

  async close(): Promise<void> {
    for (const reader of this.#readers) {
      clearTimeout(reader.idle)
      end(reader)
    }
  }

  #giveUp(reader: Reader): void {
    if (this.stats.engines > 1) end(reader)
  }
}

function end(reader: Reader): void {
  const { engine } = reader
  reader.engine = undefined
  // one that failed to start has nothing to end
  engine?.then(engine => engine.end()).catch(() => undefined)
}
