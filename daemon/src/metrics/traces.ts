import type { SpanCounts } from '../tracing/index.ts'
import { type Instruments, one } from './instruments.ts'

const REASONS = ['rate', 'queue', 'export'] as const

/** What became of spans; all zero on a peer that records none. */
export function traceMetrics(instruments: Instruments, counts: Readonly<SpanCounts> | undefined): void {
  instruments.counter('hedgerow_spans_sent_total', 'Spans of traces that the collector took', [], () =>
    one(counts?.sent ?? 0)
  )
  instruments.counter(
    'hedgerow_spans_lost_total',
    'Spans that never got to the collector: the queue was full, or it did not take them; by rate, traces that were not recorded because too many began at once',
    ['reason'],
    function* () {
      for (const reason of REASONS) yield [{ reason }, counts?.[reason] ?? 0]
    }
  )
}
