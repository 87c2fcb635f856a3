import { writeFileSync } from 'node:fs'
import type { Logger } from 'pino'
import { ConfigError, NothingToDo } from '../config/index.ts'

/** A long-running program of the mesh. */
export interface Program {
  drain(): Promise<void>
  stop(): Promise<void>
}

/** Milliseconds that draining may take before the process ends all the same. */
const DRAIN_TIMEOUT = 30_000

/** What went wrong with which setting, in one line, exit 2. What else went wrong: exit 1. */
export function exitWith(err: unknown): never {
  if (err instanceof NothingToDo) process.exit(0)
  const portTaken = err instanceof Error && 'code' in err && err.code === 'EADDRINUSE' && 'port' in err
  const error = portTaken ? new ConfigError('HEDGEROW_HTTP_PORT', `port ${err.port} is in use; name another`) : err
  process.stderr.write(
    `${error instanceof ConfigError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`
  )
  process.exit(error instanceof ConfigError ? 2 : 1)
}

/** Ends a program in order on SIGTERM or SIGINT: drain, stop, exit 0. A second signal ends it at once. */
export function endOnSignal(program: Program, log: Logger): void {
  let ending = false
  const end = async (signal: string): Promise<void> => {
    if (ending) process.exit(130)
    ending = true
    log.info({ signal }, 'stopping')
    const late = setTimeout(() => {
      log.warn('draining takes too long; stopping with requests in hand')
      void finish()
    }, DRAIN_TIMEOUT)
    await program.drain().catch(err => log.error({ err }, 'draining failed'))
    clearTimeout(late)
    await finish()
  }
  let finishing: Promise<void> | undefined
  const finish = (): Promise<void> => {
    finishing ??= program.stop().then(
      () => process.exit(0),
      err => {
        log.error({ err }, 'stopping failed')
        process.exit(1)
      }
    )
    return finishing
  }
  process.on('SIGTERM', () => void end('SIGTERM'))
  process.on('SIGINT', () => void end('SIGINT'))
  // Whoever started this process holds its stdin open, and takes it along when it dies, however it dies.
  if (process.env.HEDGEROW_PARENT === 'stdin') {
    process.stdin
      .once('end', () => void end('the parent process is gone'))
      .once('error', () => void end('the parent process is gone'))
      .resume()
  }
}

/** Clients' papers pass through memory: what dumps of a crash would hold of it is nothing. Backends inherit this. */
export function leaveNoCoreDumps(): void {
  try {
    writeFileSync('/proc/self/coredump_filter', '0')
  } catch {
    // not Linux: its own settings decide
  }
}
