import { open, readFile } from 'node:fs/promises'

const PIECE = 4 * 1024 * 1024

/** Whether a text stands anywhere in the memory of a process, as UTF-8: what it has handled in clear. */
export async function holdsInMemory(pid: number, text: string): Promise<boolean> {
  const wanted = Buffer.from(text)
  const maps = await readFile(`/proc/${pid}/maps`, 'utf8')
  const memory = await open(`/proc/${pid}/mem`, 'r')
  try {
    for (const line of maps.split('\n')) {
      const [range, access, , , , path] = line.split(/\s+/)
      if (range == null || access?.startsWith('rw') !== true || path?.startsWith('[v') === true) continue
      const [start = 0, end = 0] = range.split('-').map(address => Number.parseInt(address, 16))
      // Pieces overlap by the text's length, so that none is cut in two.
      for (let at = start; at < end; at += PIECE) {
        const length = Math.min(PIECE + wanted.length, end - at)
        const { bytesRead, buffer } = await memory
          .read(Buffer.alloc(length), 0, length, at)
          .catch(() => ({ bytesRead: 0, buffer: Buffer.alloc(0) }))
        if (buffer.subarray(0, bytesRead).includes(wanted)) return true
      }
    }
    return false
  } finally {
    await memory.close()
  }
}
