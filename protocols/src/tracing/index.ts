/**
 * What may be recorded of a request on its way: spans, in the sense of OpenTelemetry, tied together by W3C
 * `traceparent`. Peers know this interface only; `opentelemetry` brings it to life, where somebody wants traces at all.
 * Without it nothing is made and nothing is asked.
 *
 * @example
 * ```ts
 * const span = tracing?.begin({ name: 'POST', kind: 'server', attributes: {}, parent: headers.traceparent })
 * const attempt = span?.child({ name: 'POST /extract', kind: 'client', attributes: { [ATTRIBUTES.peer]: peerId } })
 * attempt?.end({ [ATTRIBUTES.status]: 200 })
 * span?.end({})
 * ```
 */
export { attemptsOf, nameOf } from './attempts.ts'
export { ATTRIBUTES, type Attributes, methodName } from './attributes.ts'
export { inSameTrace, parseTraceparent, type TraceContext } from './traceparent.ts'

import type { Attributes } from './attributes.ts'

export interface Tracing {
  /** A request came in, or is made here. @returns undefined where nobody records traces after all */
  begin(start: SpanBegin): Span | undefined
}

export interface SpanStart {
  /** of few different ones: `POST /extract`, never a path as it was called */
  name: string
  /** - `server`: of a request that came in; `client`: of one that goes out; `internal`: of what holds several together */
  kind: 'server' | 'client' | 'internal'
  attributes: Attributes
  /** milliseconds of `performance.now()`. @default now */
  at?: number
}

export interface SpanBegin extends SpanStart {
  /** the caller's traceparent, as it came; a new trace when left out or malformed */
  parent?: string | undefined
}

export interface Span {
  /** names this span, for who comes next */
  readonly traceparent: string
  /** whether it is kept; when not, its trace isn't to be recorded further on either */
  readonly recorded: boolean
  child(start: SpanStart): Span
  rename(name: string): void
  set(attributes: Attributes): void
  /**
   * To be called once.
   *
   * @param error what went wrong, as a code or status; it makes the span one that failed
   */
  end(attributes: Attributes, error?: string): void
}

/** Where dispatch tells what it does for one request: all that it needs to know of spans, so that a page loads no more. */
export interface DispatchSpan {
  /** of the request itself */
  readonly traceparent: string
  /** the DHT was asked. @param milliseconds that it took */
  lookedUp(milliseconds: number): void
  /** @param count attempts of this request, with this one */
  attempt(start: AttemptStart, record: { peerId: string; reason: string }, count: number): AttemptSpan
}

export interface AttemptSpan {
  /** for the worker */
  readonly traceparent: string
  end(end: AttemptEnd): void
}

/** What is known of an attempt when it is sent. */
export interface AttemptStart {
  requestId: string
  request: { method: string }
  service: { name: string }
  operation: { path: string }
}

/** What is known of it when it is over; times in milliseconds of dispatch's clock. */
export interface AttemptEnd {
  record: {
    /** `answered`, the code of the error, or `abandoned`, and `detail` says why */
    outcome: string
    detail?: string | undefined
    status?: number | undefined
    route: { path: string; transport: string } | undefined
  }
  startedAt: number
  headAt: number | undefined
}
