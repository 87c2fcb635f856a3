import { CommanderError } from 'commander'
import { InspectorError } from '../errors.ts'
import { printable } from '../render/style.ts'
import { type Io, ReaderGone, writeLine } from './io.ts'
import { createProgram } from './program.ts'

const OK = 0
const FAILED = 1
const USAGE = 2
/** 128 + SIGINT, as shells expect. */
const INTERRUPTED = 130

/** Runs one command line. Errors become a line for people and an exit code. */
export async function run(argv: string[], io: Io, signal: AbortSignal): Promise<number> {
  let exitCode = OK
  try {
    await createProgram({
      io,
      signal,
      done: code => {
        exitCode = code
      }
    }).parseAsync(argv)
    return exitCode
  } catch (err) {
    return await failure(err, io, signal)
  }
}

async function failure(err: unknown, io: Io, signal: AbortSignal): Promise<number> {
  if (err instanceof ReaderGone || signal.reason instanceof ReaderGone) return OK
  if (err instanceof CommanderError) return err.exitCode === 0 ? OK : USAGE
  if (signal.aborted) return INTERRUPTED
  if (!(err instanceof InspectorError)) {
    await writeLine(io.stderr, `hedgerow: ${err instanceof Error ? (err.stack ?? err.message) : String(err)}`)
    return FAILED
  }
  const lines = [err.message, ...err.hints].map(printable)
  await writeLine(io.stderr, `hedgerow: ${lines.join(err.code === 'Unreachable' ? '; ' : '\n  ')}`)
  return err.exitCode
}
