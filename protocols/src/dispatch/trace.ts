/** W3C Trace Context, level 1. */
import { randomHex } from '../random/index.ts'

// A later version may append fields; version ff is none.
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-.*)?$/

export interface Trace {
  /** for who comes next */
  traceparent: string
  /** whether it belongs to the caller's trace */
  continued: boolean
}

/** The same trace with a span of its own; a new trace when there is none that can be continued. */
export function continueTrace(traceparent: string | undefined): Trace {
  const parent = traceparent == null ? null : TRACEPARENT.exec(traceparent)
  // Version 00 has nothing after the flags.
  if (parent == null || (parent[3] != null && traceparent?.startsWith('00')))
    return { traceparent: `00-${randomHex(16)}-${randomHex(8)}-01`, continued: false }
  return { traceparent: `00-${parent[1]}-${randomHex(8)}-${parent[2]}`, continued: true }
}
