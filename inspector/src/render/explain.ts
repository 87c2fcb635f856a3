import { isMeshErrorCode, titleOf } from '@hedgerow/protocols/errors'
import type { ExplainReport } from '../commands/explain.ts'
import { milliseconds, NONE, shortId, way } from './format.ts'
import { facts, indent } from './inspect.ts'
import { printable, type Style } from './style.ts'
import { type Cell, table } from './table.ts'

const SOURCES: Record<string, string> = {
  view: 'from the view',
  dht: 'found in the DHT',
  local: 'this peer alone offers it',
  pinned: 'all but the worker that the caller named are left out'
}
/** Why somebody was asked, where the scores don't say it. */
const REASONS: Record<string, string> = {
  new: 'new: not asked from here before; a newcomer gets a turn early, whatever its score, so that its speed is known',
  hedge: 'hedge: the one before took longer than usual, so another was asked besides'
}
const NO_CANDIDATES: Record<string, string> = {
  view: 'no candidates: the view has nobody who could answer',
  dht: 'no candidates: the view has nobody, and the DHT names nobody either'
}

export function renderExplain(report: ExplainReport, style: Style): string {
  const { candidates, attempts, source } = report
  return [
    `${style.paint('bold', `${printable(report.service)} ${printable(report.operation)}`)}  ${outcomeOf(report, style)}`,
    facts([
      ['request', printable(report.request_id)],
      ['at', printable(report.at)],
      ['answered by', report.chosen == null ? 'nobody' : named(report, report.chosen)],
      ['path', way(report.path, report.transport)],
      ['time', timeLine(report)]
    ]),
    candidates.length === 0
      ? (NO_CANDIDATES[source] ?? 'no candidates')
      : `candidates (${SOURCES[source] ?? printable(source)}); the lower score is the better\n${indent(candidateTable(report, style))}`,
    attempts.length === 0 ? 'no attempt was made' : `attempts\n${indent(attemptTable(report, style))}`,
    ...notes(report)
  ].join('\n\n')
}

function outcomeOf({ outcome, attempts }: ExplainReport, { paint }: Style): string {
  const status = attempts.findLast(attempt => attempt.outcome === 'answered')?.status
  return outcome === 'answered' && (status ?? 200) < 400
    ? paint('green', status == null ? outcome : `${outcome} ${status}`)
    : paint('red', status == null ? inWords(outcome) : `${printable(outcome)} ${status}`)
}

/** The code of an error as a person would say it, and the code, which programs and guides go by. */
function inWords(outcome: string): string {
  return isMeshErrorCode(outcome) ? `${titleOf(outcome)} (${outcome})` : printable(outcome)
}

function timeLine({ timing: { total_ms, lookup_ms, first_byte_ms } }: ExplainReport): string {
  const total = total_ms == null ? 'not finished' : `${milliseconds(total_ms)} in all`
  return [
    total,
    ...(first_byte_ms == null ? [] : [`first byte after ${milliseconds(first_byte_ms)}`]),
    ...(lookup_ms === 0 ? ['no lookup'] : [`lookup ${milliseconds(lookup_ms)}`])
  ].join(', ')
}

function candidateTable(report: ExplainReport, style: Style): string {
  const number = (value: number | undefined): string => (value == null ? NONE : String(value))
  const rows: Cell[][] = report.candidates
    .toSorted((a, b) => (a.score ?? Number.POSITIVE_INFINITY) - (b.score ?? Number.POSITIVE_INFINITY))
    .map(candidate => [
      named(report, candidate.peer_id),
      candidate.score == null ? NONE : String(Math.round(candidate.score * 100) / 100),
      milliseconds(candidate.latency_ms),
      milliseconds(candidate.round_trip_ms),
      candidate.in_flight == null
        ? NONE
        : `${candidate.in_flight}${candidate.concurrency == null ? '' : ` of ${candidate.concurrency}`}`,
      number(candidate.queued),
      candidate.penalty == null || candidate.penalty === 0 ? NONE : candidate.penalty.toFixed(2),
      candidate.rejected == null
        ? candidate.peer_id === report.chosen
          ? { text: 'answered', format: 'green' }
          : ''
        : { text: `not asked: ${printable(candidate.rejected)}`, format: 'yellow' }
    ])
  return table(
    [
      { title: 'WORKER' },
      { title: 'SCORE', align: 'right' },
      { title: 'LATENCY', align: 'right' },
      { title: 'RTT', align: 'right' },
      { title: 'IN FLIGHT', align: 'right' },
      { title: 'QUEUED', align: 'right' },
      { title: 'PENALTY', align: 'right' },
      { title: '', flexible: true }
    ],
    rows,
    style
  )
}

function notes({ attempts }: ExplainReport): string[] {
  const said = Object.keys(REASONS).filter(reason => attempts.some(attempt => attempt.reason === reason))
  return said.length === 0 ? [] : [said.map(reason => REASONS[reason]).join('\n')]
}

function attemptTable(report: ExplainReport, style: Style): string {
  const rows = report.attempts.map(({ peer_id, reason, outcome, status, detail, path, transport, ms }, i) => [
    String(i + 1),
    named(report, peer_id),
    printable(reason),
    style.paint(outcome === 'answered' ? 'green' : 'red', printable(outcome)) + (status == null ? '' : ` ${status}`),
    way(path, transport),
    milliseconds(ms),
    printable(detail ?? '')
  ])
  return table(
    [
      { title: '#' },
      { title: 'WORKER' },
      { title: 'WHY' },
      { title: 'OUTCOME' },
      { title: 'PATH' },
      { title: 'TIME', align: 'right' },
      { title: '', flexible: true }
    ],
    rows,
    style
  )
}

function named({ names }: ExplainReport, peerId: string): string {
  const name = names[peerId]
  return name == null ? shortId(peerId) : `${printable(name)} ${shortId(peerId)}`
}
