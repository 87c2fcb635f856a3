/**
 * Takes out of an installed `node_modules` what no program of an image reads: `node prune.mjs <node_modules> <cpu> <daemon|relay>`.
 * Licences stay.
 */
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const [modules = '', cpu = '', role = ''] = process.argv.slice(2)

/** By their ends: nothing of Windows runs, Node runs no TypeScript out of `node_modules`, and prints no stack by a map unless it is told to. */
const FILES =
  /\.(map|exe|test\.[cm]?js|ts|mts|cts|tsbuildinfo|flow|markdown|md)$|^(\.\w+rc(\.\w+)?|\.npmignore|tsconfig.*\.json|Makefile)$/i
const LICENCES = /licen[cs]e|notice|copying|copyright/i
const FOLDERS = new Set([
  'test',
  'tests',
  '__tests__',
  'e2e',
  'example',
  'examples',
  'benchmark',
  'benchmarks',
  '.github'
])

/** Whole parts of packages that are never loaded here; a package that is laid out anew is found by the test of sizes. */
const UNUSED = [
  // what it is on phones
  'react-native-webrtc',
  // a relay listens on no WebRTC address
  ...(role === 'relay' ? ['@node-datachannel'] : []),
  // a model that isn't the one in use, and a form of the engine that is for pages
  '@tesseract.js-data/eng/4.0.0',
  ...list('tesseract.js-core').flatMap(name => (name.endsWith('.wasm.js') ? [join('tesseract.js-core', name)] : [])),
  // libraries of other systems, which this package brings along for all
  ...list('onnxruntime-node/bin').flatMap(abi =>
    list(join('onnxruntime-node/bin', abi)).flatMap(os => {
      const folder = join('onnxruntime-node/bin', abi, os)
      return os === 'linux' ? list(folder).flatMap(one => (one === cpu ? [] : [join(folder, one)])) : [folder]
    })
  )
]

for (const path of UNUSED) rmSync(join(modules, path), { recursive: true, force: true })
prune(modules)

function list(path) {
  try {
    return readdirSync(join(modules, path))
  } catch {
    return []
  }
}

function prune(folder) {
  const entries = readdirSync(folder, { withFileTypes: true })
  // Deeper down, such a folder may be a part of the program.
  const isPackage = entries.some(({ name }) => name === 'package.json')
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      if (isPackage && FOLDERS.has(entry.name)) rmSync(path, { recursive: true })
      else prune(path)
    } else if (entry.isFile() && FILES.test(entry.name) && !LICENCES.test(entry.name)) rmSync(path)
  }
}
