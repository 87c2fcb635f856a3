/** What this peer itself experiences with others: in memory, bounded, forgotten when it stops. */
import type { LoadReport } from '../load/index.ts'
import type { Candidate } from '../view/index.ts'
import { RetryBudget } from './budget.ts'
import { MAX_OPERATIONS, MAX_PEERS, MAX_PENALTY, MAX_SERVICES, PENALTY_DECAY, ROUND_TRIP_WEIGHT } from './constants.ts'
import { DecayingSum } from './decaying-sum.ts'
import { type Cause, Health } from './health.ts'
import { PeakEwma } from './latency.ts'
import { LatencyWindow } from './latency-window.ts'

/** A worker that may be picked, with what is known of it. */
export interface Prospect {
  candidate: Candidate
  peer: PeerState
  track: Track
}

/** One service on one peer. */
export class Track {
  readonly health = new Health(false)
  /** our own requests under way */
  inFlight = 0
  /** answers since it was new */
  answered = 0
  /** whether it ever got a request, since it was new */
  tried = false
  /** others' requests, as far as the last load report tells them from ours */
  othersInFlight = 0
  othersQueued = 0
  /** the last measured time to first byte, for people */
  lastLatency = 0
  private readonly latencies = new Map<string, PeakEwma>()
  private readonly penalties = new DecayingSum(PENALTY_DECAY)
  private since = -Infinity
  private report: LoadReport | undefined

  /** @param answers of the operation in all, whoever gave them */
  latency(operation: string, now: number, answers: number): number | undefined {
    return this.latencies.get(operation)?.value(now, answers)
  }

  observe(operation: string, latency: number, now: number, answers: number, prior: number): void {
    entry(this.latencies, operation, MAX_OPERATIONS, () => new PeakEwma()).observe(latency, now, answers, prior)
    this.lastLatency = latency
  }

  penalty(now: number): number {
    return this.penalties.value(now)
  }

  penalise(amount: number, now: number): void {
    this.penalties.add(Math.min(amount, MAX_PENALTY - this.penalties.value(now)), now)
  }

  /** Notes what the view says. */
  see({ since, load }: Candidate): void {
    if (since > this.since) {
      this.since = since
      this.renew()
    }
    if (load == null || load === this.report) return
    this.report = load
    // The report counts our requests too. Which of them it had seen can't be known; those under way now come closest.
    const ownQueued = Math.max(0, this.inFlight - load.inFlight)
    this.othersInFlight = Math.max(0, load.inFlight - this.inFlight)
    this.othersQueued = Math.max(0, load.queued - ownQueued)
  }

  /** The service failed there; some failures in a row take it out. */
  fail(now: number): void {
    if (this.health.fail(now)) this.renew()
  }

  /** Treated as a new worker again: tried at once, then ramped up. */
  renew(): void {
    this.tried = false
    this.answered = 0
  }
}

export interface Heartbeat {
  /** requests that this peer has in hand, oldest first */
  readonly pending: Set<Pending>
  timer: unknown
  /** when anything last came from it */
  aliveAt: number
  /** pings unanswered in a row */
  missed: number
  /** a ping has been without an answer for longer than usual, and nothing has come since */
  doubtful: boolean
  /** when a ping was last sent */
  pingedAt: number
  /** when a round trip was last measured */
  measuredAt: number
}

/** A request in a peer's hands. */
export interface Pending {
  readonly startedAt: number
  /** the peer may have stopped responding */
  doubted(): void
  /** the peer has stopped responding */
  wedged(): void
}

export class PeerState {
  readonly peerId: string
  readonly local: boolean
  readonly health: Health
  readonly heartbeat: Heartbeat = {
    pending: new Set(),
    timer: undefined,
    aliveAt: -Infinity,
    missed: 0,
    doubtful: false,
    pingedAt: -Infinity,
    measuredAt: -Infinity
  }
  /** milliseconds; undefined before the first measurement */
  roundTrip: number | undefined
  readonly tracks = new Map<string, Track>()

