/** Spans on their way to the collector: bounded, counted, and told of when they don't get there. */
import { BatchSpanProcessor, type SpanExporter, type SpanProcessor } from '@opentelemetry/sdk-trace'
import type { Logger } from 'pino'
import { BATCH_SPANS, MAX_SPANS, SEND_INTERVAL } from './constants.ts'
import type { SpanCounts } from './index.ts'

/** `ExportResultCode.SUCCESS` of the SDK's core. */
const SUCCESS = 0

export interface DeliveryInit {
  counts: SpanCounts
  log: Logger
}

/** Batches spans for an exporter. Those that it hasn't got yet are bounded here, where those beyond are counted. */
export function delivery(exporter: SpanExporter, { counts, log }: DeliveryInit): SpanProcessor {
  let waiting = 0
  let failing = false
  const noted = (error: Error | undefined, spans: number): void => {
    if (error == null) {
      counts.sent += spans
      if (failing) log.info('the collector of traces takes them again')
      failing = false
      return
    }
    counts.export += spans
    // Once, however long it lasts: hedgerow_spans_lost_total says how many.
    if (!failing) log.warn({ reason: error.message }, 'the collector takes no traces; requests go on without')
    failing = true
  }
  const batches = new BatchSpanProcessor({
    maxQueueSize: MAX_SPANS,
    maxExportBatchSize: BATCH_SPANS,
    scheduledDelayMillis: SEND_INTERVAL,
    exporter: {
      export(spans, done) {
        waiting -= spans.length
        exporter.export(spans, result => {
          noted(result.code === SUCCESS ? undefined : (result.error ?? new Error('it refuses them')), spans.length)
          done(result)
        })
      },
      shutdown: () => exporter.shutdown()
    }
  })
  return {
    onStart: (span, context) => batches.onStart(span, context),
    onEnd(span) {
      if (waiting >= MAX_SPANS) {
        counts.queue++
        return
      }
      waiting++
      batches.onEnd(span)
    },
    forceFlush: () => batches.forceFlush(),
    shutdown: () => batches.shutdown()
  }
}
