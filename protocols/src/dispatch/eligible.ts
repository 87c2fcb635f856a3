/** Which workers may be asked, and why not the others. */

import { matchOperation, type ServiceContract } from '../contract/index.ts'
import { maySee } from '../data-class/index.ts'
import type { Prospect } from './experience.ts'
import { CAUSES, type Health, type Standing } from './health.ts'

export interface Needs {
  method: string
  path: string
  repeatable: boolean
  contract: ServiceContract
  /** only this peer */
  worker?: string
  /** which data it must be allowed to see, besides what the service asks for */
  dataClass?: string
  /** must be held */
  resource?: string
  /** better held, as when the service keeps its data by key */
  preferred?: string
}

export interface Rejection {
  peerId: string
  reason: string
}

/** Who could answer at all. */
export function able(prospects: Prospect[], needs: Needs, rejected: Rejection[]): Prospect[] {
  return prospects.filter(({ candidate }) => {
    const reason = inability(candidate, needs)
    if (reason != null) rejected.push({ peerId: candidate.peerId, reason })
    return reason == null
  })
}

/**
 * The class of data that this worker would have to be allowed to see, and isn't: the request's, the service's, or that of
 * its own manifest.
 */
export function forbiddenClass({ classes, offer }: Prospect['candidate'], needs: Needs): string | undefined {
  const asked = [needs.dataClass, needs.contract.dataClass, offer.contract.dataClass]
  return asked.find(one => one != null && !maySee(classes, one))
}

function inability(candidate: Prospect['candidate'], needs: Needs): string | undefined {
  const { peerId, offer } = candidate
  if (needs.worker != null && peerId !== needs.worker) return 'not the worker that was asked for'
  const forbidden = forbiddenClass(candidate, needs)
  if (forbidden != null) return `may not see ${forbidden} data`
  if (needs.resource != null && !offer.resources.includes(needs.resource)) return `does not hold ${needs.resource}`
  const { contract } = offer
  if (contract.protocol !== needs.contract.protocol) return `speaks ${contract.protocol} there`
  if (contract.protocol === 'tcp') return undefined
  // Versions differ while a mesh is updated; the same version has the same operations.
  if (contract.version !== needs.contract.version && matchOperation(contract, needs.method, needs.path) == null)
    return `version ${contract.version} has no such operation`
  return undefined
}

/**
 * Who of those should be asked. Each rule holds only while somebody is left: a doubtful worker is better than none.
 *
 * @param retry a request that failed elsewhere rather fails than go to a worker that was ejected and is silent since
 */
export function advisable(
  prospects: Prospect[],
  needs: Needs,
  retry: boolean,
  now: number,
  rejected: Rejection[]
): Prospect[] {
  // Whoever asks for one worker has a reason; it is asked whatever we think of it.
  if (needs.worker != null) return prospects
  const { preferred } = needs
  let fit = withoutEjected(prospects, needs, retry, now, rejected)
  if (preferred != null)
    fit = prefer(
      fit,
      ({ candidate }) => candidate.offer.resources.includes(preferred),
      `does not hold ${preferred}`,
      rejected
    )
  fit = prefer(fit, ({ peer }) => peer.heartbeat.missed === 0 && !peer.heartbeat.doubtful, 'missed a ping', rejected)
  return prefer(fit, ({ candidate }) => !candidate.silent, 'silent: missed several load reports', rejected)
}

function prefer(
  prospects: Prospect[],
  test: (prospect: Prospect) => boolean,
  reason: string,
  rejected: Rejection[]
): Prospect[] {
  let good = 0
  for (const prospect of prospects) if (test(prospect)) good++
  if (good === 0 || good === prospects.length) return prospects
  return prospects.filter(prospect => {
    if (test(prospect)) return true
    rejected.push({ peerId: prospect.candidate.peerId, reason })
    return false
  })
}

interface Ejected {
  prospect: Prospect
  health: Health
  standing: Standing
}

/**
 * When all are out, those are asked that were heard of since, or else those with the least grave cause. Only who is
 * wedged is not, before it has answered a ping: a request would learn nothing there for seconds. And as failures of a
 * service may be the requests' fault, they never take out more than half.
 */
function withoutEjected(
  prospects: Prospect[],
  needs: Needs,
  retry: boolean,
  now: number,
  rejected: Rejection[]
): Prospect[] {
  const ejected: Ejected[] = []
  for (const prospect of prospects) {
    const out = ejectedOf(prospect, needs.repeatable, now)
    if (out != null) ejected.push(out)
  }
  if (ejected.length === 0) return prospects
  const back = new Set(readmitted(ejected, prospects.length, retry, now))
  const fit: Prospect[] = prospects.filter(
    prospect => back.has(prospect) || !ejected.some(out => out.prospect === prospect)
  )
  for (const { prospect, health, standing } of ejected) {
    if (!back.has(prospect))
      rejected.push({ peerId: prospect.candidate.peerId, reason: ejectionReason(health, standing) })
  }
  return fit
}

function ejectedOf(prospect: Prospect, repeatable: boolean, now: number): Ejected | undefined {
  const { candidate, peer, track } = prospect
  const isOut = (standing: Standing): boolean => standing !== 'in' && !(standing === 'trial' && repeatable)
  const peerStanding = peer.health.standing(now, candidate.advertAt)
  if (isOut(peerStanding)) return { prospect, health: peer.health, standing: peerStanding }
  const standing = track.health.standing(now)
  return isOut(standing) ? { prospect, health: track.health, standing } : undefined
}

function readmitted(ejected: Ejected[], total: number, retry: boolean, now: number): Prospect[] {
  const failing = ejected
    .filter(({ health }) => health.cause === 'failing')
    .sort((a, b) => a.health.remaining(now) - b.health.remaining(now))
  const back = failing.slice(0, Math.max(0, ejected.length - Math.floor(total / 2)))
  if (back.length > 0 || ejected.length < total) return back.map(({ prospect }) => prospect)
  const heard = ejected.filter(({ prospect, health }) => prospect.peer.heartbeat.aliveAt > health.ejectedAt)
  if (heard.length > 0 || retry) return heard.map(({ prospect }) => prospect)
  const worthIt = ejected.filter(({ health }) => health.cause !== 'wedged')
  const least = Math.min(...worthIt.map(({ health }) => CAUSES.indexOf(health.cause)))
  return worthIt.filter(({ health }) => CAUSES.indexOf(health.cause) === least).map(({ prospect }) => prospect)
}

function ejectionReason({ cause }: Health, standing: Standing): string {
  switch (standing) {
    case 'unproven':
      return `ejected: ${cause}, not yet back`
    case 'trial':
    case 'tried':
      return `ejected: ${cause}, on trial`
    default:
      return `ejected: ${cause}`
  }
}
