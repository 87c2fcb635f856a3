import { type Command, InvalidArgumentError } from 'commander'
import { auditEntries, momentIn } from '../commands/audit.ts'
import { fetchReceipts, type ReceiptReport } from '../commands/receipt.ts'
import type { VerifyOptions } from '../commands/verify.ts'
import { renderEntry } from '../render/audit.ts'
import { renderVerify } from '../render/verify.ts'
import type { MeshSource } from '../source/index.ts'
import { EXAMPLES } from './examples.ts'
import { type Io, styleOf, toJson, writeLine } from './io.ts'

export interface TraceCommandsInit {
  io: Io
  signal: AbortSignal
  done(exitCode: number): void
  /** a command below the program */
  command(name: string, summary: string, examples: string): Command
  withSource(sub: Command, work: (source: MeshSource, json: boolean) => Promise<number>): Promise<void>
  parseRequestId(value: string): string
}

interface AuditFlags {
  dataDir?: string
  since?: number
  service?: string
  caller?: string
}

/** What is left of requests: the audit log, and what workers signed. */
export function addTraceCommands({ io, signal, done, command, withSource, parseRequestId }: TraceCommandsInit): void {
  const isJson = (sub: Command): boolean => sub.optsWithGlobals<{ json?: boolean }>().json === true

  command('audit', 'read the log of who called what, out of the data directory of a peer', EXAMPLES.audit)
    .option(
      '--data-dir <folder>',
      "the peer's data directory (default: HEDGEROW_DATA_DIR, else the daemon's of this user)"
    )
    .option('--since <time>', 'a date, or how long ago: 30min, 2h, 7d', moment)
    .option('--service <name>', 'requests to this service')
    .option('--caller <caller>', 'requests by this caller: local, peer/<id>, key/<id>, or the id alone')
    .action(async (flags: AuditFlags, sub: Command) => {
      const json = isJson(sub)
      const style = styleOf(io)
      for await (const entry of auditEntries(flags, io.env)) {
        signal.throwIfAborted()
        await writeLine(io.stdout, json ? toJson(entry) : renderEntry(entry, style))
      }
      done(0)
    })

  command('receipt', 'fetch what the worker signed of a request and its answer', EXAMPLES.receipt)
    .argument('<request-id>', 'the Hedgerow-Request-Id header of an answer', parseRequestId)
    .option('--all', 'those for calls nested in it, too')
    .action((id: string, { all = false }: { all?: boolean }, sub: Command) =>
      withSource(sub, async (source, json) => {
        const report: ReceiptReport = await fetchReceipts(source, id, signal)
        const shown = all ? report.receipts : report.receipts.slice(0, 1)
        await writeLine(io.stdout, json ? toJson({ ...report, receipts: shown }, 2) : shown.join('\n'))
        return 0
      })
    )

  command('verify', 'check a receipt, and compare it with what was sent and answered', EXAMPLES.verify)
    .argument('<receipt>', 'the receipt itself, a file that holds it, or - for stdin')
    .option('--request <file>', 'what was sent, byte for byte')
    .option('--answer <file>', 'what was answered, byte for byte')
    .option('-w, --worker <peer-id>', 'who should have answered: a peer id, or at least eight characters of its end')
    .action(async (given: string, options: VerifyOptions, sub: Command) => {
      const { verifyReceipt } = await import('../commands/verify.ts')
      const report = await verifyReceipt(given, options, io.stdin)
      await writeLine(io.stdout, isJson(sub) ? toJson(report, 2) : renderVerify(report, styleOf(io)))
      done(report.good ? 0 : 1)
    })
}

function moment(value: string): number {
  const time = momentIn(value, Date.now())
  if (time == null) throw new InvalidArgumentError('It must be a date, or a time such as 30min, 2h or 7d.')
  return time
}
