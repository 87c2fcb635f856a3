import type { DoctorReport, Result, State } from '../commands/doctor/index.ts'
import { count } from './format.ts'
import { type Format, printable, type Style } from './style.ts'

const MARKS: Record<State, [mark: string, format: Format]> = {
  well: ['✓', 'green'],
  wrong: ['✗', 'red'],
  none: ['–', 'dim']
}
/** Columns for what is looked at; longer names push the rest aside. */
const WIDTH = 16

export function renderResult(result: Result, style: Style): string {
  const [mark, format] = MARKS[result.state]
  const line = `${style.paint(format, mark)} ${printable(result.title).padEnd(WIDTH)} ${printable(result.found)}`
  return result.state === 'wrong' ? `${line}\n  ${' '.repeat(WIDTH)} → ${printable(result.fix)}` : line
}

export function renderSummary({ checks, url, exit_code }: DoctorReport): string {
  const wrong = checks.filter(({ state }) => state === 'wrong').length
  if (wrong === 0) return `all is well, as seen through ${printable(url)}`
  return exit_code === 3
    ? `nothing could be reached through ${printable(url)}`
    : `${count(wrong, 'thing is', 'things are')} wrong, as seen through ${printable(url)}`
}
