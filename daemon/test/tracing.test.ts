import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { promisify } from 'node:util'
import { openTelemetry } from '@hedgerow/protocols/opentelemetry'
import { InMemorySpanExporter, type SpanExporter, type SpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import pino from 'pino'
import { ConfigError } from '../src/config/errors.ts'
import { BATCH_SPANS, MAX_SPANS, STOP_TIMEOUT } from '../src/tracing/constants.ts'
import { delivery } from '../src/tracing/delivery.ts'
import { openTraces, type SpanCounts, type TraceSettings, traceSettings } from '../src/tracing/index.ts'
import { cappedSampler } from '../src/tracing/sampler.ts'
import { collectorOf } from '../src/tracing/settings.ts'

const URL = 'http://127.0.0.1:4318'
const ON = { OTEL_EXPORTER_OTLP_ENDPOINT: URL }
const ALWAYS: TraceSettings = { sampler: 'parentbased_always_on', ratio: 1 }
const noCounts = (): SpanCounts => ({ sent: 0, rate: 0, queue: 0, export: 0 })
const parent = (flags: string, i = 1): string => `00-${String(i).padStart(32, '0')}-00f067aa0ba902b7-${flags}`

function logTo(lines: string[]): pino.Logger {
  return pino({ level: 'info' }, { write: line => void lines.push(line) })
}

describe('whether traces are recorded', () => {
  const table: Array<[string, NodeJS.ProcessEnv, TraceSettings | undefined]> = [
    ['not by itself', {}, undefined],
    [
      'not by variables that name no collector',
      { OTEL_SERVICE_NAME: 'x', OTEL_TRACES_SAMPLER: 'always_on' },
      undefined
    ],
    ['not by an empty variable', { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }, undefined],
    ['where a collector is named', ON, ALWAYS],
    ['where one for traces is named', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${URL}/v1/traces` }, ALWAYS],
    ['where it is asked for, at the usual place', { OTEL_TRACES_EXPORTER: 'otlp' }, ALWAYS],
    ['not when it is switched off', { ...ON, OTEL_SDK_DISABLED: 'TRUE' }, undefined],
    ['not when the exporter is none', { ...ON, OTEL_TRACES_EXPORTER: 'none' }, undefined],
    [
      'as the sampler says',
      { ...ON, OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' },
      { sampler: 'traceidratio', ratio: 0.25 }
    ]
  ]
  for (const [name, env, settings] of table) it(name, () => assert.deepEqual(traceSettings(env), settings))

  it('tells the log where they go, and no password in it', () => {
    assert.equal(collectorOf(ON), URL)
    assert.equal(collectorOf({ OTEL_TRACES_EXPORTER: 'otlp' }), 'http://localhost:4318')
    const secret = { ...ON, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://me:secret@traces.example.org/v1/traces?key=x' }
    assert.equal(collectorOf(secret), 'https://traces.example.org/v1/traces')
  })

  const wrong: Array<[string, NodeJS.ProcessEnv]> = [
    ['OTEL_EXPORTER_OTLP_ENDPOINT', { OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318' }],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', { ...ON, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }],
    ['OTEL_TRACES_EXPORTER', { OTEL_TRACES_EXPORTER: 'zipkin' }],
    ['OTEL_TRACES_SAMPLER', { ...ON, OTEL_TRACES_SAMPLER: 'sometimes' }],
    ['OTEL_TRACES_SAMPLER_ARG', { ...ON, OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' }]
  ]
  for (const [name, env] of wrong)
    it(`says that ${name} is wrong`, () =>
      assert.throws(
        () => traceSettings(env),
        err => err instanceof ConfigError && err.message.startsWith(`${name}:`)
      ))

  it('loads nothing of OpenTelemetry beyond its interface until then', async function () {
    this.timeout(30_000)
    const script = `
      import { registerHooks } from 'node:module'
      const loaded = new Set()
      registerHooks({
        load(url, context, next) {
          loaded.add(/@opentelemetry\\/([\\w-]+)/.exec(url)?.[1])
          return next(url, context)
        }
      })
      await import('@hedgerow/daemon/peer')
      const { openTraces, traceSettings } = await import('@hedgerow/daemon/tracing')
      const init = { role: 'worker', version: '1', peerId: 'p', mesh: 'm', perSecond: 1, log: { info() {} } }
      await openTraces(traceSettings({}), init)
      const before = loaded.has('sdk-trace')
      await openTraces(traceSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: '${URL}' }), init)
      console.log(JSON.stringify([before, loaded.has('sdk-trace')]))`
    const args = ['--conditions=hedgerow-source', '--input-type=module', '-e', script]
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: import.meta.dirname })
    assert.deepEqual(JSON.parse(stdout), [false, true])
  })
})

describe('how many traces are recorded', () => {
  function world(settings: TraceSettings, perSecond = 10) {
    const counts = noCounts()
    let now = 0
    const provider = new TracerProvider({ sampler: cappedSampler(settings, { perSecond, now: () => now, counts }) })
    const tracing = openTelemetry(provider.getTracer('test'))
    const begin = (traceparent?: string) =>
      tracing.begin({ name: 'GET', kind: 'server', attributes: {}, parent: traceparent })
    const recorded = (count: number, of: (i: number) => string | undefined): number =>
      Array.from({ length: count }, (_, i) => begin(of(i + 1))).filter(span => span?.recorded === true).length
    return { counts, begin, recorded, pass: (ms: number) => (now += ms) }
  }

  it('is bounded, whatever callers ask for', () => {
    const { counts, recorded, pass } = world(ALWAYS)
    assert.equal(
      recorded(1000, i => parent('01', i)),
      20
    )
    assert.equal(counts.rate, 980)
    pass(1000)
    assert.equal(
      recorded(1000, i => parent('01', i)),
      10
    )
  })

  it('has room for those that begin here, however many callers ask for', () => {
    const { recorded } = world(ALWAYS)
    recorded(1000, i => parent('01', i))
    assert.equal(
      recorded(1000, () => undefined),
      20
    )
  })

  it('is none of those whose caller records nothing', () => {
    const { counts, begin, recorded } = world(ALWAYS)
    assert.equal(
      recorded(5, i => parent('00', i)),
      0
    )
    assert.equal(counts.rate, 0)
    assert.match(begin(parent('00'))?.traceparent ?? '', /-00$/)
  })

  it('does not cut a trace that is recorded', () => {
    const { begin, recorded } = world(ALWAYS)
    const span = begin()
    recorded(1000, () => undefined)
    assert.equal(span?.child({ name: 'x', kind: 'client', attributes: {} }).recorded, true)
  })

  it('is told to who comes next', () => {
    const { begin, recorded } = world(ALWAYS)
    recorded(1000, i => parent('01', i))
    const span = begin(parent('01'))
    assert.match(span?.traceparent ?? '', /-00$/)
    assert.equal(span?.child({ name: 'x', kind: 'client', attributes: {} }).traceparent, span?.traceparent)
  })

  const samplers: Array<[TraceSettings['sampler'], own: number, sampled: number, not: number]> = [
    ['always_on', 5, 5, 5],
    ['always_off', 0, 0, 0],
    ['parentbased_always_on', 5, 5, 0],
    ['parentbased_always_off', 0, 5, 0],
    ['parentbased_traceidratio', 0, 5, 0],
    ['traceidratio', 0, 0, 0]
  ]
  for (const [sampler, own, sampled, not] of samplers) {
    it(`is as ${sampler} says`, () => {
      const count = (of: (i: number) => string | undefined): number =>
        world({ sampler, ratio: 0 }, 1000).recorded(5, of)
      assert.deepEqual(
        [count(() => undefined), count(i => parent('01', i)), count(i => parent('00', i))],
        [own, sampled, not]
      )
    })
  }
})

describe('spans on their way to a collector', () => {
  function world(exporter: SpanExporter) {
    const counts = noCounts()
    const lines: string[] = []
    const processor: SpanProcessor = delivery(exporter, { counts, log: logTo(lines) })
    const tracing = openTelemetry(new TracerProvider({ spanProcessors: [processor] }).getTracer('test'))
    const send = (count: number): void => {
      for (let i = 0; i < count; i++) tracing.begin({ name: 'GET', kind: 'server', attributes: {} })?.end({})
    }
    return { counts, lines, processor, send }
  }

  it('arrive', async () => {
    const exporter = new InMemorySpanExporter()
    const { counts, processor, send } = world(exporter)
    send(3)
    await processor.forceFlush()
    assert.equal(exporter.getFinishedSpans().length, 3)
    assert.deepEqual(counts, { sent: 3, rate: 0, queue: 0, export: 0 })
  })

  it('wait in bounds for one that does not answer, and those beyond are counted', () => {
    let asked = 0
    const silent: SpanExporter = { export: () => void asked++, shutdown: async () => {} }
    const { counts, send } = world(silent)
    send(MAX_SPANS + BATCH_SPANS + 7)
    assert.equal(asked, 1)
    assert.deepEqual(counts, { sent: 0, rate: 0, queue: 7, export: 0 })
  })

  it('are counted when it refuses them, which is said once, and again when it takes some', async () => {
    let code = 1
    const exporter: SpanExporter = {
      export: (_spans, done) => done({ code, ...(code === 0 ? {} : { error: new Error('refused') }) }),
      shutdown: async () => {}
    }
    const { counts, lines, processor, send } = world(exporter)
    for (const now of [1, 1, 0, 0, 1]) {
      code = now
      send(2)
      await processor.forceFlush().catch(() => {})
    }
    assert.deepEqual(counts, { sent: 4, rate: 0, queue: 0, export: 6 })
    assert.deepEqual(
      lines.map(line => JSON.parse(line).level),
      [40, 30, 40]
    )
  })

  it('do not hold up the end of a peer whose collector says nothing', async function () {
    this.timeout(STOP_TIMEOUT + 10_000)
    const silent = createServer(socket => socket.on('error', () => {}))
    await once(silent.listen(0, '127.0.0.1'), 'listening')
    const address = silent.address()
    assert.ok(typeof address === 'object' && address != null)
    process.env.OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${address.port}`
    const lines: string[] = []
    try {
      const init = { role: 'worker', version: '1', peerId: 'p', mesh: 'm', perSecond: 50 } as const
      const traces = await openTraces(traceSettings(process.env), { ...init, log: logTo(lines) })
      traces?.tracing.begin({ name: 'GET', kind: 'server', attributes: {} })?.end({})
      await traces?.stop()
      assert.match(lines.at(-1) ?? '', /did not reach the collector in time/)
    } finally {
      delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT
      silent.close()
    }
  })
})
