import { PassThrough, type Readable } from 'node:stream'

/** A container's output, as engines send it: frames of `[stream, 0, 0, 0, length as uint32]` and their bytes. */
const HEADER = 8
const STDERR = 2

/** Takes the two streams apart again, no faster than they are read, with nothing kept but a header. */
export function splitOutput(source: Readable): { stdout: Readable; stderr: Readable } {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  void copy(source, stdout, stderr)
    // Broken off: what came before counts all the same.
    .catch(() => {})
    .finally(() => {
      stdout.end()
      stderr.end()
    })
  return { stdout, stderr }
}

async function copy(source: Readable, stdout: PassThrough, stderr: PassThrough): Promise<void> {
  let header = Buffer.alloc(0)
  let left = 0
  let target = stdout
  for await (const piece of source) {
    let chunk: Buffer = Buffer.isBuffer(piece) ? piece : Buffer.from(piece)
    while (chunk.length > 0) {
      if (left === 0) {
        const missing = HEADER - header.length
        header = Buffer.concat([header, chunk.subarray(0, missing)])
        chunk = chunk.subarray(missing)
        if (header.length < HEADER) continue
        target = header[0] === STDERR ? stderr : stdout
        left = header.readUInt32BE(4)
        header = Buffer.alloc(0)
        continue
      }
      const part = chunk.subarray(0, left)
      left -= part.length
      chunk = chunk.subarray(part.length)
      if (!target.write(part)) await new Promise(resolve => target.once('drain', resolve))
    }
  }
}
