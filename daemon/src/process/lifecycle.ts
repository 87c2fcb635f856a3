import { closeSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Logger } from 'pino'
import { ConfigError, NothingToDo } from '../config/index.ts'

/** A long-running program of the mesh. */
export interface Program {
  drain(): Promise<void>
  stop(): Promise<void>
}

/** Milliseconds that draining may take before the process ends all the same. */
const DRAIN_TIMEOUT = 30_000
/** Milliseconds that stopping may take after that: more than a backend is given to end by itself, and to be killed. */
const STOP_TIMEOUT = 20_000

/** Milliseconds: one Ctrl-C comes several times, to the whole process group and passed on by npm. */
const SAME_SIGNAL = 1000

/** What an address can have wrong with it, as Node says it, in words for whoever set it. */
const LISTEN_ERRORS: Record<string, (error: ListenError) => ConfigError> = {
  EADDRINUSE: ({ port }) => new ConfigError('HEDGEROW_HTTP_PORT', `port ${port} is in use; name another`),
  EACCES: ({ port }) =>
    new ConfigError('HEDGEROW_HTTP_PORT', `this user may not listen on port ${port}; name one above 1023`),
  EADDRNOTAVAIL: ({ address }) => new ConfigError('HEDGEROW_HTTP_HOST', `${address} is no address of this machine`),
  ENOTFOUND: ({ hostname }) => new ConfigError('HEDGEROW_HTTP_HOST', `${hostname} is neither an address nor a name`),
  EAI_AGAIN: ({ hostname }) => new ConfigError('HEDGEROW_HTTP_HOST', `the name ${hostname} can't be looked up now`)
}

interface ListenError {
  code: string
  port?: number
  address?: string
  hostname?: string
}

/** What went wrong with which setting, in one line, exit 2. What else went wrong: exit 1. */
export function exitWith(err: unknown): never {
  if (err instanceof NothingToDo) process.exit(0)
  const error = asConfigError(err)
  process.stderr.write(
    `${error instanceof ConfigError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`
  )
  process.exit(error instanceof ConfigError ? 2 : 1)
}

/** What the settings are to blame for, as such. */
function asConfigError(err: unknown): unknown {
  if (isListenError(err)) return LISTEN_ERRORS[err.code]?.(err) ?? err
  // libp2p's, which names each address with a stack trace.
  if (!(err instanceof Error) || err.name !== 'UnsupportedListenAddressesError') return err
  const failed = [...err.message.matchAll(/^ *(\/\S+): (?:Error: )?(.*)$/gm)].map(([, addr, why]) => `${addr}: ${why}`)
  return new ConfigError('HEDGEROW_LISTEN', failed.join('; ') || 'no address can be listened on')
}

function isListenError(err: unknown): err is Error & ListenError {
  return (
    err instanceof Error &&
    'code' in err &&
    typeof err.code === 'string' &&
    'syscall' in err &&
    (err.syscall === 'listen' || err.syscall === 'getaddrinfo')
  )
}

/**
 * Ends the process on SIGTERM or SIGINT, and when whoever started it is gone: at once while it starts, for then it has
 * nothing in hand; in order once it is told of a program that is up (drain, stop, exit 0). A second signal, a while later, ends it at once.
 *
 * @returns to be called with the program when it is up
 */
export function endOnSignal(log: Logger): (program: Program) => void {
  let running: Program | undefined
  let endingSince: number | undefined
  const end = (reason: string): void => {
    if (endingSince != null) {
      if (performance.now() - endingSince > SAME_SIGNAL) process.exit(130)
      return
    }
    endingSince = performance.now()
    log.info({ reason }, 'stopping')
    if (running == null) process.exit(0)
    void endInOrder(running, log)
      .then(
        () => 0,
        err => {
          log.error({ err }, 'stopping failed')
          return 1
        }
      )
      .then(async code => {
        await flushed(log)
        process.exit(code)
      })
  }
  process.on('SIGTERM', () => end('SIGTERM'))
  process.on('SIGINT', () => end('SIGINT'))
  // Whoever started this process holds its stdin open, and takes it along when it dies, however it dies.
  if (process.env.HEDGEROW_PARENT === 'stdin') {
    const orphaned = (): void => {
      if (endingSince == null) end('the parent process is gone')
    }
    process.stdin.once('end', orphaned).once('error', orphaned).resume()
  }
  return program => {
    running = program
  }
}

async function endInOrder(program: Program, log: Logger): Promise<void> {
  const drained = program.drain().catch(err => log.error({ err }, 'draining failed'))
  if (!(await within(DRAIN_TIMEOUT, drained))) log.warn('draining takes too long; stopping with requests in hand')
  if (!(await within(STOP_TIMEOUT, program.stop()))) throw new Error('stopping takes too long')
}

/** Milliseconds for the last lines of the log. */
const FLUSH_TIMEOUT = 500

/** Writes what the log holds, or finds out that it can't be written: at exit that would be tried without end. */
async function flushed(log: Logger): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  log.flush(() => resolve())
  await within(FLUSH_TIMEOUT, promise)
}

/** Whether something was done in time. Rejects as it does. */
async function within(ms: number, done: Promise<void>): Promise<boolean> {
  const late = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => late.resolve(false), ms)
  try {
    return await Promise.race([done.then(() => true), late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** `O_CLOEXEC` in the flags that Linux tells of a file. */
const CLOSED_ON_EXEC = 0o2000000

/**
 * Closes what whoever started this process left open for it: a backend would inherit that. libuv sees to low numbers
 * only.
 */
export function closeInheritedFiles(): void {
  let open: number[]
  try {
    open = readdirSync('/proc/self/fd').map(Number)
  } catch {
    // not Linux: others close what they start processes with by themselves
    return
  }
  for (const fd of open) {
    if (fd <= 2 || String(fd) === process.env.NODE_CHANNEL_FD) continue
    try {
      const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1]
      if (flags != null && (Number.parseInt(flags, 8) & CLOSED_ON_EXEC) === 0) closeSync(fd)
    } catch {
      // gone already: the folder was one of them
    }
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
