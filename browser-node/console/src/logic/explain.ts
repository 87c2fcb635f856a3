import type { ExplainedAttempt, ExplainedCandidate, Explanation } from '@hedgerow/browser-node'
import { count, duration, listed, upperFirst } from './words.ts'

/**
 * Why a request went where it went, in sentences for people who never heard of dispatch.
 *
 * @param nameOf what the page calls a computer
 */
export function reasonsOf(explanation: Explanation, nameOf: (peerId: string) => string): string[] {
  const { candidates, attempts } = explanation
  const fit = candidates.filter(({ score }) => score != null)
  const answered = attempts.findLast(({ outcome }) => outcome === 'answered') ?? attempts.at(-1)
  if (answered == null) return [nobody(candidates)]
  const sentences = [
    choice(answered, fit, nameOf),
    ...comparison(answered, fit, nameOf),
    ...before(answered, attempts, nameOf),
    ...leftOut(candidates, nameOf)
  ]
  if (explanation.source === 'dht')
    sentences.push('This page didn’t know anybody who does this, so it asked around the mesh first.')
  return sentences
}

function nobody(candidates: ExplainedCandidate[]): string {
  return candidates.length === 0
    ? 'No computer offers this right now, so it was sent to nobody.'
    : 'None of the computers that offer this could take it just now, so it was sent to nobody.'
}

function choice(
  { reason, peer_id }: ExplainedAttempt,
  fit: ExplainedCandidate[],
  nameOf: (id: string) => string
): string {
  const name = nameOf(peer_id)
  const others = fit.length - 1
  switch (reason) {
    case 'only':
      return `${name} is the only computer that could take it.`
    case 'pinned':
      return `You asked for ${name}, so nobody else was considered.`
    case 'new':
      return `${name} hadn’t been tried from this page yet. A newcomer gets a turn early on, so that the page learns how fast it is.`
    case 'retry':
      return `${name} stepped in after another computer couldn’t answer.`
    case 'hedge':
      return `It was taking longer than usual, so ${name} was asked as well, and answered first.`
    default:
      if (others < 1) return `${name} was ready to take it.`
      return others === 1
        ? `Two computers could take it, and ${name} was the better choice.`
        : `${count(fit.length, 'computer')} could take it. Two are drawn by chance, and ${name} was the better of them.`
  }
}

/** What speaks for the one and what for the others, where anything was compared. */
function comparison(
  { reason, peer_id }: ExplainedAttempt,
  fit: ExplainedCandidate[],
  nameOf: (id: string) => string
): string[] {
  const chosen = fit.find(candidate => candidate.peer_id === peer_id)
  const others = fit.filter(candidate => candidate.peer_id !== peer_id)
  if (chosen == null || others.length === 0) return busy(chosen, nameOf)
  if (reason !== 'picked' && reason !== 'new') return []
  const expected = (candidate: ExplainedCandidate): string => `about ${duration(candidate.score ?? 0)}`
  if (others.every(other => expected(other) === expected(chosen)))
    return [
      `${others.length === 1 ? 'Both' : 'All of them'} were expected to begin answering in ${expected(chosen)}.`,
      ...busy(chosen, nameOf)
    ]
  const rest = listed(
    others.map(other => `${nameOf(other.peer_id)} in ${expected(other)}`),
    3
  )
  const sentences = [`It was expected to begin answering in ${expected(chosen)}; ${rest}.`]
  const better = others.some(other => (other.score ?? 0) < (chosen.score ?? 0))
  if (better && reason === 'picked' && others.length > 1)
    sentences.push('Only two are compared each time, so that not everybody’s requests go to the same computer at once.')
  return [...sentences, ...busy(chosen, nameOf)]
}

function busy(candidate: ExplainedCandidate | undefined, nameOf: (id: string) => string): string[] {
  const atWork = (candidate?.in_flight ?? 0) + (candidate?.queued ?? 0)
  if (candidate == null || atWork < 1) return []
  const most = candidate.concurrency == null ? '' : ` and can do ${candidate.concurrency} at once`
  return [`${nameOf(candidate.peer_id)} had ${count(Math.round(atWork), 'other request')} in hand${most}.`]
}

/** What happened to the attempts that didn't bring the answer. */
function before(answered: ExplainedAttempt, attempts: ExplainedAttempt[], nameOf: (id: string) => string): string[] {
  return attempts
    .filter(attempt => attempt !== answered && attempt.outcome !== 'pending')
    .map(
      ({ peer_id, outcome, ms }) =>
        `${nameOf(peer_id)} ${OUTCOMES[outcome] ?? 'couldn’t answer'} (after ${duration(ms)}).`
    )
}

const OUTCOMES: Record<string, string> = {
  abandoned: 'was let go because another was faster',
  Busy: 'had no room for it',
  Unreachable: 'couldn’t be reached',
  WorkerLost: 'broke off',
  WorkerWedged: 'stopped responding',
  BackendFailed: 'failed at it',
  NotServed: 'doesn’t offer this any more',
  Loading: 'was still getting ready',
  Draining: 'was about to stop',
  FirstByteTimeout: 'didn’t begin to answer in time',
  ChunkTimeout: 'stalled in the middle',
  Deadline: 'didn’t answer in time'
}

/** Those left out, gathered by reason. */
function leftOut(candidates: ExplainedCandidate[], nameOf: (id: string) => string): string[] {
  const byReason = new Map<string, string[]>()
  for (const { peer_id, rejected } of candidates) {
    if (rejected == null || rejected === 'not the worker that was asked for') continue
    const words = rejection(rejected)
    byReason.set(words, [...(byReason.get(words) ?? []), nameOf(peer_id)])
  }
  return [...byReason].map(
    ([words, names]) => `${upperFirst(listed(names))} ${names.length === 1 ? 'was' : 'were'} left out: ${words}.`
  )
}

function rejection(reason: string): string {
  if (/^ejected: failing/.test(reason)) return 'failed several times in a row a moment ago'
  if (/^ejected: wedged/.test(reason)) return 'stopped responding a moment ago'
  if (/^ejected: unreachable/.test(reason)) return 'couldn’t be reached a moment ago'
  if (/^ejected/.test(reason)) return 'had trouble a moment ago'
  if (/^silent/.test(reason)) return 'hasn’t been heard from for a while'
  if (/^missed a ping/.test(reason)) return 'isn’t responding just now'
  if (/^does not hold/.test(reason)) return `doesn’t have what is needed (${reason.replace(/^does not hold /, '')})`
  if (/^version/.test(reason)) return 'runs a version that can’t do this'
  return reason
}
