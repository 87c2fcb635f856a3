import type { Readable, Writable } from 'node:stream'
import { type Style, styleFor, type Terminal } from '../render/style.ts'

/** What a command talks to; the process's own, or a test's. */
export interface Io {
  stdin: Readable & { isTTY?: boolean; setRawMode?(mode: boolean): unknown }
  stdout: Writable & Terminal & { rows?: number }
  stderr: Writable & Terminal
  env: Record<string, string | undefined>
}

/** The reader of our output left (`| head`). Nobody is there to be told. */
export class ReaderGone extends Error {
  override readonly name = 'ReaderGone'
}

/** Resolves when it is written, so that no more is made than is read. */
export function write(stream: Writable, data: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(data, err => {
      if (err == null) resolve()
      else reject('code' in err && err.code === 'EPIPE' ? new ReaderGone() : err)
    })
  })
}

export const writeLine = (stream: Writable, text: string): Promise<void> => write(stream, `${text}\n`)

export const styleOf = (io: Io): Style => styleFor(io.stdout, io.env)

/** JSON that is safe to show: C1 control characters may stand in JSON as they are, but not in a terminal. */
export function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  )
}
