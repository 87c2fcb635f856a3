import { chmod, type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { AuditLogInit } from './index.ts'
import { type AuditFileName, byAge, dayOf, fileName, parseFileName } from './names.ts'

const MAX_FILE_SIZE = 64 * 1024 * 1024

/** The files of the audit log: a new one each day and when one is full, old ones deleted. Nothing is ever rewritten. */
export class AuditFiles {
  readonly #folder: string
  readonly #days: number
  readonly #maxFileSize: number
  readonly #now: () => number
  #handle: FileHandle | undefined
  #current: AuditFileName | undefined
  #size = 0

  constructor({ folder, days, now = Date.now, maxFileSize = MAX_FILE_SIZE }: AuditLogInit) {
    this.#folder = folder
    this.#days = days
    this.#maxFileSize = maxFileSize
    this.#now = now
  }

  /** Makes the folder, this user's alone, and deletes what is too old. */
  async prepare(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    // It may have been there before, with other rights.
    await chmod(this.#folder, 0o700)
    const kept = await this.#names()
    const oldest = dayOf(this.#now(), this.#days)
    for (const name of kept) if (name.day < oldest) await rm(join(this.#folder, fileName(name)), { force: true })
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
    return open(join(this.#folder, fileName(name)), 'a', 0o600)
  }

  async #names(): Promise<AuditFileName[]> {
    const found = await readdir(this.#folder)
    return found.flatMap(name => parseFileName(name) ?? []).sort(byAge)
  }
}
