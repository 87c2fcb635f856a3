import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import type { Reaper } from '../runtime/index.ts'
import { freePort } from '../startup/listen.ts'
import { restartDelay } from './backoff.ts'
import { tunnelArguments, tunnelEnvironment } from './command.ts'
import { type Timing, UNREADY_AFTER } from './constants.ts'
import { look, type Seen } from './endpoint.ts'
import type { Tunnel, TunnelInit, TunnelProblem, TunnelState, TunnelStatus } from './index.ts'
import { Output } from './output.ts'
import { cannotRun, ended, hung, noConnection, noToken } from './problem.ts'
import { launch, type Program } from './program.ts'

interface SupervisorComponents {
  log: Logger
  random(): number
  timing: Timing
  reaper: Reaper
}

const PROGRAM = 'cloudflared'

/** Runs the program one life after the other, and says what becomes of it. */
export class CloudflaredTunnel implements Tunnel {
  readonly #init: TunnelInit
  readonly #log: Logger
  readonly #random: () => number
  readonly #timing: Timing
  readonly #reaper: Reaper
  readonly #listeners = new Set<() => void>()
  readonly #stopped = new AbortController()
  #status: TunnelStatus = { state: 'stopped' }
  #restarts = 0
  #running: Promise<void> | undefined
  /** milliseconds of `performance.now()` at which it became ready in this life */
  #readyAt: number | undefined

  constructor(init: TunnelInit, { log, random, timing, reaper }: SupervisorComponents) {
    this.#init = init
    this.#log = log
    this.#random = random
    this.#timing = timing
    this.#reaper = reaper
  }

  get restarts(): number {
    return this.#restarts
  }

  status(): TunnelStatus {
    return this.#status
  }

  start(): void {
    if (!this.#stopped.signal.aborted) this.#running ??= this.#run(this.#stopped.signal)
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#running
    this.#reaper.stop()
    this.#enter('stopped')
  }

  addListener(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async #run(signal: AbortSignal): Promise<void> {
    let attempt = 0
    while (!signal.aborted) {
      this.#readyAt = undefined
      const problem = await this.#live(signal).catch(err => cannotRun(this.#init.program ?? PROGRAM, err))
      if (signal.aborted || problem == null) return
      if (this.#readyAt != null && performance.now() - this.#readyAt > this.#timing.stable) attempt = 0
      const delay = restartDelay(attempt++, problem.code, this.#random(), this.#timing)
      this.#enter('backing-off', { problem })
      this.#log.debug(
        { problem: problem.code, retry_in_ms: Math.round(delay) },
        'the tunnel is started again in a while'
      )
      await sleep(delay, undefined, { signal }).catch(() => {})
      if (!signal.aborted) this.#restarts++
    }
  }

  /** One life of the program, to its end. @returns why it ended; undefined when it was stopped */
  async #live(signal: AbortSignal): Promise<TunnelProblem | undefined> {
    const { mode, program: name = PROGRAM } = this.#init
    // What was wrong is still so until it is ready.
    this.#enter('starting', this.#status)
    let token: string | undefined
    try {
      if (this.#init.mode === 'named') token = await this.#init.token()
    } catch (err) {
      return noToken(err)
    }
    const output = new Output(this.#log, token, () => performance.now())
    const port = await freePort()
    let program: Program
    try {
      program = await launch(
        {
          program: name,
          args: tunnelArguments(this.#init, port),
          env: tunnelEnvironment(process.env, token),
          onLine: line => output.add(line)
        },
        this.#reaper
      )
    } catch (err) {
      return cannotRun(name, err)
    }
    const over = new AbortController()
    try {
      return await Promise.race([
        program.ended.then(how => ended(mode, how, output.kept())),
        this.#watch(port, output, AbortSignal.any([signal, over.signal]))
      ])
    } finally {
      over.abort()
      await program.stop(this.#timing.grace)
    }
  }

  /** @returns why the program must be started anew; undefined when there is nothing to watch any more */
  async #watch(port: number, output: Output, signal: AbortSignal): Promise<TunnelProblem | undefined> {
    const { mode } = this.#init
    const { answer, patience, poll, silence, slow, watch } = this.#timing
    let heardAt = performance.now()
    let goodAt = heardAt
    let misses = 0
    while (!signal.aborted) {
      const seen = await look({ port, named: mode === 'named', timeout: answer, signal })
      if (signal.aborted) return undefined
      const now = performance.now()
      if (seen != null) heardAt = now
      const url = this.#urlOf(seen)
      if (url != null) {
        misses = 0
        goodAt = now
        this.#becomeReady(url, output)
      } else if (this.#readyAt == null) {
        if (now - goodAt > slow) this.#enter('starting', { problem: noConnection(mode, output.kept()) })
      } else if (++misses >= UNREADY_AFTER) this.#enter('disconnected', { problem: noConnection(mode, output.kept()) })
      if (now - heardAt > silence) return hung(now - heardAt)
      if (now - goodAt > patience) return noConnection(mode, output.kept())
      await sleep(url == null ? poll : watch, undefined, { signal }).catch(() => {})
    }
    return undefined
  }

  #urlOf(seen: Seen | undefined): string | undefined {
    if (seen?.ready !== true) return undefined
    return this.#init.mode === 'named' ? this.#init.url : seen.url
  }

  #becomeReady(url: string, output: Output): void {
    if (this.#status.state === 'ready' && this.#status.url === url) return
    this.#readyAt ??= performance.now()
    // What it wrote on its way here explains nothing that comes later.
    output.forget()
    this.#enter('ready', { url })
  }

  #enter(state: TunnelState, { url, problem }: Omit<TunnelStatus, 'state'> = {}): void {
    const before = this.#status
    const status = { state, ...(url == null ? {} : { url }), ...(problem == null ? {} : { problem }) }
    if (isDeepStrictEqual(before, status)) return
    this.#status = status
    if (url != null) this.#log.info({ url }, 'the tunnel is ready')
    else if (problem != null && problem.code !== before.problem?.code)
      this.#log.error({ problem: problem.code }, `the tunnel is down: ${problem.message}`)
    for (const listener of this.#listeners) listener()
  }
}
