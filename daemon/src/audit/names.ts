/** `audit-2026-11-25.jsonl`, and `audit-2026-11-25.1.jsonl` when that is full. */
const NAME = /^audit-(?<day>\d{4}-\d\d-\d\d)(?:\.(?<part>\d{1,6}))?\.jsonl$/

export interface AuditFileName {
  /** `2026-11-25`, UTC */
  day: string
  /** 0 for the first of a day */
  part: number
}

export function fileName({ day, part }: AuditFileName): string {
  return part === 0 ? `audit-${day}.jsonl` : `audit-${day}.${part}.jsonl`
}

/** @returns undefined when it is no file of the audit log */
export function parseFileName(name: string): AuditFileName | undefined {
  const { day, part } = NAME.exec(name)?.groups ?? {}
  return day == null ? undefined : { day, part: Number(part ?? 0) }
}

/** Oldest first. */
export function byAge(a: AuditFileName, b: AuditFileName): number {
  return a.day === b.day ? a.part - b.part : a.day < b.day ? -1 : 1
}

const DAY = 24 * 60 * 60_000

/** @param time milliseconds since 1970 @param ago how many days before */
export function dayOf(time: number, ago = 0): string {
  return new Date(time - ago * DAY).toISOString().slice(0, 10)
}
