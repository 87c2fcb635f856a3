// Makes a checkout ready and runs one of the project's programs under the pinned Node: `node scripts/setup.mjs FILE`; with no FILE it does no more.
// Plain JavaScript with no dependency, because on a fresh clone it runs under whatever Node (20 or later) is there.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const modules = join(root, 'node_modules')
const stamp = join(modules, '.hedgerow-lock')
const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex')

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  console.error('Installing dependencies (once)...')
  // Not `npm ci`: it insists on entries for the binaries of every platform, which a lockfile only has where a registry
  // carries them all. This installs what the lockfile says and leaves it alone.
  const { status } = spawnSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    // npm before 11 doesn't read `allowScripts`: what runs on the CPU is in the package, more is not wanted
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' }
  })
  if (status !== 0) {
    console.error('npm install failed; the lines above say why.')
    process.exit(1)
  }
  writeFileSync(stamp, lock)
}

const node = join(modules, 'node', 'bin', 'node')
// makes what is not in the repository, and returns at once when it is there
for (const build of ['scripts/build-console.mjs']) {
  const { status } = spawnSync(node, [join(root, build)], { stdio: ['ignore', 2, 2] })
  if (status !== 0) {
    console.error(`${build} failed; the lines above say why.`)
    process.exit(1)
  }
}

const [file, ...args] = process.argv.slice(2)
if (file == null) process.exit(0)
const child = spawn(
  node,
  ['--conditions=hedgerow-source', '--disable-warning=ExperimentalWarning', join(root, file), ...args],
  {
    // The channel closes with this process, however it ends; the program can tell by that.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, PATH: `${join(modules, '.bin')}:${process.env.PATH}` }
  }
)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
// npm ends by a signal without a word to what it started.
const parent = process.ppid
setInterval(() => {
  if (process.ppid !== parent) child.kill('SIGTERM')
}, 1000).unref()
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))
