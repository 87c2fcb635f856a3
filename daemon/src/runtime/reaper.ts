import { type ChildProcess, spawn } from 'node:child_process'
import type { Logger } from 'pino'
import { REAPER_GRACE } from './constants.ts'
import type { Reaper } from './index.ts'

/**
 * Reads which groups live, and ends them when its input ends: the pipe breaks however the daemon dies. A shell of 1 MB
 * does; it is nobody's child to be killed with, and deaf to the signals that a terminal sends to all.
 */
const SCRIPT = `
trap '' HUP INT TERM
groups=' '
while read -r what id; do
  case "$groups" in *" $id "*) groups="\${groups%%" $id "*} \${groups#*" $id "}" ;; esac
  if [ "$what" = add ]; then groups="$groups$id "; fi
done
if [ "$groups" = ' ' ]; then exit 0; fi
for id in $groups; do kill -s TERM -- "-$id" 2>/dev/null; done
sleep ${REAPER_GRACE}
for id in $groups; do kill -s KILL -- "-$id" 2>/dev/null; done
`

const ENV = { PATH: '/usr/bin:/bin' }

/** Restarts of the reaper's shell in one life; one that can't run at all must not be tried for ever. */
const MAX_RESTARTS = 10

export class GroupReaper implements Reaper {
  readonly #log: Logger
  readonly #groups = new Set<number>()
  #shell: ChildProcess | undefined
  #restarts = 0
  #stopped = false

  constructor(log: Logger) {
    this.#log = log
  }

  add(pid: number): void {
    if (process.platform === 'win32' || this.#stopped) return
    this.#groups.add(pid)
    if (this.#shell == null) this.#start()
    else this.#tell('add', pid)
  }

  drop(pid: number): void {
    if (this.#groups.delete(pid)) this.#tell('drop', pid)
  }

  stop(): void {
    this.#stopped = true
    this.#shell?.stdin?.end()
    this.#shell = undefined
  }

  /** With nobody to watch over there is no shell either. */
  #start(): void {
    const shell = spawn('/bin/sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true, env: ENV })
    this.#shell = shell
    // Neither it nor its pipe keeps the daemon alive.
    shell.unref()
    const lost = (reason: string): void => {
      if (this.#shell !== shell) return
      this.#shell = undefined
      if (++this.#restarts > MAX_RESTARTS) return
      this.#log.warn({ reason }, 'the reaper ended; starting another')
      this.#start()
    }
    shell.stdin?.on('error', () => {})
    shell.once('error', err => lost(err.message))
    shell.once('exit', (code, signal) => lost(signal ?? `code ${code}`))
    for (const pid of this.#groups) this.#tell('add', pid)
  }

  #tell(what: 'add' | 'drop', pid: number): void {
    this.#shell?.stdin?.write(`${what} ${pid}\n`)
  }
}
