import { Rates } from '@hedgerow/protocols/rate'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  type SamplingResult,
  TraceIdRatioBasedSampler
} from '@opentelemetry/sdk-trace'
import { TRACES_BURST } from './constants.ts'
import type { SpanCounts, TraceSettings } from './index.ts'

export interface CappedInit {
  perSecond: number
  now(): number
  counts: Pick<SpanCounts, 'rate'>
}

/**
 * What OTEL_TRACES_SAMPLER says, within bounds. What belongs to a trace that is recorded here is recorded, so that no trace has
 * holes; how many such traces there are is bounded, apart for those that callers ask for and those that begin here: who
 * floods a peer with requests that want to be recorded takes nothing from what its owner wants to see.
 */
export function cappedSampler({ sampler, ratio }: TraceSettings, { perSecond, now, counts }: CappedInit): Sampler {
  const rates = new Rates({ perSecond, burst: perSecond * TRACES_BURST, now })
  const capped = (whose: 'own' | 'theirs', inner: Sampler): Sampler => ({
    shouldSample(...call): SamplingResult {
      const result = inner.shouldSample(...call)
      if (result.decision === SamplingDecision.NOT_RECORD || rates.take(whose)) return result
      counts.rate++
      return { decision: SamplingDecision.NOT_RECORD }
    },
    toString: () => `Capped{${perSecond}/s, ${inner}}`
  })
  const root = rootOf(sampler, ratio)
  return new ParentBasedSampler({
    root: capped('own', root),
    remoteParentSampled: capped('theirs', sampler.startsWith('parentbased_') ? new AlwaysOnSampler() : root),
    remoteParentNotSampled: sampler.startsWith('parentbased_') ? new AlwaysOffSampler() : capped('theirs', root)
  })
}

function rootOf(sampler: TraceSettings['sampler'], ratio: number): Sampler {
  switch (sampler) {
    case 'always_off':
    case 'parentbased_always_off':
      return new AlwaysOffSampler()
    case 'traceidratio':
    case 'parentbased_traceidratio':
      return new TraceIdRatioBasedSampler(ratio)
    default:
      return new AlwaysOnSampler()
  }
}
