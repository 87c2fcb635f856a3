import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import Tesseract from 'tesseract.js'
import type { Grey } from '../image/bitmap.ts'

/** The model: the best one for printed English, in integers (as exact, three times as fast). */
const LANGUAGE = 'eng'
const MODEL = '4.0.0_best_int'
/** milliseconds; it takes half a second where nothing else runs */
const START_TIME_LIMIT = 60_000

const PARAMETERS = {
  // finds columns and tables; the default takes the page for one block and reads across columns
  tessedit_pageseg_mode: Tesseract.PSM.AUTO,
  user_defined_dpi: '300',
  // it prints what it thinks of the picture
  debug_file: '/dev/null'
}

/** Tesseract in a thread of its own. */
export class Engine {
  readonly #worker: Tesseract.Worker
  readonly #died: Promise<never>

  private constructor(worker: Tesseract.Worker, died: Promise<never>) {
    this.#worker = worker
    this.#died = died
  }

  static async start(): Promise<Engine> {
    const { promise: died, reject: die } = Promise.withResolvers<never>()
    // what nobody waits for is no failure
    died.catch(() => undefined)
    const data = dirname(fileURLToPath(import.meta.resolve(`@tesseract.js-data/${LANGUAGE}`)))
    const starting = Tesseract.createWorker(LANGUAGE, Tesseract.OEM.LSTM_ONLY, {
      // without these three it asks a server on the internet for the model, and waits for ever
      langPath: join(data, MODEL),
      gzip: true,
      cacheMethod: 'none',
      // without one it throws where nobody can catch; what fails also rejects
      errorHandler: (reason: unknown) => die(new Error(`Tesseract failed: ${String(reason)}`))
    })
    const tooLong = setTimeout(() => die(new Error('Tesseract did not start in time')), START_TIME_LIMIT)
    try {
      const worker = await Promise.race([starting, died])
      const thread: unknown = Reflect.get(worker, 'worker')
      if (thread instanceof Worker) {
        thread.on('error', err => die(new Error('the thread of Tesseract died', { cause: err })))
      }
      await worker.setParameters(PARAMETERS)
      return new Engine(worker, died)
    } finally {
      clearTimeout(tooLong)
    }
  }

  /** @throws where Tesseract failed or was ended; it can't be used again then */
  async read(page: Grey): Promise<Tesseract.Page> {
    const reading = this.#worker.recognize(pgm(page), {}, { text: true, blocks: true })
    return (await Promise.race([reading, this.#died])).data
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }
}

/** The simplest format of pictures: a line about the size, then the pixels. */
function pgm({ width, height, data }: Grey): Buffer {
  return Buffer.concat([Buffer.from(`P5\n${width} ${height}\n255\n`, 'latin1'), data])
}
