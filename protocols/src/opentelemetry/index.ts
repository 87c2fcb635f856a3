/**
 * {@link Tracing} by OpenTelemetry: spans are made by a tracer of whatever SDK the program has set up. Workers and relays
 * bring one of their own, when they are told where traces go; a page brings the one of its frontend.
 *
 * @example
 * ```ts
 * import { trace } from '@opentelemetry/api'
 *
 * const tracing = openTelemetry(trace.getTracer('hedgerow'))
 * ```
 */
import {
  type Attributes as ApiAttributes,
  type Span as ApiSpan,
  type Context,
  context,
  isSpanContextValid,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace
} from '@opentelemetry/api'
import {
  ATTRIBUTES,
  type Attributes,
  parseTraceparent,
  type Span,
  type SpanStart,
  type Tracing
} from '../tracing/index.ts'

const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL }

export function openTelemetry(tracer: Tracer): Tracing {
  return {
    begin({ parent, ...start }) {
      const span = new TracerSpan(tracer, start, contextOf(parent))
      // What a tracer makes while there is no SDK leads nowhere.
      return span.valid ? span : undefined
    }
  }
}

/** The caller's; else the span that this program is in, where its SDK follows that. */
function contextOf(traceparent: string | undefined): Context {
  const parent = parseTraceparent(traceparent)
  if (parent == null) return context.active()
  const { traceId, spanId, flags } = parent
  return trace.setSpanContext(context.active(), {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    isRemote: true
  })
}

class TracerSpan implements Span {
  readonly traceparent: string
  readonly recorded: boolean
  readonly valid: boolean
  readonly #tracer: Tracer
  readonly #parent: Context
  readonly #span: ApiSpan

  constructor(tracer: Tracer, { name, kind, attributes, at = performance.now() }: SpanStart, parent: Context) {
    const options = { kind: KINDS[kind], attributes: defined(attributes), startTime: at }
    this.#tracer = tracer
    this.#parent = parent
    this.#span = tracer.startSpan(name, options, parent)
    const its = this.#span.spanContext()
    this.valid = isSpanContextValid(its)
    this.recorded = this.#span.isRecording()
    this.traceparent = `00-${its.traceId}-${its.spanId}-${its.traceFlags.toString(16).padStart(2, '0')}`
  }

  child(start: SpanStart): Span {
    if (!this.recorded) return this
    return new TracerSpan(this.#tracer, start, trace.setSpan(this.#parent, this.#span))
  }

  rename(name: string): void {
    this.#span.updateName(name)
  }

  set(attributes: Attributes): void {
    if (this.recorded) this.#span.setAttributes(defined(attributes))
  }

  end(attributes: Attributes, error?: string): void {
    if (!this.recorded) return
    this.set(attributes)
    if (error != null) this.#span.setAttribute(ATTRIBUTES.errorType, error).setStatus({ code: SpanStatusCode.ERROR })
    this.#span.end(performance.now())
  }
}

function defined(attributes: Attributes): ApiAttributes {
  const all: ApiAttributes = {}
  for (const name in attributes) if (attributes[name] !== undefined) all[name] = attributes[name]
  return all
}
