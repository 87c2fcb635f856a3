import type { PingReport, PingResult } from '../commands/ping.ts'
import { milliseconds, way } from './format.ts'
import { printable, type Style } from './style.ts'

export function renderPing(ping: PingResult, { paint }: Style): string {
  return 'error' in ping
    ? `${ping.sequence}: ${paint('red', printable(ping.error))}`
    : `${ping.sequence}: ${milliseconds(ping.round_trip_ms)}  ${way(ping.path, ping.transport)}  ${printable(ping.status)}`
}

export function renderPingSummary({ peer, via, sent, answered, min_ms, avg_ms, max_ms }: PingReport): string {
  const times =
    answered === 0 ? '' : `, min/avg/max ${[min_ms, avg_ms, max_ms].map(ms => milliseconds(ms)).join(' / ')}`
  return `${printable(via.name)} to ${printable(peer.name)}: ${answered} of ${sent} answered${times}`
}
