/**
 * `npm test`: brings what the tests need, then checks everything: types, style, and all tests. Exits non-zero on any
 * failure and ends with mocha's counts. `npm test <files>` runs these alone.
 *
 * Suites wait most of their time for processes to start and for states to come, so as many jobs as there are cores run
 * side by side (`HEDGEROW_TEST_JOBS`), each in a mocha of its own; what it says is printed when it has ended.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { forgotten, type Job, planTests } from './test-jobs.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
/** The bound on the whole: an open handle must not hold CI until its own limit. */
const TIMEOUT = 60 * 60_000
/** The bound on one job. */
const JOB_TIMEOUT = 15 * 60_000
const JOBS = Number(process.env.HEDGEROW_TEST_JOBS) || availableParallelism()

// CI systems look like colour terminals to mocha; a log file is none.
const COLOUR = process.stdout.isTTY ? '--color' : '--no-color'

const COUNTED = ['passing', 'pending', 'failing'] as const
type Counts = Record<(typeof COUNTED)[number], number>

interface Result {
  job: Job
  counts: Counts
  /** why it counts as failed, where it does */
  failure?: string
}

async function run(title: string, command: string, args: string[]): Promise<void> {
  process.stderr.write(`\n> ${title}\n`)
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  const late = setTimeout(() => child.kill('SIGKILL'), TIMEOUT)
  const [code] = await once(child, 'exit')
  clearTimeout(late)
  if (code === 0) return
  process.stderr.write(`\n${title}: failed\n`)
  process.exit(1)
}

const running = new Set<ChildProcess>()

async function runJob(job: Job): Promise<Result> {
  const startedAt = performance.now()
  // A group of its own, which is ended as a whole: mocha runs in a process below the one that is started here.
  const child = spawn('mocha', [COLOUR, ...job.files], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  running.add(child)
  const said: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => said.push(chunk))
  const late = setTimeout(() => kill(child), JOB_TIMEOUT)
  const [code, signal] = await once(child, 'close')
  running.delete(child)
  clearTimeout(late)
  const text = Buffer.concat(said).toString()
  process.stderr.write(`\n> ${job.name}: ${seconds(performance.now() - startedAt)}\n`)
  process.stdout.write(text)
  const counts = countsIn(text)
  if (code === 0 && counts.failing === 0) return { job, counts }
  return { job, counts, failure: counts.failing > 0 ? `${counts.failing} failing` : `ended by ${signal ?? code}` }
}

function kill({ pid }: ChildProcess): void {
  try {
    if (pid != null) process.kill(-pid, 'SIGKILL')
  } catch {
    // it has ended
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    for (const child of running) kill(child)
    process.exit(1)
  })

/** As mocha's last lines say. */
function countsIn(text: string): Counts {
  const plain = stripVTControlCharacters(text)
  const count = (what: string): number =>
    Number([...plain.matchAll(new RegExp(`^ {2}(\\d+) ${what}`, 'gm'))].at(-1)?.[1] ?? 0)
  return { passing: count('passing'), pending: count('pending'), failing: count('failing') }
}

async function runJobs(jobs: Job[], atOnce: number): Promise<Result[]> {
  const queue = [...jobs]
  const results: Result[] = []
  const work = async (): Promise<void> => {
    for (let job = queue.shift(); job != null; job = queue.shift()) results.push(await runJob(job))
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, jobs.length) }, work))
  return results
}

function seconds(ms: number): string {
  return ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)}m`
}

async function runAll(): Promise<void> {
  const startedAt = performance.now()
  const left = forgotten(root)
  if (left.length > 0) {
    process.stderr.write(`no job of scripts/test-jobs.ts has ${left.join(', ')}\n`)
    process.exit(1)
  }
  const late = setTimeout(() => {
    process.stderr.write(`\nthe tests take longer than ${seconds(TIMEOUT)}: ended\n`)
    for (const child of running) kill(child)
    process.exit(1)
  }, TIMEOUT)
  const { sideBySide, alone } = planTests(root)
  const results = [...(await runJobs(alone, 1)), ...(await runJobs(sideBySide, JOBS))]
  clearTimeout(late)
  const failed = results.filter(({ failure }) => failure != null)
  for (const { job, failure } of failed) process.stdout.write(`\n  failed: ${job.name} (${failure})`)
  const sum = (what: keyof Counts): number => results.reduce((total, { counts }) => total + counts[what], 0)
  process.stdout.write(`\n\n  ${sum('passing')} passing (${seconds(performance.now() - startedAt)})\n`)
  for (const what of ['pending', 'failing'] as const)
    if (sum(what) > 0) process.stdout.write(`  ${sum(what)} ${what}\n`)
  process.exitCode = failed.length > 0 ? 1 : 0
}

const only = process.argv.slice(2)
if (only.length > 0) await run('tests', 'mocha', [COLOUR, ...only])
else {
  await run('types', 'tsc', ['-b'])
  await run('style', 'biome', ['check', '--error-on-warnings', '.'])
  await run('tools', process.execPath, ['--conditions=hedgerow-source', 'test/src/tools.ts'])
  await runAll()
}
