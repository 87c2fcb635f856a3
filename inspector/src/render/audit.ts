import type { AuditEntry, LostLines } from '@hedgerow/daemon/audit'
import { bytes, milliseconds, NONE, shortId } from './format.ts'
import { printable, type Style } from './style.ts'

/** One request in one line: lines come as they are read, so that a log of any length can be looked through. */
export function renderEntry(entry: AuditEntry | LostLines, { paint }: Style): string {
  if ('lost' in entry) return paint('red', `${printable(entry.time)}  ${entry.lost} lines were lost around here`)
  const { status, outcome, operation, service, worker, path, data_class } = entry
  const ok = outcome === 'answered' && status < 400
  return [
    printable(entry.started_at),
    entry.side === 'worker' ? 'worker ' : 'ingress',
    paint(ok ? 'green' : 'red', outcome === 'answered' ? String(status) : `${status} ${printable(outcome)}`),
    `${printable(service ?? NONE)} ${printable(operation ?? entry.method)}`,
    `by ${printable(entry.caller).replace(/(peer\/)(\S+)/, (_all, kind, id) => kind + shortId(id))}`,
    ...(data_class == null ? [] : [printable(data_class)]),
    `${bytes(entry.request_bytes)} in, ${bytes(entry.answer_bytes)} out`,
    ...(worker == null || entry.side === 'worker' ? [] : [`${shortId(worker)} ${printable(path ?? '')}`.trimEnd()]),
    milliseconds(entry.ms),
    paint('dim', printable(entry.request_id))
  ].join('  ')
}
