import { randomHex } from '../random/index.ts'
import { parseTraceparent } from '../tracing/index.ts'

export interface Trace {
  /** for who comes next */
  traceparent: string
  /** whether it belongs to the caller's trace */
  continued: boolean
}

/** The same trace with a span of its own; a new trace when there is none that can be continued. */
export function continueTrace(traceparent: string | undefined): Trace {
  const parent = parseTraceparent(traceparent)
  if (parent == null) return { traceparent: `00-${randomHex(16)}-${randomHex(8)}-01`, continued: false }
  return { traceparent: `00-${parent.traceId}-${randomHex(8)}-${parent.flags}`, continued: true }
}
