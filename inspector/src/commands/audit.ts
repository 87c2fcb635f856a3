import { homedir } from 'node:os'
import { join } from 'node:path'
import { AUDIT_FOLDER, type AuditEntry, type AuditFilter, type LostLines, readAudit } from '@hedgerow/daemon/audit'
import { InspectorError } from '../errors.ts'

export interface AuditOptions extends AuditFilter {
  dataDir?: string
}

/**
 * Reads a peer's audit log out of its data directory, oldest first.
 *
 * @throws {InspectorError} Failed when there is none, or it may not be read
 */
export async function* auditEntries(
  { dataDir, ...filter }: AuditOptions,
  env: Record<string, string | undefined>
): AsyncGenerator<AuditEntry | LostLines> {
  const dir = dataDir ?? env.HEDGEROW_DATA_DIR ?? join(dataHome(env), 'hedgerow', 'daemon')
  try {
    yield* readAudit(join(dir, AUDIT_FOLDER), filter)
  } catch (err) {
    const code = err instanceof Error && 'code' in err ? String(err.code) : undefined
    if (code == null) throw err
    throw new InspectorError(
      'Failed',
      code === 'ENOENT' ? `there is no audit log in ${dir}` : `the audit log in ${dir} can't be read (${code})`,
      ['name the data directory of the daemon or relay with --data-dir; a peer with HEDGEROW_AUDIT_DAYS=0 keeps no log']
    )
  }
}

function dataHome(env: Record<string, string | undefined>): string {
  return env.XDG_DATA_HOME ?? join(env.HOME ?? homedir(), '.local', 'share')
}

const UNITS: Record<string, number> = { s: 1000, min: 60_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `2h`, `30min`, `7d` before now, or a date. @returns milliseconds since 1970; undefined when it is neither */
export function momentIn(text: string, now: number): number | undefined {
  const { amount, unit = '' } = /^(?<amount>\d{1,9})\s?(?<unit>s|min|m|h|d)$/.exec(text)?.groups ?? {}
  if (amount != null) return now - Number(amount) * (UNITS[unit] ?? 0)
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(time) ? undefined : time
}
