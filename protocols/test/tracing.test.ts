import assert from 'node:assert/strict'
import { trace } from '@opentelemetry/api'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import * as incubating from '@opentelemetry/semantic-conventions/incubating'
import { openTelemetry } from '../src/opentelemetry/index.ts'
import { ATTRIBUTES, attemptsOf, inSameTrace, methodName, parseTraceparent } from '../src/tracing/index.ts'
import { answerOf, FakeMesh } from './support/fake-mesh.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

function recorder() {
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
  return { exporter, tracing: openTelemetry(provider.getTracer('test')) }
}

describe('what may be recorded of a request', () => {
  it('has names of the conventions, and of our own', () => {
    const known = new Set<unknown>(Object.values(incubating))
    const foreign = Object.values(ATTRIBUTES).filter(name => !name.startsWith('hedgerow.'))
    assert.deepEqual(
      foreign.filter(name => !known.has(name)),
      []
    )
  })

  it('takes methods that callers make up as one', () => {
    assert.deepEqual(['GET', 'get', 'OWES-BARCLAYS'].map(methodName), ['GET', '_OTHER', '_OTHER'])
  })

  it('belongs to the trace that a caller names, if it names one', () => {
    const { tracing } = recorder()
    const begin = (parent: string | undefined) => tracing.begin({ name: 'x', kind: 'server', attributes: {}, parent })
    assert.match(begin(`00-${TRACE}-${SPAN}-01`)?.traceparent ?? '', new RegExp(`^00-${TRACE}-(?!${SPAN})\\w{16}-01$`))
    for (const parent of [undefined, '', 'garbage', `00-${TRACE}-${SPAN}-01-more`, `00-${'0'.repeat(32)}-${SPAN}-01`])
      assert.ok(begin(parent)?.traceparent.includes(TRACE) === false, parent)
  })

  it('is nothing where no SDK is registered', () => {
    const tracing = openTelemetry(trace.getTracer('nobody'))
    assert.equal(tracing.begin({ name: 'x', kind: 'server', attributes: {} }), undefined)
  })

  it('lets a backend put its own span between, in its own trace only, and not decide on recording', () => {
    const given = `00-${TRACE}-${SPAN}-00`
    const table: Array<[string | undefined, string]> = [
      [`00-${TRACE}-1111111111111111-01`, `00-${TRACE}-1111111111111111-00`],
      [`00-${'2'.repeat(32)}-1111111111111111-01`, given],
      ['garbage', given],
      [undefined, given]
    ]
    for (const [said, parent] of table) assert.equal(inSameTrace(given, said), parent, said)
    assert.deepEqual(parseTraceparent(given), { traceId: TRACE, spanId: SPAN, flags: '00' })
  })

  it('has a span for each attempt, beside one another, which the worker is told of', async () => {
    const { exporter, tracing } = recorder()
    const mesh = new FakeMesh()
    const [first] = mesh.workers.values()
    for (const worker of mesh.workers.values()) if (worker !== first) worker.refuse('Busy')
    const span = tracing.begin({ name: 'POST', kind: 'server', attributes: {} })
    assert.ok(span != null)
    const answer = answerOf(await mesh.call({ span: attemptsOf(span), headers: { tracestate: 'a=b' } }))
    span.end({})
    const { spanId } = parseTraceparent(span.traceparent) ?? {}
    const attempts = exporter.getFinishedSpans().filter(one => one.parentSpanContext?.spanId === spanId)
    assert.equal(attempts.length, answer.attempts)
    assert.equal(answer.traceparent, span.traceparent)
    const received = [...mesh.workers.values()].flatMap(({ received }) => received.map(({ headers }) => headers))
    assert.deepEqual(
      received.map(({ traceparent }) => parseTraceparent(String(traceparent))?.spanId).sort(),
      attempts.map(one => one.spanContext().spanId).sort()
    )
    // It speaks of a trace that this isn't.
    assert.ok(received.every(({ tracestate }) => tracestate == null))
    const last = attempts.find(({ attributes }) => attributes[ATTRIBUTES.peer] === answer.worker)
    assert.equal(last?.attributes[ATTRIBUTES.outcome], 'answered')
    for (const other of attempts) {
      if (other === last) continue
      assert.equal(other.attributes[ATTRIBUTES.errorType], 'Busy')
      assert.equal(other.status.code, 2)
    }
  })

  it('says of a second attempt that it hedged, and of the slower that it was outrun', async () => {
    const { exporter, tracing } = recorder()
    const mesh = new FakeMesh({ workers: ['a', 'b'] })
    for (let i = 0; i < 200; i++) answerOf(await mesh.call())
    let slow: string | undefined
    for (const worker of mesh.workers.values()) {
      worker.answer = async () => {
        slow ??= worker.peerId
        if (slow === worker.peerId) await mesh.clock.sleep(5000)
        return { body: [worker.peerId] }
      }
    }
    const span = tracing.begin({ name: 'POST', kind: 'server', attributes: {} })
    assert.ok(span != null)
    const answer = answerOf(await mesh.call({ span: attemptsOf(span) }))
    assert.notEqual(answer.worker, slow)
    assert.deepEqual(
      exporter
        .getFinishedSpans()
        .map(({ attributes, status }) => [
          attributes[ATTRIBUTES.peer],
          attributes[ATTRIBUTES.outcome],
          attributes[ATTRIBUTES.resendCount] === 1 ? attributes[ATTRIBUTES.reason] : undefined,
          status.code
        ])
        .sort(),
      [
        [answer.worker, 'answered', 'hedge', 0],
        [slow, 'Outrun', undefined, 0]
      ].sort()
    )
  })
})
