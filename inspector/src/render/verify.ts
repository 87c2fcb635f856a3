import type { VerifyReport } from '../commands/verify.ts'
import { bytes, milliseconds } from './format.ts'
import { printable, type Style } from './style.ts'

/** What no receipt shows, however good it is. */
const NEVER_SHOWN = [
  'whether the answer is right, or how it came about',
  "whether the worker's clock is right",
  'whether the mesh trusts this worker'
]

export function renderVerify({ receipt, findings, good }: VerifyReport, { paint }: Style): string {
  const lines: string[] = [good ? paint('green', 'the receipt is good') : paint('red', 'the receipt does not hold')]
  if (receipt != null) {
    const { requestId, operation, service, dataClass, caller, status, startedAt, endedAt, request, answer } = receipt
    const rows: Array<[string, string]> = [
      ['request', requestId],
      [
        'operation',
        `${operation} of ${service}, mesh ${receipt.mesh}${dataClass == null ? '' : `, class ${dataClass}`}`
      ],
      ['caller', caller],
      ['worker', receipt.worker],
      ['time', `${iso(startedAt)}, for ${milliseconds(endedAt - startedAt)}, by the worker's clock`],
      ['sizes', `${bytes(request.bytes)} in, ${bytes(answer.bytes)} out, status ${status}`]
    ]
    for (const [title, text] of rows) lines.push(`  ${paint('dim', title.padEnd(10))} ${printable(text)}`)
  }
  const of = (wanted: boolean | undefined): string[] =>
    findings.filter(({ holds }) => holds === wanted).map(({ says }) => printable(says))
  const section = (title: string, mark: string, texts: string[]): void => {
    if (texts.length > 0) lines.push('', title, ...texts.map(text => `  ${mark} ${text}`))
  }
  section('Wrong:', paint('red', '✗'), of(false))
  section('Shown:', paint('green', '✓'), of(true))
  section('Not shown:', '–', [...of(undefined), ...(receipt == null ? [] : NEVER_SHOWN)])
  return lines.join('\n')
}

const iso = (time: number): string => new Date(time).toISOString()
