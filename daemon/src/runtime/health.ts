import type { HealthSpec } from '../manifest/index.ts'
import { FIRST_PROBE, MAX_HEALTH_BODY, MAX_START_PROBE, RECHECK, RESTART_AFTER, UNHEALTHY_AFTER } from './constants.ts'
import { fetchText } from './fetch.ts'
import type { BackendState, HttpTarget, Target, TcpTarget } from './index.ts'
import { connectTcp } from './tcp.ts'

/**
 * - `healthy`: 2xx
 * - `not-ready`: 503. It lives and says that it can't work now, which a restart would hardly mend
 * - `silent`: took the connection (or not even that) and said nothing in time
 * - `failed`: refused the connection, broke it off, or answered anything else
 */
export type ProbeResult = { kind: 'healthy' } | { kind: 'not-ready' | 'silent' | 'failed'; reason: string }

/** Asks a backend how it is: an HTTP server for its health, any other for a connection. Never throws. */
export function probe(target: Target, { path, timeout }: HealthSpec): Promise<ProbeResult> {
  return target.protocol === 'http' ? probeHttp(target, path, timeout) : probeTcp(target, timeout)
}

async function probeHttp(target: HttpTarget, path: string, timeout: number): Promise<ProbeResult> {
  try {
    const { status, text } = await fetchText(target, path, { timeout, maxBytes: MAX_HEALTH_BODY })
    if (status >= 200 && status < 300) return { kind: 'healthy' }
    if (status === 503) return { kind: 'not-ready', reason: `${path} answered 503${reasonIn(text)}` }
    return { kind: 'failed', reason: `${path} answered ${status}` }
  } catch (err) {
    if (isTimeout(err)) return { kind: 'silent', reason: `${path} did not answer within ${timeout / 1000} s` }
    return { kind: 'failed', reason: `${path} failed: ${describe(err)}` }
  }
}

async function probeTcp(target: TcpTarget, timeout: number): Promise<ProbeResult> {
  const place = `${target.host}:${target.port}`
  try {
    const socket = await connectTcp(target, AbortSignal.timeout(timeout))
    socket.destroy()
    return { kind: 'healthy' }
  } catch (err) {
    if (isTimeout(err)) return { kind: 'silent', reason: `${place} took no connection within ${timeout / 1000} s` }
    return { kind: 'failed', reason: `${place} took no connection: ${describe(err)}` }
  }
}

/** Characters of a reason that are kept: it goes into the log. */
const MAX_REASON = 300

/** What a backend says of why it can't work, as the shipped services do: `{reason}`. */
export function reasonIn(text: string): string {
  try {
    const { reason }: { reason?: unknown } = Object(JSON.parse(text))
    return typeof reason === 'string' ? `: ${reason.slice(0, MAX_REASON)}` : ''
  } catch {
    return ''
  }
}

function isTimeout(err: unknown): boolean {
  if (!(err instanceof Error)) return false
  return err.name === 'TimeoutError' || ('code' in err && err.code === 'UND_ERR_CONNECT_TIMEOUT')
}

function describe(err: unknown): string {
  if (!(err instanceof Error)) return String(err)
  return err.message === '' && 'code' in err ? String(err.code) : err.message
}

export interface Situation {
  state: BackendState
  /** failed probes in a row, before this one */
  failures: number
  /** milliseconds since it was launched */
  age: number
  /** requests are in hand, all within their time */
  busy: boolean
  /** it is ours to start anew */
  restartable: boolean
}

export interface Verdict {
  state: 'starting' | 'healthy' | 'unhealthy'
  failures: number
  /** why it must be started anew */
  restart?: string
  /** milliseconds until the next probe */
  wait: number
  reason?: string
}

/** What a probe means. */
export function judge(now: Situation, result: ProbeResult, { interval, start }: HealthSpec): Verdict {
  if (result.kind === 'healthy') return { state: 'healthy', failures: 0, wait: interval }
  const { reason } = result
  const soon = Math.min(interval, RECHECK)
  if (now.state === 'starting') {
    if (now.age < start) {
      const wait = Math.min(MAX_START_PROBE, Math.max(FIRST_PROBE, now.age / 8))
      return { state: 'starting', failures: 0, wait: Math.min(wait, start - now.age), reason }
    }
    const late = `no healthy answer within ${start / 1000} s: ${reason}`
    if (result.kind === 'not-ready' || !now.restartable) {
      return { state: 'unhealthy', failures: 0, wait: soon, reason: late }
    }
    return { state: 'unhealthy', failures: 0, wait: soon, reason: late, restart: late }
  }
  if (result.kind === 'not-ready') return { state: 'unhealthy', failures: 0, wait: soon, reason }
  const failures = now.failures + 1
  const state = now.state === 'healthy' && failures < UNHEALTHY_AFTER ? 'healthy' : 'unhealthy'
  // A server of one thread is silent while it works. It gets nothing more to do, but keeps what it has in hand.
  const working = result.kind === 'silent' && now.busy
  if (now.restartable && failures >= RESTART_AFTER && !working)
    return { state, failures, wait: soon, reason, restart: reason }
  return { state, failures, wait: soon, reason }
}
