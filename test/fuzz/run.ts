import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { inputs } from './bytes.ts'
import type { Decoder, Outcome } from './index.ts'

export const CORPUS = fileURLToPath(new URL('./corpus', import.meta.url))

export interface RunInit {
  seed: number
  /** milliseconds */
  time: number
  /** told before each input, so that whoever watches knows which one it was that never ended */
  before?(input: Uint8Array): void
}

/** Inputs of one decoder that were hard once. */
export async function corpusOf(decoder: string): Promise<Uint8Array[]> {
  const folder = join(CORPUS, decoder)
  const names = await readdir(folder).catch(() => [])
  return Promise.all(names.sort().map(async name => new Uint8Array(await readFile(join(folder, name)))))
}

/** Feeds one decoder for a while. */
export async function run(decoder: Decoder, { seed, time, before }: RunInit): Promise<Outcome> {
  const seeds = [...(await decoder.seeds()), ...(await corpusOf(decoder.name))]
  let runs = 0
  const property = fc.asyncProperty(inputs(seeds, decoder.words ?? []), async input => {
    runs++
    before?.(input)
    await check(decoder, input)
  })
  // Those of the corpus and the honest ones come first, as they are.
  const examples = [new Uint8Array(), ...seeds].map((one): [Uint8Array] => [one])
  const result = await fc.check(property, {
    seed,
    examples,
    numRuns: Number.MAX_SAFE_INTEGER,
    interruptAfterTimeLimit: time,
    markInterruptAsFailure: false
  })
  const outcome: Outcome = { decoder: decoder.name, runs }
  if (result.failed && result.counterexample != null) {
    const { errorInstance } = result
    const reason =
      errorInstance instanceof Error ? (errorInstance.stack ?? errorInstance.message) : String(errorInstance)
    outcome.finding = { decoder: decoder.name, seed, reason, input: result.counterexample[0] }
  }
  return outcome
}

const SPARE = 64 * 1024
const TIMES = 64

/** @throws {Error} that says which property doesn't hold */
export async function check(decoder: Decoder, input: Uint8Array): Promise<void> {
  let made: unknown
  try {
    made = await decoder.decode(input)
  } catch (err) {
    if (decoder.refuses?.(err) === true) return
    throw new Error(`it fails in a way that nobody foresees: ${err instanceof Error ? err.stack : String(err)}`)
  }
  const max = decoder.maxOutput?.(input.byteLength) ?? input.byteLength * TIMES + SPARE
  const size = sizeOf(made)
  if (size > max) throw new Error(`of ${input.byteLength} bytes it makes ${size}; no more than ${max} were foreseen`)
}

function sizeOf(value: unknown): number {
  const text = JSON.stringify(value, (_key, one) => {
    if (typeof one === 'bigint') return String(one)
    return one instanceof Map || one instanceof Set ? [...one] : one
  })
  return text?.length ?? 0
}
