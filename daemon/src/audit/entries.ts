import { NAME_PATTERN } from '@hedgerow/protocols/ids'
import type { IngressRecord } from '../ingress/index.ts'
import type { Served } from '../serving/index.ts'
import type { AuditEntry } from './index.ts'

const NAME = new RegExp(NAME_PATTERN)
/** What callers name can be anything: it is kept where it can be no content. */
const named = (value: string | undefined): string | null => (value != null && NAME.test(value) ? value : null)
const METHOD = /^[A-Z-]{1,20}$/
const methodOf = (value: string): string => (METHOD.test(value) ? value : 'other')
const rounded = (ms: number): number => Math.round(ms * 1000) / 1000

/** A request as the peer saw it where it entered the mesh. */
export function ingressEntry(record: IngressRecord): AuditEntry {
  const { startedAt, duration, error } = record
  return {
    time: new Date(startedAt + duration).toISOString(),
    started_at: new Date(startedAt).toISOString(),
    request_id: record.id,
    side: 'ingress',
    caller: record.caller ?? 'local',
    service: named(record.service),
    operation: record.operation ?? null,
    method: methodOf(record.method),
    data_class: named(record.dataClass),
    request_bytes: record.requestBytes,
    answer_bytes: record.answerBytes,
    status: record.status,
    outcome: error?.code ?? 'answered',
    worker: record.worker ?? null,
    path: record.path === 'none' ? null : record.path,
    ms: rounded(duration)
  }
}

/** A request as the worker saw that served or refused it. @param worker its peer id @param path how its caller got there */
export function workerEntry(served: Served, worker: string, path: string | null): AuditEntry {
  const { startedAt, duration } = served
  return {
    time: new Date(startedAt + duration).toISOString(),
    started_at: new Date(startedAt).toISOString(),
    request_id: served.requestId,
    side: 'worker',
    caller: served.caller,
    service: named(served.service),
    operation: served.operation ?? null,
    method: methodOf(served.method),
    data_class: named(served.dataClass),
    request_bytes: served.request.bytes,
    answer_bytes: served.answer.bytes,
    status: served.status,
    outcome: served.outcome,
    worker,
    path,
    ms: rounded(duration)
  }
}
