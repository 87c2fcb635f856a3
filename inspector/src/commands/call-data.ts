import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { extname } from 'node:path'
import type { Readable } from 'node:stream'
import { InspectorError } from '../errors.ts'

/** A request body and what it seems to be. */
export interface CallData {
  body: Uint8Array | AsyncIterable<Uint8Array>
  /** bytes, where that is known */
  length?: number
  /** undefined when nothing tells */
  type?: string
}

/** Bytes looked at before a body is sent, to tell what it is. A smaller body is read whole. */
const LOOK = 1024 * 1024

const TYPES: Record<string, string> = {
  '.json': 'application/json',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.docx': 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  '.txt': 'text/plain; charset=utf-8',
  '.md': 'text/markdown; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.htm': 'text/html; charset=utf-8',
  '.csv': 'text/csv; charset=utf-8'
}

/**
 * Reads `-d`: the data itself, `@file`, or `@-` for stdin.
 *
 * @throws {InspectorError} Usage when a file can't be read
 */
export async function readData(data: string, stdin: Readable): Promise<CallData> {
  if (!data.startsWith('@')) return described(Buffer.from(data))
  const file = data.slice(1)
  if (file === '-') return beginning(stdin)
  if (file === '') throw new InspectorError('Usage', '-d @ names no file; @- is stdin')
  const info = await stat(file).catch(err => {
    throw new InspectorError('Usage', `-d: ${file} can't be read (${codeOf(err)})`)
  })
  if (info.isDirectory()) throw new InspectorError('Usage', `-d: ${file} is a folder`)
  const data_ = await beginning(readFile(file))
  return {
    ...data_,
    ...(info.isFile() ? { length: info.size } : {}),
    type: TYPES[extname(file).toLowerCase()] ?? data_.type
  }
}

/** What begins as an object was meant to be one: as text it would only come back as an error from far away. */
export function refuseBrokenJson(data: string): void {
  if (!data.trimStart().startsWith('{')) return
  try {
    JSON.parse(data)
  } catch (err) {
    throw new InspectorError('Usage', `-d: this is not valid JSON: ${err instanceof Error ? err.message : err}`, [
      "-H 'content-type: text/plain' sends it as text all the same"
    ])
  }
}

async function* readFile(file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(file)
  } catch (err) {
    throw new InspectorError('Usage', `-d: ${file} can't be read (${codeOf(err)})`)
  }
}

/** Reads enough to tell what it is; the rest follows when it is sent. */
async function beginning(source: AsyncIterable<Uint8Array>): Promise<CallData> {
  const chunks: Uint8Array[] = []
  let size = 0
  const rest = source[Symbol.asyncIterator]()
  while (size <= LOOK) {
    const { done, value } = await rest.next()
    if (done === true) return described(Buffer.concat(chunks))
    chunks.push(value)
    size += value.byteLength
  }
  const type = signatureOf(chunks[0] ?? new Uint8Array())
  return {
    ...(type == null ? {} : { type }),
    body: (async function* () {
      try {
        yield* chunks
        for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
      } finally {
        await rest.return?.()
      }
    })()
  }
}

function described(body: Buffer): CallData {
  const type = signatureOf(body) ?? textType(body)
  return { body, length: body.byteLength, ...(type == null ? {} : { type }) }
}

/** What the first bytes say, for files without a telling name. */
function signatureOf(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, 8)).toString('latin1')
  if (head.startsWith('%PDF-')) return TYPES['.pdf']
  if (head.startsWith('\x89PNG\r\n')) return TYPES['.png']
  if (head.startsWith('\xff\xd8\xff')) return TYPES['.jpg']
  return undefined
}

function textType(bytes: Buffer): string | undefined {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return 'application/octet-stream'
  }
  try {
    JSON.parse(text)
    return 'application/json'
  } catch {
    return TYPES['.txt']
  }
}

function codeOf(err: unknown): string {
  return err instanceof Error && 'code' in err ? String(err.code) : String(err)
}
