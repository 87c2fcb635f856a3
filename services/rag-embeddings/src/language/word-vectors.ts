import { readFileSync } from 'node:fs'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'

/**
 * The file of word vectors that `build-embeddings.ts` writes, and its reading:
 *
 *     4 bytes   length of the header, little endian
 *     header    JSON: {@link WordVectorsHeader}
 *     words     UTF-8, one to a line, most frequent first
 *     padding   to a multiple of 4
 *     weights   float32 for each word: how much it tells about a text (rare words more)
 *     scales    float32 for each word
 *     vectors   `dimensions` int8 for each word; times the scale they are the word's vector
 */
export const FORMAT = 'hedgerow-word-vectors/1'
const Size = Type.Integer({ minimum: 1 })
const WordVectorsHeader = Type.Object({
  /** changes when the layout or the recipe does */
  format: Type.Literal(FORMAT),
  /** what it was made of: package and version, and a hash of the words asked for beyond the frequent ones */
  source: Type.String(),
  words: Size,
  dimensions: Size,
  /** length of the list of words in bytes */
  word_bytes: Size,
  /** licences of the data */
  notice: Type.String()
})
export type WordVectorsHeader = Static<typeof WordVectorsHeader>

export const VECTORS_FILE = new URL('../../data/embeddings.bin', import.meta.url)

export interface WordVectors {
  header: WordVectorsHeader
  /** where a word's weight, scale and vector are */
  index: ReadonlyMap<string, number>
  weights: Float32Array
  scales: Float32Array
  vectors: Int8Array
}

/** The file is missing, cut short or of another version of this service; the message says what to run. */
export class WordVectorsError extends Error {
  override readonly name = 'WordVectorsError'
  constructor(what: string, cause?: unknown) {
    super(`${what}; run: npm run build-embeddings -w @hedgerow/service-rag-embeddings`, { cause })
  }
}

/** @throws {WordVectorsError} */
export function readWordVectors(file: URL = VECTORS_FILE): WordVectors {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (err) {
    throw new WordVectorsError(`the word vectors can't be read (${file.pathname})`, err)
  }
  const header = parseHeader(bytes)
  if (header == null) throw new WordVectorsError('the word vectors are of another version or damaged')
  const wordsAt = 4 + bytes.readUInt32LE(0)
  const weightsAt = aligned(wordsAt + header.word_bytes)
  const scalesAt = weightsAt + header.words * 4
  const vectorsAt = scalesAt + header.words * 4
  const words = bytes.toString('utf8', wordsAt, wordsAt + header.word_bytes).split('\n')
  if (bytes.length !== vectorsAt + header.words * header.dimensions || words.length !== header.words)
    throw new WordVectorsError('the word vectors are cut short')
  const index = new Map<string, number>()
  for (const [i, word] of words.entries()) index.set(word, i)
  // a copy, because a Buffer may begin anywhere in its memory and a Float32Array may not
  const numbers = new Uint8Array(bytes.subarray(weightsAt)).buffer
  return {
    header,
    index,
    weights: new Float32Array(numbers, 0, header.words),
    scales: new Float32Array(numbers, header.words * 4, header.words),
    vectors: new Int8Array(numbers, header.words * 8)
  }
}

/** The header, or undefined when the bytes are no such file of this version. */
export function parseHeader(bytes: Buffer): WordVectorsHeader | undefined {
  if (bytes.length < 4 || bytes.readUInt32LE(0) > bytes.length - 4) return undefined
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8', 4, 4 + bytes.readUInt32LE(0)))
  } catch {
    return undefined
  }
  return Value.Check(WordVectorsHeader, value) ? value : undefined
}

export function aligned(offset: number): number {
  return Math.ceil(offset / 4) * 4
}
