/**
 * The audit log: who asked for what, how it went and how long it took, a line of JSON for each request, kept in the data
 * directory. Never what was asked or answered: no bodies, no headers, no paths, no query strings.
 *
 * It is written beside the requests, in order, and stops none of them: what can't be written for lack of room is lost,
 * counted, and said in the log and in the next line that can be.
 *
 * @example
 * ```ts
 * const audit = await openAuditLog({ folder: join(dataDir, 'audit'), days: 90, log })
 * audit.write(entry)
 * await audit.stop()
 * for await (const entry of readAudit(join(dataDir, 'audit'), { service: 'ner-extraction' })) console.log(entry)
 * ```
 */
import type { Logger } from 'pino'
import { AuditFiles } from './files.ts'
import { BufferedAuditLog } from './log.ts'

export { ingressEntry, workerEntry } from './entries.ts'
export { type AuditFilter, type LostLines, readAudit } from './read.ts'

/** The folder's name in a data directory. */
export const AUDIT_FOLDER = 'audit'

/** Days that the audit log is kept unless the settings say otherwise. */
export const AUDIT_DAYS = 90

/** MiB that it may take up, likewise: about eight million requests. */
export const AUDIT_SIZE = 2048

/** One request, as one of the two sides saw it. In snake_case because it is written as it is. */
export interface AuditEntry {
  /** when it was over; ISO 8601, as all times here */
  time: string
  started_at: string
  request_id: string
  /** where it entered the mesh, or where it was served */
  side: 'ingress' | 'worker'
  /** `local`, `key/<id>`, `peer/<id>`, `service/<name>` */
  caller: string
  /** null when what the caller named is no service's name */
  service: string | null
  /** as the contract has it: `POST /extract`; null when there is no such operation */
  operation: string | null
  method: string
  data_class: string | null
  request_bytes: number
  answer_bytes: number
  status: number
  /** `answered`, or the code of the error */
  outcome: string
  /** peer id; null when none answered */
  worker: string | null
  /** how the worker was reached; null when none was */
  path: string | null
  /** milliseconds to the last byte */
  ms: number
}

export interface AuditLogInit {
  folder: string
  /** files older than so many days are deleted */
  days: number
  /** MiB of all files together, beyond which the oldest are deleted before their time. @default {@link AUDIT_SIZE} */
  maxSize?: number
  log: Pick<Logger, 'warn'>
  /** milliseconds since 1970. @default Date.now */
  now?(): number
  /** bytes of one file; a larger one is followed by another of the same day. @default 64 MiB, or a quarter of all */
  maxFileSize?: number
}

export interface AuditLog {
  /** Never throws, never waits. */
  write(entry: AuditEntry): void
  /** lines that could not be written since the start */
  readonly lost: number
  /** Writes what waits, as far as that is possible within two seconds. */
  stop(): Promise<void>
}

export async function openAuditLog(init: AuditLogInit): Promise<AuditLog> {
  const files = new AuditFiles(init)
  const audit = new BufferedAuditLog(files, init.log)
  await files.prepare().catch(err => init.log.warn({ err, folder: init.folder }, 'the audit log is not ready'))
  return audit
}

/** For peers that keep none. */
export const NO_AUDIT_LOG: AuditLog = { lost: 0, write() {}, async stop() {} }
