import { once } from 'node:events'
import { createReadStream, type ReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { AuditEntry } from './index.ts'
import { byAge, dayOf, fileName, parseFileName } from './names.ts'

export interface AuditFilter {
  /** milliseconds since 1970; requests that were over before are left out */
  since?: number
  /** its name */
  service?: string
  /** whole, or what stands before or after its `/` */
  caller?: string
}

/** Lines that were lost, where they would stand. */
export interface LostLines {
  time: string
  lost: number
}

/**
 * Reads an audit log, oldest first. A line that is no entry (the last one, after a crash) is passed over.
 *
 * @throws {Error} `ENOENT` when there is none in this folder
 */
export async function* readAudit(folder: string, filter: AuditFilter = {}): AsyncGenerator<AuditEntry | LostLines> {
  const names = (await readdir(folder)).flatMap(name => parseFileName(name) ?? []).sort(byAge)
  const since = filter.since == null ? '' : new Date(filter.since).toISOString()
  const firstDay = filter.since == null ? '' : dayOf(filter.since)
  for (const name of names) {
    if (name.day < firstDay) continue
    const file = await openFile(join(folder, fileName(name)))
    // Its peer deleted it since the folder was read.
    if (file == null) continue
    for await (const line of createInterface({ input: file, crlfDelay: Number.POSITIVE_INFINITY })) {
      const entry = parseLine(line)
      if (entry != null && entry.time >= since && matches(entry, filter)) yield entry
    }
  }
}

async function openFile(path: string): Promise<ReadStream | undefined> {
  const stream = createReadStream(path)
  try {
    await once(stream, 'open')
    return stream
  } catch (err) {
    if (err instanceof Error && 'code' in err && err.code === 'ENOENT') return undefined
    throw err
  }
}

function parseLine(line: string): AuditEntry | LostLines | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  return isEntry(value) || isLoss(value) ? value : undefined
}

const TEXTS = ['time', 'started_at', 'request_id', 'side', 'caller', 'method', 'outcome'] as const
const MAYBE_TEXTS = ['service', 'operation', 'data_class', 'worker', 'path'] as const
const NUMBERS = ['request_bytes', 'answer_bytes', 'status', 'ms'] as const

function isEntry(value: unknown): value is AuditEntry {
  if (typeof value !== 'object' || value == null) return false
  const field = (name: string): unknown => Reflect.get(value, name)
  return (
    TEXTS.every(name => typeof field(name) === 'string') &&
    MAYBE_TEXTS.every(name => field(name) === null || typeof field(name) === 'string') &&
    NUMBERS.every(name => typeof field(name) === 'number')
  )
}

function isLoss(value: unknown): value is LostLines {
  if (typeof value !== 'object' || value == null || !('lost' in value) || !('time' in value)) return false
  return typeof value.lost === 'number' && typeof value.time === 'string'
}

function matches(entry: AuditEntry | LostLines, { service, caller }: AuditFilter): boolean {
  // Whoever looks for something must know that it may be among what was lost.
  if ('lost' in entry) return true
  if (service != null && entry.service !== service) return false
  return caller == null || entry.caller === caller || entry.caller.split('/').includes(caller)
}
