/** `npm run fuzz`: feeds decoders for as long as one has time. */
import { createHash, randomInt } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { DECODERS } from './decoders/index.ts'
import type { Finding } from './index.ts'
import { fuzz } from './pool.ts'
import { CORPUS } from './run.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seconds: { type: 'string' },
    decoder: { type: 'string', multiple: true },
    help: { type: 'boolean' }
  }
})
if (values.help === true) {
  console.log(`npm run fuzz -- [--minutes n | --seconds n] [--decoder name]...

Feeds every decoder of foreign bytes (or those named) with changed inputs, n minutes in all (default: one).
FUZZ_SEED=n makes the same inputs again. An input that fails is put into test/fuzz/corpus.

Decoders: ${DECODERS.map(({ name }) => name).join(', ')}`)
  process.exit(0)
}
const time = values.seconds != null ? Number(values.seconds) * 1000 : Number(values.minutes ?? 1) * 60_000
const decoders = values.decoder ?? DECODERS.map(({ name }) => name)
const unknown = decoders.find(name => !DECODERS.some(decoder => decoder.name === name))
if (unknown != null || !(time > 0)) {
  console.error(unknown == null ? 'how long must be a number' : `no decoder is called ${unknown}; --help lists them`)
  process.exit(2)
}
const seed = process.env.FUZZ_SEED == null ? randomInt(2 ** 31) : Number(process.env.FUZZ_SEED)
const threads = availableParallelism()
console.log(`seed ${seed}, ${threads} threads`)
const outcomes = await fuzz({
  decoders,
  threads,
  seed,
  time: time * threads,
  onOutcome: ({ decoder, runs, finding }) =>
    console.log(`${finding == null ? 'ok  ' : 'FAIL'} ${decoder}: ${runs} inputs`)
})
for (const { finding } of outcomes) if (finding != null) await report(finding)
process.exitCode = outcomes.some(({ finding }) => finding != null) ? 1 : 0

async function report({ decoder, seed, reason, input }: Finding): Promise<void> {
  const folder = join(CORPUS, decoder)
  await mkdir(folder, { recursive: true })
  const file = join(folder, createHash('sha256').update(input).digest('hex').slice(0, 12))
  await writeFile(file, input)
  console.error(
    `\n${decoder}: ${reason}\n  FUZZ_SEED=${seed} npm run fuzz -- --decoder ${decoder}\n  input kept in ${file}`
  )
}
