/** What an attempt teaches about its worker. */
import type { MeshErrorCode } from '../errors/index.ts'
import type { Attempt, Result } from './attempt.ts'
import { BUSY_PENALTY, FAILURE_PENALTY, LEAVING_PENALTY } from './constants.ts'
import type { LatencyWindow } from './latency-window.ts'
import type { Failure } from './outcome.ts'
import { defaultLatency } from './score.ts'

export interface Lesson {
  attempt: Attempt
  result: Result
  operation: string
  /** the operation's latencies, whoever answered */
  window: LatencyWindow
  /** whether there is a connection to the peer */
  connected: boolean
  now: number
}

/** When there is an answer, or there will be none. */
export function learn({ attempt, result, operation, window, connected, now }: Lesson): void {
  const { peer, track } = attempt.prospect
  const observe = (latency: number): void => {
    track.observe(operation, latency, now, window.count, defaultLatency(window))
  }
  switch (result.kind) {
    case 'answered': {
      peer.health.succeed()
      if (result.status >= 500) {
        track.fail(now)
        track.penalise(FAILURE_PENALTY, now)
        return
      }
      track.health.succeed()
      track.answered++
      // A refusal of the service (no such document, an invalid body) takes less time than its work would have.
      if (result.status >= 400 || attempt.firstByte == null) return
      observe(attempt.firstByte)
      window.add(attempt.firstByte)
      return
    }
    case 'abandoned':
      peer.health.endTrial()
      track.health.endTrial()
      // No fault, but a measurement: it would have taken at least as long.
      if (result.reason === 'Outrun' && attempt.firstByte == null) observe(now - attempt.startedAt)
      return
    default:
      blame(attempt, result, connected, now)
  }
}

/** When there is no answer, or it broke off while the caller was reading it. */
export function blame(attempt: Attempt, { code }: Failure, connected: boolean, now: number): void {
  const { peer, track } = attempt.prospect
  const { penalty, fault } = BLAME[code] ?? { penalty: 0, fault: 'nobody' }
  if (penalty > 0) track.penalise(penalty, now)
  // A stream that can't be opened may be our own doing (too many are open); no connection at all is not.
  if (code === 'Unreachable' && !connected) peer.eject('unreachable', now)
  else if (fault === 'peer') peer.fail(now)
  else if (attempt.headAt != null) peer.health.succeed()
  else peer.health.endTrial()
  if (fault === 'service') track.fail(now)
  else track.health.endTrial()
}

/** Whose fault it is, and how much the worker is shunned for a while. What isn't here is the request's fault. */
const BLAME: { [code in MeshErrorCode]?: { penalty: number; fault: 'peer' | 'service' | 'nobody' } } = {
  Busy: { penalty: BUSY_PENALTY, fault: 'nobody' },
  Draining: { penalty: LEAVING_PENALTY, fault: 'nobody' },
  NotServed: { penalty: LEAVING_PENALTY, fault: 'nobody' },
  Loading: { penalty: FAILURE_PENALTY, fault: 'nobody' },
  Starting: { penalty: FAILURE_PENALTY, fault: 'nobody' },
  Unreachable: { penalty: FAILURE_PENALTY, fault: 'peer' },
  WorkerLost: { penalty: FAILURE_PENALTY, fault: 'peer' },
  // Its heartbeat has ejected it already.
  WorkerWedged: { penalty: FAILURE_PENALTY, fault: 'peer' },
  BackendFailed: { penalty: FAILURE_PENALTY, fault: 'service' },
  FirstByteTimeout: { penalty: FAILURE_PENALTY, fault: 'service' },
  ChunkTimeout: { penalty: FAILURE_PENALTY, fault: 'service' },
  Internal: { penalty: FAILURE_PENALTY, fault: 'service' }
}
