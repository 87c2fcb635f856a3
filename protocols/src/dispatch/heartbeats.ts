import {
  DOUBT_AFTER,
  DOUBT_ROUND_TRIPS,
  MAX_MISSED_PINGS,
  PING_INTERVAL,
  PING_TIMEOUT,
  PROBE_INTERVAL,
  ROUND_TRIP_MEMORY,
  WATCH_PINGS
} from './constants.ts'
import type { Experience, PeerState, Pending } from './experience.ts'
import type { Clock, Pinger } from './index.ts'

export interface HeartbeatsComponents {
  pinger: Pinger
  clock: Clock
  experience: Experience
}

/**
 * Tells a worker that works from one that is wedged: who has had a request in hand for a second is pinged every second,
 * once for all its requests. Anything that comes from it counts as an answer.
 */
export class Heartbeats {
  private readonly pinger: Pinger
  private readonly clock: Clock
  private readonly experience: Experience
  private readonly pings = new Set<{ peer: PeerState; abort(): void }>()
  private readonly watched = new Map<PeerState, unknown>()
  private stopped = false

  constructor({ pinger, clock, experience }: HeartbeatsComponents) {
    this.pinger = pinger
    this.clock = clock
    this.experience = experience
  }

  /** The peer has this request in hand. */
  enter(peer: PeerState, request: Pending): void {
    if (peer.local) return
    const { heartbeat } = peer
    heartbeat.pending.add(request)
    if (heartbeat.timer == null && !this.stopped) this.schedule(peer, PING_INTERVAL)
  }

  leave(peer: PeerState, request: Pending): void {
    peer.heartbeat.pending.delete(request)
  }

  /** Measures the way to a peer that is in use, if that hasn't been done lately. */
  measure(peer: PeerState): void {
    const { heartbeat } = peer
    const now = this.clock.now()
    if (peer.local || now - Math.max(heartbeat.measuredAt, heartbeat.pingedAt) < ROUND_TRIP_MEMORY) return
    this.ping(peer, answered => {
      if (answered) heartbeat.missed = 0
    })
  }

  /** Is this peer still there? Asked when somebody gave up waiting for it, or nobody has asked anything of it lately. */
  check(peer: PeerState): void {
    const { heartbeat } = peer
    if (peer.local || heartbeat.missed > 0 || this.clock.now() - heartbeat.pingedAt < PING_TIMEOUT) return
    this.beat(peer)
  }

  /** An ejected peer gets no request before it has answered a ping. */
  probe(peer: PeerState): void {
    const sentAt = this.clock.now()
    if (sentAt - peer.heartbeat.pingedAt < PROBE_INTERVAL) return
    this.ping(peer, answered => {
      if (answered) peer.health.prove()
      // The one before may have been answered meanwhile, which is why there was no room for this one.
      else if (peer.heartbeat.aliveAt <= sentAt) peer.eject(peer.health.cause, this.clock.now())
    })
  }

  /**
   * Asks an ejected peer that somebody needs, until it answers or for half a minute: requests for it are refused at once
   * meanwhile, so nothing else would find out.
   */
  watch(peer: PeerState): void {
    if (peer.local || this.watched.has(peer)) return
    let left = WATCH_PINGS
    const look = (): void => {
      if (this.stopped || !peer.health.isSilent || left-- <= 0) {
        this.watched.delete(peer)
        return
      }
      this.probe(peer)
      this.watched.set(peer, this.clock.setTimeout(look, PROBE_INTERVAL))
    }
    look()
  }

  /** No more pings; requests under way go on unwatched. */
  stop(): void {
    this.stopped = true
    for (const { heartbeat } of this.experience.all()) {
      this.clock.clearTimeout(heartbeat.timer)
      heartbeat.timer = undefined
    }
    for (const timer of this.watched.values()) this.clock.clearTimeout(timer)
    this.watched.clear()
    for (const ping of [...this.pings]) ping.abort()
  }

  private schedule(peer: PeerState, delay: number): void {
    peer.heartbeat.timer = this.clock.setTimeout(() => this.tick(peer), delay)
  }

  private tick(peer: PeerState): void {
    const { heartbeat } = peer
    heartbeat.timer = undefined
    const [oldest] = heartbeat.pending
    if (oldest == null && heartbeat.missed === 0) return
    const age = oldest == null ? PING_INTERVAL : this.clock.now() - oldest.startedAt
    if (age >= PING_INTERVAL) this.beat(peer)
    this.schedule(peer, age >= PING_INTERVAL ? PING_INTERVAL : PING_INTERVAL - age)
  }

  private beat(peer: PeerState): void {
    const { heartbeat } = peer
    const sentAt = this.clock.now()
    const patience = Math.max(DOUBT_AFTER, DOUBT_ROUND_TRIPS * (peer.roundTrip ?? 0))
    const doubt = this.clock.setTimeout(() => {
      if (heartbeat.aliveAt <= sentAt) this.doubt(peer)
    }, patience)
    this.ping(peer, answered => {
      this.clock.clearTimeout(doubt)
      if (answered || heartbeat.aliveAt > sentAt) {
        heartbeat.missed = 0
        return
      }
      heartbeat.missed++
      if (heartbeat.missed >= MAX_MISSED_PINGS) this.wedged(peer)
      // Who was asked for a request that is gone is asked once more all the same: a doubt must not last.
      else if (heartbeat.timer == null) this.tick(peer)
    })
  }

  private doubt(peer: PeerState): void {
    if (this.stopped) return
    peer.heartbeat.doubtful = true
    for (const request of [...peer.heartbeat.pending]) request.doubted()
  }

  private wedged(peer: PeerState): void {
    const { heartbeat } = peer
    for (const ping of [...this.pings]) if (ping.peer === peer) ping.abort()
    heartbeat.missed = 0
    heartbeat.doubtful = false
    peer.eject('wedged', this.clock.now())
    for (const request of [...heartbeat.pending]) request.wedged()
  }

  /** @param ended called once, unless stopped: whether it answered in time */
  private ping(peer: PeerState, ended: (answered: boolean) => void): void {
    if (this.stopped) return
    const { clock } = this
    peer.heartbeat.pingedAt = clock.now()
    const controller = new AbortController()
    const end = (answered: boolean | undefined): void => {
      if (!this.pings.delete(ping)) return
      clock.clearTimeout(timer)
      if (answered === true) {
        peer.heartbeat.aliveAt = clock.now()
        peer.heartbeat.doubtful = false
      }
      if (answered != null) ended(answered)
      controller.abort()
    }
    const ping = { peer, abort: () => end(undefined) }
    const timer = clock.setTimeout(() => end(false), PING_TIMEOUT)
    this.pings.add(ping)
    this.pinger.ping(peer.peerId, controller.signal).then(
      roundTrip => {
        if (this.pings.has(ping)) peer.measured(roundTrip, clock.now())
        end(true)
      },
      // It may have failed for a reason that is no fault of the peer, as when libp2p allows one ping at a time and another
      // is under way. So a failed ping is one without an answer yet: another's answer still counts for it.
      () => {}
    )
  }
}
