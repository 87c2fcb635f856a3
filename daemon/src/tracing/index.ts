/**
 * Traces of this peer's part of requests, sent to a collector over OTLP. Off unless one of OpenTelemetry's own variables
 * names a collector: then, and only then, its SDK is loaded.
 *
 * A stranger's `traceparent` may ask for traces, and can't flood the collector: traces that callers begin and those that
 * begin here have so many a second each. What can't be sent is dropped and counted; no request ever waits for it.
 *
 * @example
 * ```ts
 * const traces = await openTraces(traceSettings(process.env), { role: 'worker', perSecond: 50, ... })
 * const span = traces?.tracing.begin({ name: 'POST', kind: 'server', attributes: {} })
 * await traces?.stop()
 * ```
 */
export { type TraceSettings, traceSettings } from './settings.ts'

import type { Tracing } from '@hedgerow/protocols/tracing'
import type { Logger } from 'pino'
import type { TraceSettings } from './settings.ts'

export interface Traces {
  readonly tracing: Tracing
  /** since the start */
  readonly counts: Readonly<SpanCounts>
  /** sends what is left, within {@link STOP_TIMEOUT} */
  stop(): Promise<void>
}

/** What becomes of spans. */
export interface SpanCounts {
  /** taken by the collector */
  sent: number
  /** not recorded, for too many traces began within a second: counted by trace */
  rate: number
  /** the queue was full */
  queue: number
  /** the collector didn't take them */
  export: number
}

export interface TracesInit {
  role: 'worker' | 'relay'
  version: string
  peerId: string
  mesh: string
  /** traces a second */
  perSecond: number
  log: Logger
}

/** @param settings undefined where no variable asks for traces: then there are none */
export async function openTraces(settings: TraceSettings | undefined, init: TracesInit): Promise<Traces | undefined> {
  if (settings == null) return undefined
  // Megabytes that nobody needs who doesn't trace.
  const { createTraces } = await import('./sdk.ts')
  return createTraces(init, settings)
}
