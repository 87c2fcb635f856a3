// Builds the console, the page that a relay serves, when what it is made of has changed; returns at once otherwise.
// Beside each file that compresses well it leaves what a relay sends to browsers that take it.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync } from 'node:zlib'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, 'browser-node/console')
const dist = join(folder, 'dist')
const stamp = join(root, 'node_modules/.cache/hedgerow-console')
const SOURCES = [
  'browser-node/console',
  'browser-node/src',
  'browser-node/scripts',
  'protocols/src',
  'examples/data',
  'package-lock.json'
]
const IGNORED = new Set(['dist', 'build', 'node_modules', 'test'])
const COMPRESSIBLE = /\.(html|js|css|svg|json|txt|webmanifest)$/

function* files(path) {
  if (!existsSync(path)) return
  let entries
  try {
    entries = readdirSync(path, { withFileTypes: true })
  } catch {
    yield path
    return
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!IGNORED.has(entry.name)) yield* files(join(path, entry.name))
  }
}

function hashOfSources() {
  const hash = createHash('sha256')
  for (const source of SOURCES) {
    for (const file of files(join(root, source))) hash.update(`${file.slice(root.length)}\0`).update(readFileSync(file))
  }
  return hash.digest('hex')
}

const isBuilt = () => existsSync(join(dist, 'index.html'))

// A build may make sources itself (the sample papers), so the hash that counts is the one after it.
if (
  existsSync(join(folder, 'index.html')) &&
  !(isBuilt() && existsSync(stamp) && readFileSync(stamp, 'utf8') === hashOfSources())
) {
  console.error('Building the console...')
  const vite = join(root, 'node_modules/vite/bin/vite.js')
  const { status } = spawnSync(process.execPath, [vite, 'build', '--logLevel', 'error'], {
    cwd: folder,
    stdio: ['ignore', 2, 2]
  })
  if (status !== 0) process.exit(1)
  for (const file of files(dist)) {
    if (!COMPRESSIBLE.test(file)) continue
    const bytes = readFileSync(file)
    writeFileSync(`${file}.br`, brotliCompressSync(bytes))
    writeFileSync(`${file}.gz`, gzipSync(bytes))
  }
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, hashOfSources())
}
