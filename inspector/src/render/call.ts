import type { Called } from '../commands/call.ts'
import type { Problem } from '../source/shapes.ts'
import { milliseconds, shortId, way } from './format.ts'
import { printable, type Style } from './style.ts'

/** The one line about an answer: what, by whom, how, how long, and the id to ask `explain` about. */
export function describeCall(called: Called, totalMs: number, workerName: string | null, { paint }: Style): string {
  const { answer, worker, path, transport, attempts, requestId } = called
  const ok = answer.status >= 200 && answer.status < 300
  return [
    paint(ok ? 'green' : 'red', String(answer.status)),
    ...(worker == null
      ? ['nobody answered']
      : [`${workerName == null ? '' : `${printable(workerName)} `}${shortId(worker)}`]),
    ...(path == null ? [] : [way(printable(path), transport == null ? null : printable(transport))]),
    milliseconds(totalMs),
    ...(attempts != null && attempts > 1 ? [`${attempts} attempts`] : []),
    ...(requestId == null ? [] : [paint('dim', `request ${printable(requestId)}`)])
  ].join('  ')
}

/** A problem document in words. */
export function describeProblem(problem: Problem, { paint }: Style): string {
  const { title, detail, retry_after, errors = [] } = problem
  const what = printable(detail ?? title ?? `the answer is ${problem.status}`)
  const lines = [paint('red', retry_after == null ? what : `${what}; try again in ${Math.ceil(retry_after)} s`)]
  for (const { path, message } of errors.slice(0, 10)) {
    // The first of them often is the detail.
    const field = path?.slice(1).replaceAll('/', '.')
    const line = [field, message].filter(part => part != null && part !== '').join(' ')
    if (line !== '' && !what.includes(line)) lines.push(`  ${printable(line)}`)
  }
  return lines.join('\n')
}
