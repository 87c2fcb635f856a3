import { InspectorError } from '../../errors.ts'
import { DaemonSource } from '../../source/daemon.ts'
import { openSource } from '../../source/index.ts'
import { CHECKS } from './checks/index.ts'
import type { Check, CheckId, DoctorInit, DoctorReport, Finding, Result, Verdict, Visit } from './index.ts'
import { relayUrl } from './target.ts'

/** Milliseconds for all checks: with what comes before and after, under half a minute. */
const WHOLE = 25_500
/** Milliseconds to find the daemon of this machine. */
const LOCAL_TIMEOUT = 2000
/** Milliseconds to leave the mesh again. */
const LEAVE_TIMEOUT = 1500

/** @throws {InspectorError} Usage, or Unreachable where no relay is known to ask */
export async function examine(init: DoctorInit, signal: AbortSignal): Promise<DoctorReport> {
  const local = await localDaemon(init, signal)
  const url = await relayUrl(
    init.url,
    init.env.HEDGEROW_RELAY,
    local,
    AbortSignal.any([signal, AbortSignal.timeout(LOCAL_TIMEOUT)])
  ).catch(async err => {
    await local?.close()
    throw err
  })
  const visit: Visit = {
    init,
    url,
    now: init.now ?? Date.now,
    observed: new Set(),
    ...(local == null ? {} : { local })
  }
  const whole = AbortSignal.any([signal, AbortSignal.timeout(WHOLE)])
  try {
    const checks = await inOrder(visit, whole)
    signal.throwIfAborted()
    const well = checks.every(({ state }) => state !== 'wrong')
    const reached = visit.relay != null || visit.joined != null || visit.local != null
    return { url: url.href, well, checks, exit_code: well ? 0 : reached ? 1 : 3 }
  } finally {
    await leave(visit)
  }
}

/** Each check starts when those it waits for have ended. */
async function inOrder(visit: Visit, signal: AbortSignal): Promise<Result[]> {
  const started = new Map<CheckId, Promise<Result[]>>()
  for (const check of CHECKS) started.set(check.id, start(check, started, visit, signal))
  const results: Result[] = []
  for (const found of started.values())
    for (const result of await found) {
      results.push(result)
      visit.init.onResult?.(result)
    }
  return results
}

async function start(
  check: Check,
  started: ReadonlyMap<CheckId, Promise<Result[]>>,
  visit: Visit,
  signal: AbortSignal
): Promise<Result[]> {
  const { id, needs = [], after = [] } = check
  await Promise.all(after.map(other => started.get(other)))
  for (const need of needs) {
    const [result] = (await started.get(need)) ?? []
    if (result?.state !== 'well')
      return [
        {
          check: id,
          title: check.title,
          ms: 0,
          state: 'none',
          found: `not looked at: ${result?.title ?? need} comes first`
        }
      ]
  }
  const startedAt = performance.now()
  const found = await look(check, visit, signal)
  const ms = Math.round(performance.now() - startedAt)
  return (Array.isArray(found) ? found : [found]).map(finding => ({ title: check.title, ...finding, check: id, ms }))
}

/** Never throws and never takes longer than it may. */
async function look(check: Check, visit: Visit, signal: AbortSignal): Promise<Verdict | Finding[]> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(check.limit)])
  try {
    return await bounded(check.look(visit, limited), limited)
  } catch (err) {
    if (limited.aborted) return { state: 'wrong', found: `no answer within ${check.limit / 1000} s`, fix: check.late }
    const [hint = check.late] = err instanceof InspectorError ? err.hints : []
    return { state: 'wrong', found: err instanceof Error ? err.message : String(err), fix: hint }
  }
}

/** A name lookup, for one, goes on whatever its caller wants. */
async function bounded<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(signal.reason)
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

async function localDaemon({ daemon, key, env }: DoctorInit, signal: AbortSignal): Promise<DaemonSource | undefined> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(LOCAL_TIMEOUT)])
  try {
    const source = await openSource(
      { ...(daemon == null ? {} : { daemon }), ...(key == null ? {} : { key }) },
      { env, signal: patience }
    )
    return source instanceof DaemonSource ? source : undefined
  } catch (err) {
    signal.throwIfAborted()
    if (err instanceof InspectorError && err.code === 'Usage') throw err
    return undefined
  }
}

async function leave({ local, joining }: Visit): Promise<void> {
  const left = Promise.allSettled([local?.close(), joining?.then(joined => joined.leave())])
  await bounded(left, AbortSignal.timeout(LEAVE_TIMEOUT)).catch(() => {})
}
