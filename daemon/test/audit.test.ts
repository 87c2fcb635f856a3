import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { type AuditEntry, type AuditLog, openAuditLog, readAudit } from '@hedgerow/daemon/audit'

const DAY = 24 * 60 * 60_000
const START = Date.parse('2026-11-25T12:00:00.000Z')

function entry(i: number, extra: Partial<AuditEntry> = {}): AuditEntry {
  return {
    time: new Date(START + i).toISOString(),
    started_at: new Date(START + i - 5).toISOString(),
    request_id: String(i).padStart(32, '0'),
    side: 'ingress',
    caller: 'local',
    service: 'ner-extraction',
    operation: 'POST /extract',
    method: 'POST',
    data_class: null,
    request_bytes: 10,
    answer_bytes: 20,
    status: 200,
    outcome: 'answered',
    worker: null,
    path: 'local',
    ms: 5,
    ...extra
  }
}

describe('audit log', () => {
  let folder: string
  let now: number
  let warnings: string[]
  let audit: AuditLog | undefined
  const log = { warn: (...args: unknown[]) => void warnings.push(String(args.at(-1))) }

  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'hedgerow-audit-')), 'audit')
    now = START
    warnings = []
  })

  afterEach(async () => {
    await audit?.stop()
    await rm(join(folder, '..'), { recursive: true })
  })

  const opened = async (extra = {}): Promise<AuditLog> => {
    audit = await openAuditLog({ folder, days: 3, log, now: () => now, ...extra })
    return audit
  }
  const read = async (filter = {}): Promise<unknown[]> => {
    const entries: unknown[] = []
    for await (const entry of readAudit(folder, filter)) entries.push(entry)
    return entries
  }

  it('keeps every line, in order, for this user alone', async () => {
    const audit = await opened()
    const entries = Array.from({ length: 2000 }, (_, i) => entry(i))
    for (const one of entries) audit.write(one)
    await audit.stop()
    assert.deepEqual(await read(), entries)
    assert.deepEqual(await readdir(folder), ['audit-2026-11-25.jsonl'])
    assert.equal((await stat(folder)).mode & 0o777, 0o700)
    assert.equal((await stat(join(folder, 'audit-2026-11-25.jsonl'))).mode & 0o777, 0o600)
    assert.equal(audit.lost, 0)
    assert.deepEqual(warnings, [])
  })

  it('deletes its oldest files before their days are over rather than grow beyond its size, and says so', async () => {
    const audit = await opened({ maxSize: 2 })
    for (let i = 0; i < 12_000; i++) {
      audit.write(entry(i))
      // more than a mebibyte that waits would be lost
      while (i % 1000 === 999 && !isDeepStrictEqual((await read()).at(-1), entry(i)))
        await new Promise(resolve => setTimeout(resolve, 20))
    }
    await audit.stop()
    const sizes = await Promise.all((await readdir(folder)).map(async name => (await stat(join(folder, name))).size))
    const sum = sizes.reduce((a, b) => a + b, 0)
    assert.ok(sum > 1024 * 1024 && sum <= 3 * 1024 * 1024, `${sum} bytes in ${sizes.length} files`)
    const kept = (await read()) as AuditEntry[]
    assert.deepEqual(kept.at(-1), entry(11_999))
    assert.deepEqual(
      kept,
      Array.from({ length: kept.length }, (_, i) => entry(12_000 - kept.length + i))
    )
    assert.match(warnings.join(), /HEDGEROW_AUDIT_MB/)
    assert.equal(audit.lost, 0)
  })

  it('appends to what another process wrote, and never changes it', async () => {
    for (const i of [1, 2, 3]) {
      const audit = await opened()
      audit.write(entry(i))
      await audit.stop()
    }
    assert.deepEqual(await read(), [entry(1), entry(2), entry(3)])
  })

  it('begins a file each day and when one is full, and deletes those that are too old', async () => {
    const audit = await opened({ maxFileSize: 600 })
    for (let day = 0; day < 6; day++) {
      now = START + day * DAY
      for (let i = 0; i < 3; i++) {
        // one write each
        const before = (await read()).length
        audit.write(entry(day * DAY + i))
        while ((await read()).length === before) await new Promise(resolve => setTimeout(resolve, 20))
      }
    }
    const names = (await readdir(folder)).sort()
    assert.deepEqual(
      names.filter(name => /\d\.jsonl$/.test(name) && !name.includes('.1.')),
      ['audit-2026-11-27.jsonl', 'audit-2026-11-28.jsonl', 'audit-2026-11-29.jsonl', 'audit-2026-11-30.jsonl']
    )
    assert.ok(names.includes('audit-2026-11-30.1.jsonl'))
    assert.equal((await read({ since: START + 5 * DAY })).length, 3)
  })

  it('touches no file in its folder that is not its own', async () => {
    const audit = await opened()
    await writeFile(join(folder, 'notes.txt'), 'mine')
    await utimes(join(folder, 'notes.txt'), 0, 0)
    now += 100 * DAY
    audit.write(entry(1))
    await audit.stop()
    assert.equal(await readFile(join(folder, 'notes.txt'), 'utf8'), 'mine')
  })

  it('loses lines that it has no room for, says how many, and goes on when it can', async () => {
    // A file where its folder should be: nothing can be written, whoever runs this.
    await writeFile(folder, '')
    const audit = await opened()
    const entries = Array.from({ length: 5000 }, (_, i) => entry(i))
    for (const one of entries) audit.write(one)
    assert.ok(audit.lost > 0)
    assert.ok(warnings.some(warning => /loses lines/.test(warning)))
    await rm(folder)
    await audit.stop()
    const lines = await read()
    assert.deepEqual(lines.slice(0, -1), entries.slice(0, entries.length - audit.lost))
    assert.equal((lines.at(-1) as { lost: number }).lost, audit.lost)
  })

  it('holds nobody up who stops while nothing can be written', async () => {
    await writeFile(folder, '')
    const audit = await opened()
    audit.write(entry(1))
    await audit.stop()
    assert.ok(warnings.some(warning => /could not be written/.test(warning)))
    await rm(folder)
  })

  it('is read by time, service and caller, past lines that a crash cut', async () => {
    const audit = await opened()
    audit.write(entry(0))
    audit.write(entry(1000, { caller: 'key/frontend', service: 'vision-ocr' }))
    audit.write(entry(2000, { caller: 'peer/12D3KooW', service: null }))
    await audit.stop()
    await writeFile(join(folder, 'audit-2026-11-25.jsonl'), '{"time":"2026-', { flag: 'a' })
    assert.equal((await read()).length, 3)
    assert.equal((await read({ since: START + 1000 })).length, 2)
    assert.deepEqual(await read({ service: 'vision-ocr' }), await read({ caller: 'frontend' }))
    assert.equal((await read({ caller: 'key/frontend' })).length, 1)
    assert.equal((await read({ caller: 'peer' })).length, 1)
  })
})
