/** Files of JSON lines that only grow: what was acknowledged is on the disk. */
import { type FileHandle, open, readFile } from 'node:fs/promises'
import { replaceFile } from '../files/index.ts'

/** @returns what each line holds; half a line, as a crash leaves it, is left out. Empty when there is no file. */
export async function readLines(file: string): Promise<unknown[]> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (err) {
    if (err instanceof Error && 'code' in err && err.code === 'ENOENT') return []
    throw err
  }
  return text.split('\n').flatMap(line => {
    try {
      return line === '' ? [] : [JSON.parse(line)]
    } catch {
      return []
    }
  })
}

/** Appends one after the other, in the order asked for. */
export class LineFile {
  readonly #file: string
  #handle: FileHandle | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(file: string) {
    this.#file = file
  }

  /** Resolves when the line is on the disk. */
  append(value: unknown): Promise<void> {
    return this.#inTurn(async () => {
      this.#handle ??= await open(this.#file, 'a', 0o600)
      // The line break comes first too: what a crash or a full disk left of the line before doesn't spoil this one.
      await this.#handle.appendFile(`\n${JSON.stringify(value)}\n`)
      await this.#handle.datasync()
    })
  }

  /** Puts these in the place of all that is there. */
  replace(values: readonly unknown[]): Promise<void> {
    return this.#inTurn(async () => {
      await this.#close()
      await replaceFile(this.#file, values.map(value => `${JSON.stringify(value)}\n`).join(''))
    })
  }

  close(): Promise<void> {
    return this.#inTurn(() => this.#close())
  }

  async #close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => {})
    return done
  }
}
