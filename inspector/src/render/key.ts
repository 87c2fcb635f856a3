import type { CreatedKey, KeyReport } from '../commands/key.ts'
import { NONE } from './format.ts'
import { printable, type Style } from './style.ts'
import { type Column, table } from './table.ts'

const COLUMNS: Column[] = [
  { title: 'ID' },
  { title: 'NAME', flexible: true },
  { title: 'RIGHTS' },
  { title: 'SERVICES' },
  { title: 'RATE', align: 'right' },
  { title: 'EXPIRES' },
  { title: 'STATUS' }
]

export function renderKeys({ data_dir, keys }: KeyReport, style: Style): string {
  if (keys.length === 0) return `there are no keys in ${printable(data_dir)}`
  const { paint } = style
  const rows = keys.map(({ id, name, rights, services, rate, expires, status }) => [
    id,
    printable(name),
    rights.join(', '),
    services === '*' ? 'all' : services.map(printable).join(', '),
    rate == null ? NONE : `${rate.perSecond}/s`,
    expires?.slice(0, 16).replace('T', ' ') ?? NONE,
    paint(status === 'good' ? 'green' : 'red', status)
  ])
  return table(COLUMNS, rows, style)
}

export function renderCreatedKey(created: CreatedKey, { paint }: Style): string {
  return `${paint('bold', created.key)}\n\n${aboutCreatedKey(created)}`
}

export function aboutCreatedKey({ name, expires }: CreatedKey): string {
  const until = expires == null ? 'it does not expire' : `it expires at ${expires}`
  return `The key of ${printable(name)}; ${until}. It is shown this once, and kept nowhere: hand it over now.`
}