  constructor(peerId: string, local: boolean) {
    this.peerId = peerId
    this.local = local
    this.health = new Health(!local)
  }

  track(service: string): Track {
    return entry(this.tracks, service, MAX_SERVICES, () => new Track(), isIdle)
  }

  /** Takes it out of routing; when it is back, it starts like a new one. */
  eject(cause: Cause, now: number): void {
    this.health.eject(cause, now)
    for (const track of this.tracks.values()) track.renew()
  }

  /** A request was lost with it; some in a row take it out. */
  fail(now: number): void {
    if (this.health.fail(now)) for (const track of this.tracks.values()) track.renew()
  }

  measured(roundTrip: number, now: number): void {
    const known = this.roundTrip ?? roundTrip
    this.roundTrip = Math.min(roundTrip, known + (roundTrip - known) * ROUND_TRIP_WEIGHT)
    this.heartbeat.measuredAt = now
  }

  get inFlight(): number {
    let sum = 0
    for (const { inFlight } of this.tracks.values()) sum += inFlight
    return sum
  }
}

export class ServiceState {
  readonly name: string
  readonly budget = new RetryBudget()
  private readonly windows = new Map<string, LatencyWindow>()
  requests = 0
  failed = 0
  retried = 0
  inFlight = 0
  /** whether the last request went to a worker to get to know it */
  explored = false
  private candidates: readonly Candidate[] | undefined
  private prospects: Prospect[] = []

  constructor(name: string) {
    this.name = name
  }

  window(operation: string): LatencyWindow {
    return entry(this.windows, operation, MAX_OPERATIONS, () => new LatencyWindow())
  }

  /** What is known of each candidate. The view gives the same list until something changes, so this does too. */
  prospectsOf(candidates: readonly Candidate[], experience: Experience): Prospect[] {
    if (candidates === this.candidates) return this.prospects
    this.candidates = candidates
    this.prospects = candidates.map(candidate => {
      const peer = experience.peer(candidate.peerId)
      const track = peer.track(this.name)
      track.see(candidate)
      return { candidate, peer, track }
    })
    return this.prospects
  }

  /** the median time to first byte of its busiest operation */
  get latency(): number {
    let busiest: LatencyWindow | undefined
    for (const window of this.windows.values()) {
      if (busiest == null || window.count > busiest.count) busiest = window
    }
    return busiest?.median ?? 0
  }
}

export class Experience {
  readonly services = new Map<string, ServiceState>()
  private readonly peers = new Map<string, PeerState>()
  private readonly self: string | undefined

  /** @param self the peer id under which requests are served right here */
  constructor(self: string | undefined) {
    this.self = self
  }

  peer(peerId: string): PeerState {
    return entry(this.peers, peerId, MAX_PEERS, () => new PeerState(peerId, peerId === this.self), isUnused)
  }

  known(peerId: string): PeerState | undefined {
    return this.peers.get(peerId)
  }

  service(name: string): ServiceState {
    return entry(this.services, name, MAX_SERVICES, () => new ServiceState(name), isIdle)
  }

  all(): Iterable<PeerState> {
    return this.peers.values()
  }
}

const isIdle = ({ inFlight }: { inFlight: number }): boolean => inFlight === 0
const isUnused = ({ heartbeat }: PeerState): boolean => heartbeat.pending.size === 0 && heartbeat.timer == null

/** The value of `key`, made when there is none; then the oldest that may go makes room. */
function entry<V>(map: Map<string, V>, key: string, max: number, make: () => V, mayGo?: (value: V) => boolean): V {
  const known = map.get(key)
  if (known != null) return known
  if (map.size >= max) {
    for (const [oldest, value] of map) {
      if (mayGo != null && !mayGo(value)) continue
      map.delete(oldest)
      break
    }
  }
  const made = make()
  map.set(key, made)
  return made
}
