/**
 * `npm run bench [-- --json file] [--seconds n]`: one request of 1 KiB through everything that a user could pick
 * instead of the mesh, in one run, so that the ratios mean something on a machine that others use too.
 */
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { startContest } from './contestants.ts'
import { type Figures, Load } from './load.ts'
import { ensureProgram } from './processes.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' }
  }
})
const seconds = Number(values.seconds)
const rounds = Number(values.rounds)
const CONCURRENCIES = [1, 32]
const WARM_UP = 3

interface Row extends Figures {
  name: string
  /** median latency against the backend asked directly */
  times_direct: number
}

/** Of several rounds: the middle one counts, since others use the machine too. */
function median(figures: Figures[]): Figures {
  const sorted = [...figures].sort((a, b) => a.requests_per_second - b.requests_per_second)
  const middle = sorted[Math.floor(sorted.length / 2)]
  if (middle == null) throw new Error('nothing was measured')
  return { ...middle, errors: figures.reduce((sum, { errors }) => sum + errors, 0) }
}

if (!ensureProgram('wrk', 'wrk')) {
  console.error('wrk is not to be had here: install it (Debian: apt-get install wrk)')
  process.exit(1)
}

const contest = await startContest()
const rows: Row[] = []
try {
  for (const line of contest.skipped) console.error(line)
  const load = await Load.create(join(tmpdir(), `hedgerow-bench-${process.pid}.lua`))
  for (const { url } of contest.contestants) await load.measure(url, 32, WARM_UP)
  for (const concurrency of CONCURRENCIES) {
    const measured = new Map<string, Figures[]>()
    // Round by round, not one after the other: what else the machine does meets all alike.
    for (let round = 0; round < rounds; round++) {
      for (const { name, url } of contest.contestants)
        measured.set(name, [...(measured.get(name) ?? []), await load.measure(url, concurrency, seconds)])
    }
    const direct = median(measured.get(contest.contestants[0]?.name ?? '') ?? [])
    for (const [name, figures] of measured) {
      const middle = median(figures)
      rows.push({ name, ...middle, times_direct: middle.p50 / direct.p50 })
    }
  }
} finally {
  await contest.stop()
}

const table = new Table({
  head: ['way', 'at once', 'p50 ms', 'p99 ms', 'requests/s', '× direct p50', 'errors'],
  style: { head: [], border: [] },
  colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right']
})
for (const { name, concurrency, p50, p99, requests_per_second, times_direct, errors } of rows) {
  table.push([name, concurrency, p50.toFixed(2), p99.toFixed(2), requests_per_second, times_direct.toFixed(1), errors])
}
console.log(table.toString())
if (values.json != null) await writeFile(values.json, `${JSON.stringify({ seconds, rounds, rows }, null, 2)}\n`)
if (rows.some(({ errors }) => errors > 0)) process.exitCode = 1
