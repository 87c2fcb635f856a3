import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../files/index.ts'

const FILE = 'sequence'
/** More than a peer says between two times that it is kept: the file may be behind after a crash. */
const SKIP = 1_000_000n

/**
 * Numbers a peer's statements, so that the newer one is known. Of the wall clock, so that they grow across restarts and
 * even when the file is lost; of the file, should that clock have gone back: others remember for a day that it left.
 */
export class Sequence {
  readonly #file: string
  #last: bigint
  #kept: Promise<void> = Promise.resolve()

  constructor(file: string, last: bigint) {
    this.#file = file
    this.#last = last
  }

  static async open(dataDir: string): Promise<Sequence> {
    const file = join(dataDir, FILE)
    const text = await readFile(file, 'utf8').catch(() => '')
    const before = /^\d{1,19}$/.test(text) ? BigInt(text) + SKIP : 0n
    const now = BigInt(Date.now())
    return new Sequence(file, before > now ? before : now)
  }

  get last(): bigint {
    return this.#last
  }

  next(): bigint {
    return ++this.#last
  }

  /** Others know of more than this peer does. */
  continueFrom(sequence: bigint): void {
    if (sequence > this.#last) this.#last = sequence
  }

  /** Kept or not, the peer goes on: with a clock that is right nothing is lost. */
  keep(): Promise<void> {
    this.#kept = this.#kept.then(() => replaceFile(this.#file, String(this.#last))).catch(() => {})
    return this.#kept
  }
}
