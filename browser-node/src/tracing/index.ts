/**
 * Traces of a page's requests, by the frontend's own OpenTelemetry SDK. A file of its own: who doesn't trace loads none of it.
 *
 * @example
 * ```ts
 * import { joinMesh } from '@hedgerow/browser-node'
 * import { openTelemetry } from '@hedgerow/browser-node/tracing'
 *
 * const mesh = await joinMesh({ relays, tracing: openTelemetry() })
 * ```
 */
import { openTelemetry as spansBy } from '@hedgerow/protocols/opentelemetry'
import type { DispatchSpan } from '@hedgerow/protocols/tracing'
import { type Tracer, trace } from '@opentelemetry/api'
import { pageTracing } from './spans.ts'

/**
 * Each request becomes a span, with a child for each attempt, of which the worker's own is a child. It belongs to the span
 * that the page is in, where the SDK follows that, or to the request's own `traceparent`.
 *
 * @param tracer which one makes them. @default that of the SDK registered with `@opentelemetry/api`
 */
export function openTelemetry(tracer: Tracer = trace.getTracer('@hedgerow/browser-node')): PageTracing {
  return pageTracing(spansBy(tracer))
}

/** What a mesh tells of its requests; made by {@link openTelemetry}. */
export interface PageTracing {
  /** @returns undefined where nobody records after all */
  begin(request: { method: string; headers: Headers }, requestId: string): FetchSpan | undefined
}

/** One `fetch`, to the head of its answer. */
export interface FetchSpan {
  readonly attempts: DispatchSpan
  /** Sends it over a relay's HTTP bridge, where the relay goes on with the trace. */
  bridge(headers: Headers, send: () => Promise<Response>): Promise<Response>
  end(response: Response): void
  /** @param err undefined when the caller left */
  fail(err: unknown): void
}
