import type { MeshErrorCode } from '../errors/index.ts'
import type { Route } from '../invocation/index.ts'
import { MAX_RECORDED_CANDIDATES, MAX_RECORDS, RECORD_MEMORY } from './constants.ts'
import type { Rejection } from './eligible.ts'
import type { ExplainedCandidate, Explanation } from './index.ts'
import type { Score } from './score.ts'

export type Source = Explanation['source']
export type Reason = 'picked' | 'new' | 'only' | 'pinned' | 'retry' | 'hedge'
export type Outcome = 'answered' | MeshErrorCode | 'pending'

export interface AttemptRecord {
  peerId: string
  reason: Reason
  route: Route | undefined
  startedAt: number
  endedAt: number | undefined
  outcome: Outcome | 'abandoned'
  detail?: string
  status?: number
}

export function attemptRecord(peerId: string, reason: Reason, startedAt: number): AttemptRecord {
  return { peerId, reason, route: undefined, startedAt, endedAt: undefined, outcome: 'pending' }
}

/** One decision as it is noted while it is made. It is put into words only when somebody asks. */
export interface Decision {
  requestId: string
  service: string
  operation: string
  depth: number
  /** milliseconds since 1970 */
  date: number
  startedAt: number
  lookup: number
  source: Source
  /** of the first pick */
  scores: Score[]
  rejected: Rejection[]
  attempts: AttemptRecord[]
  chosen: AttemptRecord | undefined
  firstByteAt: number | undefined
  endedAt: number | undefined
  outcome: Outcome
}

/** The last decisions, by request id. */
export class Records {
  /** oldest first */
  private readonly decisions = new Map<string, Decision>()

  add(decision: Decision): void {
    const { requestId } = decision
    const known = this.decisions.get(requestId)
    if (known != null) {
      // A nested call has the id of the request that it is part of, which is the one that is asked for.
      if (known.depth < decision.depth) return
      this.decisions.delete(requestId)
    } else if (this.decisions.size >= MAX_RECORDS) {
      for (const oldest of this.decisions.keys()) {
        this.decisions.delete(oldest)
        break
      }
    }
    this.decisions.set(requestId, decision)
  }

  explain(requestId: string, now: number): Explanation | undefined {
    const decision = this.decisions.get(requestId)
    return decision == null || now - decision.startedAt >= RECORD_MEMORY ? undefined : inWords(decision, now)
  }
}

function inWords(decision: Decision, now: number): Explanation {
  const { startedAt, endedAt, firstByteAt, chosen } = decision
  return {
    request_id: decision.requestId,
    service: decision.service,
    operation: decision.operation,
    at: new Date(decision.date).toISOString(),
    source: decision.source,
    candidates: candidatesOf(decision),
    chosen: chosen?.peerId ?? null,
    attempts: decision.attempts.map(attempt => ({
      peer_id: attempt.peerId,
      outcome: attempt.outcome,
      ...(attempt.detail == null ? {} : { detail: attempt.detail }),
      ...(attempt.status == null ? {} : { status: attempt.status }),
      path: attempt.route?.path ?? null,
      transport: attempt.route?.transport ?? null,
      reason: attempt.reason,
      ms: rounded((attempt.endedAt ?? now) - attempt.startedAt)
    })),
    outcome: decision.outcome,
    path: chosen?.route?.path ?? null,
    transport: chosen?.route?.transport ?? null,
    timing: {
      total_ms: endedAt == null ? null : rounded(endedAt - startedAt),
      lookup_ms: rounded(decision.lookup),
      first_byte_ms: firstByteAt == null ? null : rounded(firstByteAt - startedAt)
    }
  }
}

function candidatesOf({ scores, rejected }: Decision): ExplainedCandidate[] {
  const considered = scores.map(
    (score): ExplainedCandidate => ({
      peer_id: score.prospect.candidate.peerId,
      score: rounded(score.score),
      latency_ms: rounded(score.latency),
      round_trip_ms: rounded(score.roundTrip),
      in_flight: score.inFlight,
      queued: score.queued,
      concurrency: score.concurrency,
      penalty: rounded(score.penalty)
    })
  )
  const others = rejected.map(({ peerId, reason }) => ({ peer_id: peerId, score: null, rejected: reason }))
  return [...considered, ...others].slice(0, MAX_RECORDED_CANDIDATES)
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000
}
