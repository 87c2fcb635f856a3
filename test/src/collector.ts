/** A collector of OpenTelemetry: takes spans over OTLP (`http/protobuf`), as any other does, and shows them to a test. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { until } from './harness.ts'

export interface CollectedSpan {
  /** `service.name` and all else that is said of who sent it */
  resource: Record<string, string | number>
  traceId: string
  spanId: string
  /** empty for the first of a trace */
  parentId: string
  name: string
  kind: 'internal' | 'server' | 'client' | 'other'
  /** nanoseconds since 1970 */
  start: bigint
  end: bigint
  attributes: Record<string, string | number>
  events: number
  failed: boolean
}

export interface Collector {
  /** as OTEL_EXPORTER_OTLP_ENDPOINT takes it */
  url: string
  readonly spans: CollectedSpan[]
  /** everything that came, as it came */
  readonly bytes: Buffer[]
  readonly headers: IncomingHttpHeaders[]
  readonly connections: number
  /** the spans of a trace, once there are as many */
  trace(traceparent: string | null, count: number): Promise<CollectedSpan[]>
  /** ends it without a word, or starts it again at the same port */
  down(): Promise<void>
  up(): Promise<void>
  close(): Promise<void>
}

export async function startCollector(address = '127.0.0.1'): Promise<Collector> {
  const spans: CollectedSpan[] = []
  const bytes: Buffer[] = []
  const headers: IncomingHttpHeaders[] = []
  let connections = 0
  const server = createServer(async (request, response) => {
    response.setHeader('access-control-allow-origin', '*').setHeader('access-control-allow-headers', '*')
    if (request.method !== 'POST' || request.url !== '/v1/traces') {
      response.writeHead(request.method === 'OPTIONS' ? 204 : 404).end()
      return
    }
    const sent = await buffer(request)
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent
    headers.push(request.headers)
    bytes.push(body)
    spans.push(...spansIn(body))
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
  })
  server.on('connection', () => connections++)
  let port = 0
  const up = async (): Promise<void> => {
    await once(server.listen(port, address), 'listening')
    const bound = server.address()
    if (bound == null || typeof bound === 'string') throw new Error('the collector does not listen')
    port = bound.port
  }
  const down = async (): Promise<void> => {
    if (!server.listening) return
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  await up()
  return {
    url: `http://${address}:${port}`,
    spans,
    bytes,
    headers,
    get connections() {
      return connections
    },
    trace: (traceparent, count) =>
      until(`${count} spans of ${traceparent}`, async () => {
        const its = spans.filter(({ traceId }) => traceId === traceparent?.split('-')[1])
        return its.length >= count && its
      }),
    up,
    down,
    close: down
  }
}

/** The fields of a message of protobuf: what is repeated, in order. */
class Fields {
  readonly #all = new Map<number, Array<Uint8Array | bigint>>()

  constructor(bytes: Uint8Array) {
    const reader = new BinaryReader(bytes)
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag()
      const value =
        type === WireType.LengthDelimited
          ? reader.bytes()
          : type === WireType.Bit64
            ? BigInt(reader.fixed64())
            : type === WireType.Varint
              ? BigInt(reader.int64())
              : undefined
      if (value == null) reader.skip(type, field)
      else this.#all.set(field, [...(this.#all.get(field) ?? []), value])
    }
  }

  bytes(field: number): Uint8Array[] {
    return (this.#all.get(field) ?? []).filter(value => value instanceof Uint8Array)
  }

  messages(field: number): Fields[] {
    return this.bytes(field).map(bytes => new Fields(bytes))
  }

  text(field: number): string {
    return new TextDecoder().decode(this.bytes(field)[0])
  }

  hex(field: number): string {
    return Buffer.from(this.bytes(field)[0] ?? []).toString('hex')
  }

  number(field: number): bigint {
    const [value] = this.#all.get(field) ?? []
    return typeof value === 'bigint' ? value : 0n
  }

  has(field: number): boolean {
    return this.#all.has(field)
  }
}

const KINDS: Record<string, CollectedSpan['kind']> = { 1: 'internal', 2: 'server', 3: 'client' }
const ERROR = 2n

/** Field numbers are those of `opentelemetry/proto/trace/v1/trace.proto`. */
function spansIn(body: Uint8Array): CollectedSpan[] {
  return new Fields(body).messages(1).flatMap(resourceSpans => {
    const resource = attributesOf(resourceSpans.messages(1)[0]?.messages(1) ?? [])
    return resourceSpans
      .messages(2)
      .flatMap(scopeSpans => scopeSpans.messages(2))
      .map(span => ({
        resource,
        traceId: span.hex(1),
        spanId: span.hex(2),
        parentId: span.hex(4),
        name: span.text(5),
        kind: KINDS[String(span.number(6))] ?? 'other',
        start: span.number(7),
        end: span.number(8),
        attributes: attributesOf(span.messages(9)),
        events: span.bytes(11).length,
        failed: span.messages(15)[0]?.number(3) === ERROR
      }))
  })
}

function attributesOf(pairs: Fields[]): Record<string, string | number> {
  return Object.fromEntries(
    pairs.map(pair => {
      const [value] = pair.messages(2)
      return [pair.text(1), value == null ? '' : scalarOf(value)]
    })
  )
}

function scalarOf(value: Fields): string | number {
  if (value.has(1)) return value.text(1)
  if (value.has(3)) return Number(value.number(3))
  const double = new DataView(new ArrayBuffer(8))
  double.setBigUint64(0, value.number(4))
  return double.getFloat64(0)
}
