import { type FSWatcher, watch } from 'node:fs'
import { basename, dirname } from 'node:path'

/** Milliseconds in which one change of a file is told several times. */
const SETTLE = 100

/**
 * Calls whenever a file may have changed. Its folder is watched, because files are replaced and not written in place.
 *
 * @returns stops
 */
export function watchFile(file: string, changed: () => void): () => void {
  let timer: NodeJS.Timeout | undefined
  let watcher: FSWatcher | undefined
  try {
    watcher = watch(dirname(file), { persistent: false }, (_event, name) => {
      if (name != null && name !== basename(file)) return
      clearTimeout(timer)
      timer = setTimeout(changed, SETTLE)
      timer.unref()
    })
    // A folder that can't be watched any more: what is put there is read at the next start.
    watcher.on('error', () => watcher?.close())
  } catch {
    // not on this file system
  }
  return () => {
    clearTimeout(timer)
    watcher?.close()
  }
}
