import type { ServicesReport } from '../commands/services.ts'
import { NONE, shortId } from './format.ts'
import { seenFrom } from './peers.ts'
import { printable, type Style } from './style.ts'
import { type Column, table } from './table.ts'

const COLUMNS: Column[] = [
  { title: 'SERVICE' },
  { title: 'ALIASES' },
  { title: 'SPEAKS' },
  { title: 'TIER' },
  { title: 'WANTED', align: 'right' },
  { title: 'FOUND', align: 'right' },
  { title: 'HEALTHY', align: 'right' },
  { title: 'WORKERS', flexible: true }
]

export function renderServices({ via, services, gaps }: ServicesReport, style: Style): string {
  const { paint } = style
  if (services.length === 0) return `no service is known, ${seenFrom(via)}`
  const rows = services.map(({ name, aliases, protocol, tier, wanted, found, healthy, workers }) => [
    paint('bold', printable(name)),
    aliases.map(printable).join(', ') || NONE,
    printable(protocol ?? 'http'),
    printable(tier),
    String(wanted),
    String(found),
    paint(healthy === 0 ? 'red' : healthy < Math.min(wanted, found) ? 'yellow' : 'green', String(healthy)),
    workers.map(worker => printable(worker.name) || shortId(worker.peer_id)).join(', ') || NONE
  ])
  const titles = new Map(services.map(({ name, title }) => [name, title]))
  const gapLine =
    gaps.length === 0
      ? 'every known service has a worker'
      : gaps
          .map(name => `${paint('red', `nobody offers ${printable(name)} now`)}: ${printable(titles.get(name) ?? '')}`)
          .join('\n')
  return `${table(COLUMNS, rows, style)}\n\n${gapLine}\n${paint('dim', seenFrom(via))}`
}
