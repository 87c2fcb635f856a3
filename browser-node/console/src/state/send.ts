import type { Mesh } from '@hedgerow/browser-node'
import { troubleOf, troubleOfError } from '../logic/problem.ts'
import type { Wire } from '../logic/request.ts'
import { parseServerTiming } from '../logic/server-timing.ts'
import { begin, type Entry, type Receipt, update } from './session.ts'

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
  const change = (what: Partial<Entry>): void => update(entry.id, what)
  let requestId: string | undefined
  try {
    const response = await mesh.fetch(`/service/${service}${wire.path}`, {
      method: wire.method,
      headers: wire.headers,
      body: wire.body,
      signal,
      onProgress: progress => change({ progress })
    })
    const receipt = receiptOf(response, mesh)
    requestId = receipt.requestId
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
    change({ receipt: { ...receipt, explanation: explain(mesh, requestId) ?? receipt.explanation } })
  } catch (err) {
    const stopped = signal.aborted
    change({ state: stopped ? 'stopped' : 'failed', total: since(), trouble: troubleOfError(err, stopped) })
  }
}

function receiptOf({ headers, status }: Response, mesh: Mesh): Receipt {
  const get = (name: string): string | undefined => headers.get(name) ?? undefined
  const requestId = get('hedgerow-request-id')
  return {
    requestId,
    worker: get('hedgerow-worker'),
    path: get('hedgerow-path'),
    transport: get('hedgerow-transport'),
    attempts: Number(get('hedgerow-attempts') ?? 1),
    timing: parseServerTiming(headers.get('server-timing')),
    status,
    explanation: explain(mesh, requestId)
  }
}

function explain(mesh: Mesh, requestId: string | undefined): Receipt['explanation'] {
  return requestId == null ? undefined : mesh.explain(requestId)
}
