import type { InspectReport } from '../commands/inspect.ts'
import type { Advert, Capabilities, Health, Offer, PeerInfo, ServiceLoad } from '../source/index.ts'
import { age, bytes, count, duration, mebibytes, milliseconds, NONE, percent, way } from './format.ts'
import { condition, directPaths, seenFrom } from './peers.ts'
import { printable, type Style } from './style.ts'
import { table } from './table.ts'

export function renderInspect(report: InspectReport, style: Style): string {
  const { peer, advert, health, via } = report
  const head = `${style.paint('bold', printable(peer.name))}  ${printable(peer.role)}  ${printable(peer.peer_id)}`
  const status =
    health == null
      ? style.paint('red', `does not answer: ${printable(report.unreachable ?? '')}`)
      : `${printable(health.status)}, up ${duration(health.uptime)}, mesh ${printable(health.mesh)}`
  const sections = [
    `${head}\n${facts([
      ['status', status],
      ['version', printable(peer.version)],
      ['reached', reached(peer, style)],
      ['machine', machine(peer.capabilities)],
      ...(health?.containers == null ? [] : [['containers', containers(health.containers)] satisfies [string, string]]),
      ...(health == null ? [] : [['pages', directPaths(health.direct_paths)] satisfies [string, string]]),
      ['address', advert.addrs.map(printable).join('\n') || 'none: it reaches others, nobody reaches it'],
      ...(peer.url == null ? [] : [['url', printable(peer.url)] satisfies [string, string]]),
      ['could run', advert.eligible.map(printable).join(', ') || NONE],
      ['should run', peer.assigned_services.map(printable).join(', ') || NONE]
    ])}`,
    ...advert.services.map(offer => renderOffer(offer, loadLine(offer, peer.load.services[offer.name]), style)),
    ...renderStats(report, style),
    style.paint('dim', seenFrom(via))
  ]
  return sections.join('\n\n')
}

/** An advert alone, as the DHT has it. */
export function renderAdvert(advert: Advert, style: Style): string {
  return [
    `${style.paint('bold', printable(advert.name))}  ${printable(advert.role)}  ${printable(advert.peer_id)}\n${facts([
      ['version', printable(advert.version)],
      ['machine', machine(advert.capabilities)],
      ['address', advert.addrs.map(printable).join('\n') || NONE],
      ...(advert.url == null ? [] : [['url', printable(advert.url)] satisfies [string, string]]),
      ['could run', advert.eligible.map(printable).join(', ') || NONE],
      ['advert', `number ${printable(advert.sequence)}`]
    ])}`,
    ...advert.services.map(offer => renderOffer(offer, `${offer.concurrency} at once`, style))
  ].join('\n\n')
}

function reached(peer: PeerInfo, style: Style): string {
  if (peer.path === 'local') return 'it is the peer that was asked'
  return [
    peer.path == null ? 'no connection' : way(peer.path, peer.transport),
    ...(peer.round_trip_ms == null ? [] : [`round trip ${milliseconds(peer.round_trip_ms)}`]),
    condition(peer, style) ?? `last seen ${age(peer.last_seen, style.now)}`
  ].join(', ')
}

function machine({ cores, memory, disk, gpus, arch, platform }: Capabilities): string {
  if (cores === 0) return `${printable(platform)} ${printable(arch)}, runs no services`
  return [
    count(cores, 'core'),
    `${mebibytes(memory)} memory`,
    `${mebibytes(disk)} disk`,
    ...(gpus.length === 0
      ? ['no GPU']
      : gpus.map(({ model, memory: own }) => `${printable(model)} with ${mebibytes(own)}`)),
    `${printable(platform)} ${printable(arch)}`
  ].join(', ')
}

/** Whether a worker runs services in containers; why not is for its owner only. */
export function containers({ engine, gpu, reason, state }: NonNullable<Health['containers']>): string {
  if (engine != null) return `run by ${printable(engine)}, ${gpu === true ? 'with GPUs' : 'without a GPU'}`
  return reason == null ? `none are run here (${printable(state)})` : printable(reason)
}

function renderOffer(offer: Offer, load: string, style: Style): string {
  const aliases = offer.aliases.length === 0 ? '' : ` (${offer.aliases.map(printable).join(', ')})`
  const head = `${style.paint('bold', printable(offer.name))}${aliases} ${printable(offer.version)}: ${printable(offer.title)}`
  const about: Array<[string, string]> = [
    ['runs', load],
    ...(offer.resources.length === 0
      ? []
      : [['holds', offer.resources.map(printable).join(', ')] satisfies [string, string]])
  ]
  if (offer.protocol === 'tcp') return `${head}\n${facts([...about, ['speaks', forwardHint(offer)]])}`
  const rows = offer.operations.map(operation => [
    printable(operation.method),
    printable(operation.path),
    [
      ...(operation.main ? ['main'] : []),
      ...(operation.idempotent ? ['idempotent'] : []),
      ...(operation.internal ? ['internal'] : [])
    ].join(', ') || NONE,
    bytes(operation.body_limit),
    milliseconds(operation.first_byte_timeout_ms),
    milliseconds(operation.chunk_timeout_ms)
  ])
  const operations = table(
    [
      { title: 'METHOD' },
      { title: 'PATH' },
      { title: 'IS', flexible: true },
      { title: 'BODY', align: 'right' },
      { title: 'FIRST BYTE', align: 'right' },
      { title: 'BETWEEN', align: 'right' }
    ],
    rows,
    { ...style, ...(style.width == null ? {} : { width: style.width - 2 }) }
  )
  return `${head}\n${facts(about)}\n${indent(operations)}`
}

/** A TCP service has no operations to show; what one can do is reach it. */
function forwardHint({ name }: Offer): string {
  return `TCP: hedgerow forward ${printable(name)} PORT opens it at a port of this machine`
}

function loadLine({ concurrency }: Offer, load: ServiceLoad | undefined): string {
  if (load == null) return `${concurrency} at once, no load report yet`
  const { in_flight, queued, latency_ms, error_rate } = load
  const latency = latency_ms === 0 ? 'no request yet' : `first byte after ${milliseconds(latency_ms)}`
  return `${in_flight} of ${load.concurrency} in flight, ${queued} queued, ${latency}, ${percent(error_rate)} errors`
}

function renderStats({ stats }: InspectReport, style: Style): string[] {
  const entered = Object.entries(stats?.per_service ?? {})
  if (entered.length === 0) return []
  const rows = entered.map(([service, { requests, failed, retried, in_flight, latency_ms }]) => [
    printable(service),
    String(requests),
    String(failed),
    String(retried),
    String(in_flight),
    milliseconds(latency_ms)
  ])
  const columns = ['REQUESTS', 'FAILED', 'RETRIED', 'IN FLIGHT', 'MEDIAN'].map(title => ({
    title,
    align: 'right' as const
  }))
  return [`requests that entered here\n${indent(table([{ title: 'SERVICE' }, ...columns], rows, style))}`]
}

/** Names and values side by side; further lines of a value stay below it. */
export function facts(entries: Array<[name: string, value: string]>): string {
  const width = Math.max(...entries.map(([name]) => name.length))
  return entries
    .map(([name, value]) => `  ${name.padEnd(width)}  ${value.replaceAll('\n', `\n${' '.repeat(width + 4)}`)}`)
    .join('\n')
}

export function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ')
}
