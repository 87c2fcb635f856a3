/**
 * Property tests over every decoder of foreign bytes: whatever comes, it is taken or refused in the way that is foreseen,
 * soon, and what is made of it stays within bounds. Inputs are what honest peers would send, changed; and the corpus, which
 * holds what was hard once.
 *
 * @example
 * ```sh
 * npm run fuzz -- --minutes 60
 * FUZZ_SEED=123 npm run fuzz -- --decoder manifest --seconds 10     # what failed, again
 * ```
 */

/** Something that makes values of bytes that anybody may have sent. */
export interface Decoder {
  name: string
  /** the modules in which it decodes, from the root of the repository */
  files: string[]
  /** what honest senders send */
  seeds(): Uint8Array[] | Promise<Uint8Array[]>
  /** pieces that mean something here */
  words?: readonly string[]
  /** @returns what it made of them, whose size is looked at */
  decode(bytes: Uint8Array): unknown
  /** whether it may refuse bytes by throwing this. @default nothing may be thrown */
  refuses?(err: unknown): boolean
  /** bytes that may be made of an input, as JSON. @default 64 times its size and 64 KiB */
  maxOutput?(size: number): number
}

export interface Finding {
  decoder: string
  seed: number
  /** what was wrong, in words */
  reason: string
  /** the smallest input found that does it */
  input: Uint8Array
}

export interface Outcome {
  decoder: string
  runs: number
  finding?: Finding
}
