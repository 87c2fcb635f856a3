/** `traceparent` of W3C Trace Context, level 1. */

export interface TraceContext {
  traceId: string
  /** of whoever sent it */
  spanId: string
  /** two hex digits */
  flags: string
}

// A later version than 00 may append fields; version ff is none.
const TRACEPARENT = /^(?!ff|00.{53}.)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/** @returns undefined for what can't be continued */
export function parseTraceparent(value: string | undefined): TraceContext | undefined {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(value ?? '') ?? []
  return traceId == null || spanId == null || flags == null ? undefined : { traceId, spanId, flags }
}

/**
 * Of a program that was given `given` and says `said`: its own span when it is one of that trace, so that it may stand
 * between. Whether the trace is recorded is not for it to say.
 */
export function inSameTrace(given: string, said: string | undefined): string {
  const parent = parseTraceparent(given)
  const own = parseTraceparent(said)
  if (parent == null || own?.traceId !== parent.traceId) return given
  return `00-${own.traceId}-${own.spanId}-${parent.flags}`
}
