import { MAX_INPUT } from './bytes.ts'

const HEADER = 8

/** The input that a thread is at, in memory that both sides see: a thread that hangs can't be asked. */
export class Note {
  static create(): SharedArrayBuffer {
    return new SharedArrayBuffer(HEADER + MAX_INPUT)
  }

  readonly #head: Int32Array
  readonly #bytes: Uint8Array

  constructor(memory: SharedArrayBuffer) {
    this.#head = new Int32Array(memory, 0, 2)
    this.#bytes = new Uint8Array(memory, HEADER)
  }

  write(input: Uint8Array): void {
    this.#bytes.set(input)
    this.#head[1] = input.byteLength
    Atomics.add(this.#head, 0, 1)
  }

  /** how many inputs there were */
  get count(): number {
    return Atomics.load(this.#head, 0)
  }

  get input(): Uint8Array {
    return Uint8Array.from(this.#bytes.subarray(0, this.#head[1]))
  }
}
