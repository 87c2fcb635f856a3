import { MAX_SCORED, UNHEARD_AFTER } from './constants.ts'
import { able, advisable, forbiddenClass, type Needs, type Rejection } from './eligible.ts'
import type { Engine } from './engine.ts'
import type { PeerState, Prospect, ServiceState } from './experience.ts'
import type { LatencyWindow } from './latency-window.ts'
import { better, drawTwo } from './pick.ts'
import type { Plan } from './plan.ts'
import type { Reason } from './records.ts'
import { type Score, scoreOf } from './score.ts'

export interface SelectionInput {
  prospects: Prospect[]
  needs: Needs
  service: ServiceState
  /** for which latencies are compared */
  operation: string
  window: LatencyWindow
  random(): number
  now: number
}

export function selectionInput({ view, experience, random, clock }: Engine, plan: Plan): SelectionInput {
  const { service, needs, window, operationName: operation } = plan
  const prospects = service.prospectsOf(view.candidates(service.name), experience)
  return { prospects, needs, service, operation, window, random, now: clock.now() }
}

export interface Selection {
  chosen: Prospect | undefined
  reason: Reason
  scores: Score[]
  rejected: Rejection[]
  /** are out of routing, and should be asked whether they are back */
  returning: Returning[]
  /** were considered, and haven't been heard of for a while */
  unheard: PeerState[]
  /** when nobody was chosen: could have been, if they responded */
  wedged: PeerState[]
  /** when nobody was chosen: the class of data that none of them may see */
  forbidden: string | undefined
}

export interface Returning {
  peer: PeerState
  /** has been out for so long that it is worth a connection of its own to ask */
  dialled: boolean
}

/** The worker for a request's first attempt. */
export function selectFirst(input: SelectionInput): Selection {
  const { needs, now } = input
  const rejected: Rejection[] = []
  const capable = able(input.prospects, needs, rejected)
  const fit = advisable(capable, needs, false, now, rejected)
  const wedged = fit.length > 0 ? [] : capable.map(({ peer }) => peer)
  const forbidden = capable.length > 0 ? undefined : forbiddenTo(input)
  const returning = rejected.length === 0 ? [] : returningOf(input)
  const { reason, chosen, scores } = choose(fit, input)
  return { chosen, reason, scores, rejected, returning, unheard: unheardOf(scores, now), wedged, forbidden }
}

/** Set when everybody that was asked for offers the service, and none may see the data. */
function forbiddenTo({ prospects, needs }: SelectionInput): string | undefined {
  const asked = prospects.filter(({ candidate }) => needs.worker == null || candidate.peerId === needs.worker)
  const classes = asked.map(({ candidate }) => forbiddenClass(candidate, needs))
  return classes.every(one => one != null) ? classes[0] : undefined
}

function choose(fit: Prospect[], input: SelectionInput): Pick<Selection, 'chosen' | 'reason' | 'scores'> {
  const { service, needs } = input
  const [sole] = fit
  if (sole == null) return { chosen: undefined, reason: 'picked', scores: [] }
  if (fit.length === 1)
    return { chosen: sole, reason: needs.worker == null ? 'only' : 'pinned', scores: [scored(sole, input)] }
  const newcomer = service.explored ? undefined : drawNewcomer(fit, input)
  service.explored = newcomer != null
  const { chosen, scores } = draw(fit, input)
  return { chosen: newcomer ?? chosen, reason: newcomer == null ? 'picked' : 'new', scores }
}

/** Another worker, for a request that failed with those tried. */
export function selectNext(input: SelectionInput, tried: ReadonlySet<PeerState>): Prospect | undefined {
  const { needs, now } = input
  const fit = able(input.prospects, needs, []).filter(({ peer }) => !tried.has(peer))
  return draw(advisable(fit, needs, true, now, []), input).chosen
}

/** Another worker that has nothing better to do, for a request that takes long with those tried. */
export function selectIdle(input: SelectionInput, tried: ReadonlySet<PeerState>): Prospect | undefined {
  const { needs, now } = input
  const fit = able(input.prospects, needs, []).filter(({ peer }) => !tried.has(peer))
  const idle = advisable(fit, needs, true, now, []).filter(prospect => {
    const { inFlight, queued, concurrency, penalty } = scored(prospect, input)
    return inFlight + queued < concurrency && penalty < 1
  })
  return draw(idle, input).chosen
}

/** The only worker that could answer at all, if there is just one. */
export function selectOnly({ prospects, needs }: SelectionInput): Prospect | undefined {
  const fit = able(prospects, needs, [])
  return fit.length === 1 ? fit[0] : undefined
}

/**
 * Power of two choices: of two drawn by chance the better one. It spreads load nearly as well as asking all would, and
 * unlike that doesn't send everybody's next request to the one that just reported to be idle.
 */
function draw(fit: Prospect[], input: SelectionInput): { chosen: Prospect | undefined; scores: Score[] } {
  const [sole] = fit
  if (fit.length < 2) return { chosen: sole, scores: [] }
  // Small sets are scored whole, so that a decision can be explained.
  const scores = (fit.length <= MAX_SCORED ? fit : drawTwo(fit, input.random)).map(prospect => scored(prospect, input))
  return { chosen: drawTwo(scores, input.random).reduce(better).prospect, scores }
}

/** A worker that never got a request: it must get its first, or nothing would ever be known of it. */
function drawNewcomer(fit: Prospect[], { random }: SelectionInput): Prospect | undefined {
  const newcomers = fit.filter(({ track }) => !track.tried)
  return newcomers[Math.floor(random() * newcomers.length)]
}

function returningOf({ prospects, now }: SelectionInput): Returning[] {
  const returning: Returning[] = []
  for (const { peer, candidate } of prospects) {
    const standing = peer.health.standing(now, candidate.advertAt)
    // Who is out for failures has to wait, whatever it answers.
    if (standing === 'unproven' || (standing === 'out' && peer.health.cause !== 'failing'))
      returning.push({ peer, dialled: standing === 'unproven' })
  }
  return returning
}

/** A worker that was never in contact is no concern: it will get its first request before long. */
function unheardOf(scores: Score[], now: number): PeerState[] {
  const peers = scores.map(({ prospect }) => prospect.peer)
  return peers.filter(({ heartbeat: { aliveAt, pingedAt } }) => {
    const contactAt = Math.max(aliveAt, pingedAt)
    return contactAt > -Infinity && now - contactAt > UNHEARD_AFTER
  })
}

function scored(prospect: Prospect, { operation, window, now }: SelectionInput): Score {
  return scoreOf(prospect, operation, window, now)
}
