import { setTimeout as sleep } from 'node:timers/promises'
import { InspectorError } from '../errors.ts'
import type { MeshSource, Pong, Via } from '../source/index.ts'
import { findPeer } from './resolve.ts'

export interface PingOptions {
  count: number
  /** milliseconds between two */
  interval: number
  /** called as each answer comes, or doesn't */
  onPing?(ping: PingResult): void
}

export type PingResult = ({ sequence: number } & Pong) | { sequence: number; error: string }

export interface PingReport {
  via: Via
  peer: { name: string; peer_id: string }
  sent: number
  answered: number
  /** of the round trips; null when none was answered */
  min_ms: number | null
  avg_ms: number | null
  max_ms: number | null
  pings: PingResult[]
}

/** Asks one peer several times; Ctrl-C ends it with what it has. */
export async function pingPeer(
  source: MeshSource,
  given: string,
  { count, interval, onPing }: PingOptions,
  signal: AbortSignal
): Promise<PingReport> {
  const { name, peer_id } = await findPeer(source, given, signal)
  const pings: PingResult[] = []
  for (let sequence = 1; sequence <= count; sequence++) {
    if (sequence > 1) await sleep(interval, undefined, { signal }).catch(() => {})
    if (signal.aborted) break
    const ping = await pingOnce(source, peer_id, sequence, signal)
    if (signal.aborted) break
    pings.push(ping)
    onPing?.(ping)
  }
  return { via: source.via, peer: { name, peer_id }, ...summary(pings), pings }
}

async function pingOnce(
  source: MeshSource,
  peerId: string,
  sequence: number,
  signal: AbortSignal
): Promise<PingResult> {
  try {
    return { sequence, ...(await source.ping(peerId, signal)) }
  } catch (err) {
    if (signal.aborted || (err instanceof InspectorError && err.code !== 'Unreachable'))
      return { sequence, error: err instanceof Error ? err.message : String(err) }
    throw err
  }
}

export function summary(pings: PingResult[]): Pick<PingReport, 'sent' | 'answered' | 'min_ms' | 'avg_ms' | 'max_ms'> {
  const times = pings.flatMap(ping => ('error' in ping ? [] : [ping.round_trip_ms]))
  const sum = times.reduce((total, ms) => total + ms, 0)
  return {
    sent: pings.length,
    answered: times.length,
    min_ms: times.length === 0 ? null : Math.min(...times),
    avg_ms: times.length === 0 ? null : Math.round((sum / times.length) * 1000) / 1000,
    max_ms: times.length === 0 ? null : Math.max(...times)
  }
}
