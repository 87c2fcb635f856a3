/** Small files that a peer keeps in its data directory. */
import { rename, rm, writeFile } from 'node:fs/promises'

/**
 * Replaces a file, for this user only. Written beside and moved into place: whatever happens meanwhile (a crash, a full
 * disk), the file holds the old content or the new.
 */
export async function replaceFile(file: string, content: string): Promise<void> {
  const draft = `${file}.${process.pid}`
  try {
    await writeFile(draft, content, { mode: 0o600, flush: true })
    await rename(draft, file)
  } catch (err) {
    await rm(draft, { force: true })
    throw err
  }
}
