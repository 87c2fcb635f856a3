/** A disk of its own, small enough to be filled: for tests of what happens then. */
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TinyDisk {
  path: string
  /** Takes what is left of it, to the last byte. */
  fill(): void
  /** Gives that back. */
  free(): void
  remove(): void
}

/**
 * @param options of mount(8), as in `size=1m`
 * @returns the reason why there is none, where this user may not mount
 */
export function tinyDisk(options: string): TinyDisk | string {
  const path = mkdtempSync(join(tmpdir(), 'hedgerow-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], { stdio: ['ignore', 'ignore', 'pipe'] })
  } catch (err) {
    rmSync(path, { recursive: true })
    return `a tmpfs can't be mounted here: ${err instanceof Error ? err.message.split('\n').at(-2) : err}`
  }
  const filler = join(path, 'filler')
  return {
    path,
    fill() {
      const file = openSync(filler, 'a')
      for (let size = 64 * 1024; size >= 1; ) {
        try {
          writeSync(file, Buffer.alloc(size))
        } catch {
          size >>= 1
        }
      }
      closeSync(file)
    },
    free: () => rmSync(filler, { force: true }),
    remove() {
      execFileSync('umount', ['--lazy', path])
      rmSync(path, { recursive: true })
    }
  }
}
