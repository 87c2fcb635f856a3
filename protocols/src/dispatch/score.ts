import { DEFAULT_LATENCY, MIN_SERVICE_SHARE, PENALTY_UNIT } from './constants.ts'
import type { Prospect } from './experience.ts'
import type { LatencyWindow } from './latency-window.ts'

export interface Score {
  prospect: Prospect
  /** expected milliseconds to the first byte */
  score: number
  latency: number
  roundTrip: number
  inFlight: number
  queued: number
  concurrency: number
  penalty: number
}

export interface ScoreInput {
  /** milliseconds to the first byte, as seen from here */
  latency: number
  /** milliseconds; 0 when unknown */
  roundTrip: number
  /** requests under way and waiting there, everybody's */
  busy: number
  /** requests that it runs at once */
  concurrency: number
  /** how many times more of our requests it would have than it has shown that it can take; 1 when it isn't new */
  ramp: number
  penalty: number
}

/**
 * What one more request would have to wait. Part of the latency is the round trip, which load doesn't change; the rest is
 * the worker's own work, at least a share of it, so that load counts for every worker. The work takes as long as ever on
 * an idle worker, twice as long on one that is full, then longer with the queue. (Dividing by concurrency without the
 * 1 would make an idle worker seem faster the more it runs at once, until distance alone decides.)
 */
export function expectedLatency({ latency, roundTrip, busy, concurrency, ramp, penalty }: ScoreInput): number {
  const way = Math.min(roundTrip, latency * (1 - MIN_SERVICE_SHARE))
  const work = (latency - way) * (1 + busy / concurrency)
  return work * ramp + way + penalty * Math.max(latency, PENALTY_UNIT)
}

/** @param window the operation's latencies, whoever answered: what to expect of a worker that is new here */
export function scoreOf(prospect: Prospect, operation: string, window: LatencyWindow, now: number): Score {
  const { candidate, peer, track } = prospect
  const { load } = candidate
  const concurrency = Math.max(1, load?.concurrency ?? candidate.offer.contract.concurrency)
  const roundTrip = peer.roundTrip ?? 0
  const latency = track.latency(operation, now, window.count) ?? defaultLatency(window)
  // Silence makes a report history: what was in flight then isn't now.
  const inFlight = track.inFlight + (candidate.silent ? 0 : track.othersInFlight)
  const queued = candidate.silent ? 0 : track.othersQueued
  const penalty = track.penalty(now)
  // Like TCP's slow start: each answer lets a new worker have one request more at once.
  const ramp = track.inFlight > track.answered ? (track.inFlight + 1) / (track.answered + 1) : 1
  const score = expectedLatency({ latency, roundTrip, busy: inFlight + queued, concurrency, ramp, penalty })
  return { prospect, score, latency, roundTrip, inFlight, queued, concurrency, penalty }
}

/**
 * What a worker is expected to take that this peer hasn't measured (lately): the median of its fellows. What it says
 * itself is no measure: it may be as old as its last request, or a lie that draws traffic.
 */
export function defaultLatency({ count, median }: LatencyWindow): number {
  return count > 0 ? median : DEFAULT_LATENCY
}
