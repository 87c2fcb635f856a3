import { chmod, type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { AUDIT_SIZE, type AuditLogInit } from './index.ts'
import { type AuditFileName, byAge, dayOf, fileName, parseFileName } from './names.ts'

const MEBIBYTE = 1024 * 1024
const MAX_FILE_SIZE = 64 * MEBIBYTE

/** The files of the audit log: a new one each day and when one is full, old ones deleted. Nothing is ever rewritten. */
export class AuditFiles {
  readonly #folder: string
  readonly #days: number
  readonly #maxSize: number
  readonly #maxFileSize: number
  readonly #log: AuditLogInit['log']
  readonly #now: () => number
  #handle: FileHandle | undefined
  #current: AuditFileName | undefined
  #size = 0

  constructor({ folder, days, log, now = Date.now, maxSize = AUDIT_SIZE, maxFileSize }: AuditLogInit) {
    this.#folder = folder
    this.#days = days
    this.#log = log
    this.#maxSize = maxSize * MEBIBYTE
    this.#maxFileSize = maxFileSize ?? Math.min(MAX_FILE_SIZE, this.#maxSize / 4)
    this.#now = now
  }

  /** Makes the folder, this user's alone, and deletes what is too old or too much. */
  async prepare(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    // It may have been there before, with other rights.
    await chmod(this.#folder, 0o700)
    const oldest = dayOf(this.#now(), this.#days)
    const kept: AuditFileName[] = []
    for (const name of await this.#names()) {
      if (name.day < oldest) await rm(this.#path(name), { force: true })
      else kept.push(name)
    }
    await this.#makeRoom(kept)
  }

  /** So that the file that is written next may become as large as one may. @param kept oldest first */
  async #makeRoom(kept: readonly AuditFileName[]): Promise<void> {
    const sizes = await Promise.all(kept.map(name => stat(this.#path(name)).then(({ size }) => size)))
    let size = sizes.reduce((sum, one) => sum + one, 0)
    for (const [i, name] of kept.entries()) {
      if (size + this.#maxFileSize <= this.#maxSize) return
      await rm(this.#path(name), { force: true })
      size -= sizes[i] ?? 0
      this.#log.warn(
        { file: fileName(name), limit_mb: this.#maxSize / MEBIBYTE },
        'the audit log is larger than HEDGEROW_AUDIT_MB: its oldest file is deleted before its days are over'
      )
    }
  }

  /** Appends whole lines. @returns how many of the bytes were written @throws when none could be */
  async append(bytes: Buffer): Promise<number> {
    const handle = await this.#open()
    const { bytesWritten } = await handle.write(bytes)
    this.#size += bytesWritten
    return bytesWritten
  }

  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    this.#current = undefined
    await handle?.close()
  }

  async #open(): Promise<FileHandle> {
    const day = dayOf(this.#now())
    if (this.#handle != null && this.#current?.day === day && this.#size < this.#maxFileSize) return this.#handle
    await this.close()
    await this.prepare()
    let name = (await this.#names()).findLast(known => known.day === day) ?? { day, part: 0 }
    let handle = await this.#openFile(name)
    let { size } = await handle.stat()
    if (size >= this.#maxFileSize) {
      await handle.close()
      name = { day, part: name.part + 1 }
      handle = await this.#openFile(name)
      size = (await handle.stat()).size
    }
    this.#handle = handle
    this.#current = name
    this.#size = size
    return handle
  }

  /** `a` is O_APPEND: not even this process can change what is written. */
  #openFile(name: AuditFileName): Promise<FileHandle> {
    return open(this.#path(name), 'a', 0o600)
  }

  #path(name: AuditFileName): string {
    return join(this.#folder, fileName(name))
  }

  async #names(): Promise<AuditFileName[]> {
    const found = await readdir(this.#folder)
    return found.flatMap(name => parseFileName(name) ?? []).sort(byAge)
  }
}
