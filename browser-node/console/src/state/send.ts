import type { Explanation, Mesh } from '@hedgerow/browser-node'
import { troubleOf, troubleOfError } from '../logic/problem.ts'
import type { Wire } from '../logic/request.ts'
import { parseServerTiming } from '../logic/server-timing.ts'
import { begin, type Entry, type Receipt, update } from './session.ts'

/** Milliseconds; pieces of a body come by the thousand. */
const PROGRESS_EVERY = 100

export interface SendInit {
  mesh: Mesh
  service: string
  /** what the page calls it */
  title: string
  operation: string
  wire: Wire
  signal: AbortSignal
  onEntry(id: number): void
  /** takes the answer; its errors count as the request's */
  read(response: Response): Promise<void>
}

/**
 * Sends one request and keeps its record up to date. Resolves when the answer is complete or the request has failed;
 * which of them is in the record.
 */
export async function send({ mesh, service, title, operation, wire, signal, onEntry, read }: SendInit): Promise<void> {
  const entry = begin({ service, title, operation })
  onEntry(entry.id)
  const started = performance.now()
  const since = (): number => performance.now() - started
  let shownAt = 0
  const change = (what: Partial<Entry>): void => update(entry.id, what)
  try {
    const response = await mesh.fetch(`/service/${service}${wire.path}`, {
      method: wire.method,
      headers: wire.headers,
      body: wire.body,
      signal,
      onProgress: progress => {
        if (performance.now() - shownAt < PROGRESS_EVERY && progress.sent !== progress.toSend) return
        shownAt = performance.now()
        change({ progress })
      }
    })
    const receipt = receiptOf(response)
    change({ firstByte: since(), receipt })
    if (response.ok) {
      await read(response)
      change({ state: 'answered', total: since() })
    } else {
      const trouble = troubleOf(
        { status: response.status, retryAfter: response.headers.get('retry-after'), text: await response.text() },
        title
      )
      change({ state: 'failed', total: since(), trouble })
    }
    // The decision is complete only now: attempts and their times.
    const explanation = await explain(mesh, receipt)
    change({ receipt: { ...receipt, explanation } })
  } catch (err) {
    const stopped = signal.aborted
    change({ state: stopped ? 'stopped' : 'failed', total: since(), trouble: troubleOfError(err, stopped) })
  }
}

function receiptOf({ headers, status }: Response): Receipt {
  const get = (name: string): string | undefined => headers.get(name) ?? undefined
  return {
    requestId: get('hedgerow-request-id'),
    worker: get('hedgerow-worker'),
    path: get('hedgerow-path'),
    transport: get('hedgerow-transport'),
    attempts: Number(get('hedgerow-attempts') ?? 1),
    timing: parseServerTiming(headers.get('server-timing')),
    status,
    explanation: undefined
  }
}

/** What this page decided itself it knows; what a relay decided for it, the relay does. */
async function explain(mesh: Mesh, { requestId, path }: Receipt): Promise<Explanation | undefined> {
  if (requestId == null) return undefined
  const own = mesh.explain(requestId)
  if (own != null || path !== 'bridged') return own
  try {
    const response = await fetch(`/explain/${requestId}`)
    return response.ok ? ((await response.json()) as Explanation) : undefined
  } catch {
    // the answer itself is there; why it came from where it did stays open
    return undefined
  }
}
