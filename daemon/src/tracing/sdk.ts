/** OpenTelemetry's SDK, which is loaded with this file. */
import { openTelemetry } from '@hedgerow/protocols/opentelemetry'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector
} from '@opentelemetry/resources'
import { TracerProvider } from '@opentelemetry/sdk-trace'
import { MAX_VALUE, STOP_TIMEOUT } from './constants.ts'
import { delivery } from './delivery.ts'
import type { SpanCounts, TraceSettings, Traces, TracesInit } from './index.ts'
import { cappedSampler } from './sampler.ts'
import { collectorOf } from './settings.ts'

const PROGRAMS = { worker: 'hedgerow-daemon', relay: 'hedgerow-relay' }

export function createTraces(
  { role, version, peerId, mesh, perSecond, log }: TracesInit,
  settings: TraceSettings
): Traces {
  const collector = collectorOf(process.env)
  const counts: SpanCounts = { sent: 0, rate: 0, queue: 0, export: 0 }
  // What this process is; nothing of the machine and its user, unless OTEL_RESOURCE_ATTRIBUTES says it.
  const resource = resourceFromAttributes({
    'service.name': PROGRAMS[role],
    'service.version': version,
    'service.instance.id': peerId,
    'hedgerow.mesh': mesh
  })
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(resource)
      .merge(detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] })),
    sampler: cappedSampler(settings, { perSecond, now: () => performance.now(), counts }),
    spanLimits: { attributeValueLengthLimit: MAX_VALUE },
    spanProcessors: [delivery(new OTLPTraceExporter(), { counts, log })]
  })
  log.info({ collector, sampler: settings.sampler, per_second: perSecond }, 'traces are sent to a collector')
  return {
    tracing: openTelemetry(provider.getTracer('hedgerow', version)),
    counts,
    async stop() {
      const late = Promise.withResolvers<void>()
      const timer = setTimeout(() => {
        log.warn('the last traces did not reach the collector in time')
        late.resolve()
      }, STOP_TIMEOUT)
      // Why they didn't get there was said already.
      await Promise.race([provider.shutdown().catch(() => {}), late.promise])
      clearTimeout(timer)
    }
  }
}
