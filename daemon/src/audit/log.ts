import type { Logger } from 'pino'
import type { AuditFiles } from './files.ts'
import type { AuditEntry, AuditLog } from './index.ts'

/** Bytes that are gathered into one write: the call takes longer than all that is done for thirty lines ... */
const BUFFER = 64 * 1024
/** ... unless it takes longer than this, in milliseconds: a crash loses no more than that. */
const DELAY = 200
/** Bytes that wait while nothing can be written: some thousand lines; what is more is lost. */
const BACKLOG = 1024 * 1024
/** Milliseconds until writing is tried again where it failed. */
const RETRY = 2000
/** Milliseconds for the last lines when the peer stops. */
const LAST_WORDS = 2000

/** Lines wait in memory, in order, and go out one write after the other. */
export class BufferedAuditLog implements AuditLog {
  readonly #files: AuditFiles
  readonly #log: Pick<Logger, 'warn'>
  #waiting: Buffer[] = []
  #size = 0
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> | undefined
  /** whether the file holds the beginning of a line whose end waits */
  #cut = false
  #failing = false
  #stopped = false
  #lost = 0
  /** lost lines that no line tells of yet */
  #untold = 0

  constructor(files: AuditFiles, log: Pick<Logger, 'warn'>) {
    this.#files = files
    this.#log = log
  }

  get lost(): number {
    return this.#lost
  }

  write(entry: AuditEntry): void {
    const line = Buffer.from(`${JSON.stringify(entry)}\n`)
    if (this.#stopped || this.#size + line.byteLength > BACKLOG) {
      this.#lose(1)
      return
    }
    this.#add(line)
    if (this.#failing || this.#writing != null) return
    if (this.#size >= BUFFER) this.#flush()
    else this.#timer ??= setTimeout(() => this.#flush(), DELAY).unref()
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    const late = Promise.withResolvers<void>()
    const timer = setTimeout(late.resolve, LAST_WORDS)
    await Promise.race([this.#finish(), late.promise])
    clearTimeout(timer)
    clearTimeout(this.#timer)
  }

  async #finish(): Promise<void> {
    await this.#writing
    if (this.#size > 0) {
      this.#flush()
      await this.#writing
    }
    const left = this.#waiting.length
    if (left > 0) this.#log.warn({ lines: left }, 'the last lines of the audit log could not be written')
    await this.#files.close().catch(err => this.#log.warn({ err }, 'the audit log could not be closed'))
  }

  #add(line: Buffer): void {
    this.#waiting.push(line)
    this.#size += line.byteLength
  }

  #lose(lines: number): void {
    if (this.#untold === 0) this.#log.warn('the audit log loses lines: they come faster than they can be written')
    this.#lost += lines
    this.#untold += lines
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#writing != null) return
    this.#writing = this.#writeAll().then(
      () => {
        this.#writing = undefined
        if (this.#failing) this.#log.warn({ lost: this.#lost }, 'the audit log is written again')
        this.#failing = false
      },
      err => {
        this.#writing = undefined
        if (!this.#failing) this.#log.warn({ err }, 'the audit log can not be written; lines wait, then get lost')
        this.#failing = true
        if (!this.#stopped) this.#timer ??= setTimeout(() => this.#flush(), RETRY).unref()
      }
    )
  }

  async #writeAll(): Promise<void> {
    while (this.#size > 0) {
      const bytes = this.#waiting.length === 1 ? this.#waiting[0] : Buffer.concat(this.#waiting)
      const taken = this.#waiting.length
      if (bytes == null) return
      const written = await this.#files.append(bytes)
      this.#size -= written
      this.#cut = written < bytes.byteLength
      // A disk that fills up takes a part; the rest goes on from there, so that no line is cut for good.
      this.#waiting.splice(0, taken, ...(this.#cut ? [bytes.subarray(written)] : []))
      if (this.#untold > 0 && !this.#cut) this.#tell()
    }
  }

  /** After everything that came before. */
  #tell(): void {
    this.#add(Buffer.from(`${JSON.stringify({ time: new Date().toISOString(), lost: this.#untold })}\n`))
    this.#untold = 0
  }
}
