/**
 * `npm test`: brings what the tests need, then checks everything: types, style, and all tests. Exits non-zero on any
 * failure and ends with mocha's counts.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
/** Every suite of the repository: the packages' own first (no network), then what crosses packages. */
const SPECS = [
  'protocols/test/**/*.test.ts',
  'daemon/test/**/*.test.ts',
  'bootstrap-relay/test/**/*.test.ts',
  'bootstrap-relay/edge/test/**/*.test.ts',
  'inspector/test/**/*.test.ts',
  'browser-node/test/**/*.test.ts',
  'browser-node/console/test/**/*.test.ts',
  'services/*/test/**/*.test.ts',
  'examples/test/**/*.test.ts',
  'browser-node/console/test/**/*.test.ts',
  'test/fuzz/*.test.ts',
  'test/test/**/*.test.ts'
]
/** The bound on the whole: an open handle must not hold CI until its own limit. */
const TIMEOUT = 60 * 60_000

async function run(title: string, command: string, args: string[]): Promise<void> {
  process.stderr.write(`\n> ${title}\n`)
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  const late = setTimeout(() => child.kill('SIGKILL'), TIMEOUT)
  const [code] = await once(child, 'exit')
  clearTimeout(late)
  if (code !== 0) {
    process.stderr.write(`\n${title}: failed\n`)
    process.exit(1)
  }
}

const only = process.argv.slice(2)
if (only.length === 0) {
  await run('types', 'tsc', ['-b'])
  await run('style', 'biome', ['check', '--error-on-warnings', '.'])
}
// CI systems look like colour terminals to mocha; a log file is none.
const plain = process.stdout.isTTY ? [] : ['--no-color']
await run('tests', 'mocha', [...plain, ...(only.length === 0 ? SPECS : only)])
