import { METHODS } from 'node:http'
import type { Readable } from 'node:stream'
import { HEADERS } from '@hedgerow/protocols/ids'
import { InspectorError } from '../errors.ts'
import type { Call, CallAnswer, KnownPeer, MeshSource } from '../source/index.ts'
import { readData, refuseBrokenJson } from './call-data.ts'
import { resolvePeer } from './resolve.ts'

export interface CallOptions {
  method?: string
  /** `Name: value` each */
  headers: string[]
  data?: string
  /** a peer's name, or a part of its id */
  worker?: string
  /** seconds */
  timeout?: number
}

/** An answer that has begun. */
export interface Called {
  service: string
  answer: CallAnswer
  requestId: string | null
  /** peer id */
  worker: string | null
  path: string | null
  transport: string | null
  attempts: number | null
  /** milliseconds to the head of the answer */
  firstByteMs: number
  /** milliseconds since it was sent */
  elapsed(): number
}

/** What is to be sent; all that can be wrong with it without a mesh has been looked at. */
export interface PreparedCall {
  call: Call
  /** a peer's name, or a part of its id */
  worker?: string
}

/**
 * @param target `service` or `service/path?query`
 * @throws {InspectorError} Usage
 */
export async function prepareCall(target: string, options: CallOptions, stdin: Readable): Promise<PreparedCall> {
  const { service, path } = parseTarget(target)
  const method = methodOf(options, service, path)
  const headers = parseHeaders(options.headers)
  const call: Call = { service, path, method, headers, body: null }
  if (options.timeout != null) headers[HEADERS.timeout] = String(options.timeout)
  if (options.data != null) {
    if (headers['content-type'] == null) refuseBrokenJson(options.data)
    const { body, length, type } = await readData(options.data, stdin)
    call.body = body
    if (length != null) headers['content-length'] = String(length)
    if (type != null) headers['content-type'] ??= type
  }
  return { call, ...(options.worker == null ? {} : { worker: options.worker }) }
}

/** Sends one request into the mesh. @throws {InspectorError} */
export async function callService(
  source: MeshSource,
  { call, worker }: PreparedCall,
  signal: AbortSignal
): Promise<Called> {
  if (worker != null) call.headers[HEADERS.worker] = (await findWorker(source, worker, signal)).peer_id
  const startedAt = performance.now()
  const answer = await source.call(call, signal)
  const said = (name: string): string | null => {
    const value = answer.headers[name]
    return (Array.isArray(value) ? value[0] : value) ?? null
  }
  const attempts = said(HEADERS.attempts)
  return {
    service: call.service,
    answer,
    requestId: said(HEADERS.requestId),
    worker: said(HEADERS.worker),
    path: said(HEADERS.path),
    transport: said(HEADERS.transport),
    attempts: attempts == null ? null : Number(attempts),
    firstByteMs: performance.now() - startedAt,
    elapsed: () => performance.now() - startedAt
  }
}

/** `ner`, `ner/extract?x=1`, and what people paste: `/service/ner/extract`. @throws {InspectorError} Usage */
export function parseTarget(target: string): { service: string; path: string } {
  const plain = target.replace(/^\/?service\//, '').replace(/^\//, '')
  const end = plain.search(/[/?]/)
  const service = end === -1 ? plain : plain.slice(0, end)
  if (!/^[A-Za-z0-9_.-]+$/.test(service))
    throw new InspectorError('Usage', `${JSON.stringify(target)} names no service; write it as in ner or ner/extract`)
  const rest = end === -1 ? '/' : plain.slice(end)
  const path = rest.startsWith('/') ? rest : `/${rest}`
  // What a URL can't hold as it is; what is encoded already stays so.
  return { service, path: path.replace(/[^\x21-\x7e]|["<>\\^`{|}#]/gu, encodeURIComponent) }
}

function methodOf({ method, data }: CallOptions, service: string, path: string): string {
  if (method != null) {
    const upper = method.toUpperCase()
    if (!METHODS.includes(upper) || upper === 'CONNECT')
      throw new InspectorError('Usage', `-X: ${method} is not an HTTP method`)
    if (data != null && upper === 'HEAD') throw new InspectorError('Usage', '-X HEAD takes no data')
    return upper
  }
  if (data != null) return 'POST'
  if (path === '/') {
    throw new InspectorError('Usage', `${service} needs something to work on, or a path`, [
      `hedgerow call ${service} -d '{"text": "..."}'   send JSON`,
      `hedgerow call ${service} -d @letter.pdf         send a file (@- is stdin)`,
      `hedgerow call ${service}/health                 GET a path`,
      `hedgerow call ${service} -X GET                 GET all the same`
    ])
  }
  return 'GET'
}

/** Said anew on each hop; a request that brings its own is at best ignored, and at worst read in two ways. */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade'
])

/** @throws {InspectorError} Usage */
export function parseHeaders(lines: string[]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {}
  for (const line of lines) {
    const [, name = '', value = ''] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\x80-\xff\t]*)$/.exec(line) ?? []
    if (name === '')
      throw new InspectorError('Usage', `-H: ${JSON.stringify(line)} is not a header; write it as 'Name: value'`)
    const lower = name.toLowerCase()
    if (OF_THE_CONNECTION.has(lower))
      throw new InspectorError('Usage', `-H: ${name} is for the connection itself to say, not for a request`)
    const before = headers[lower]
    headers[lower] = before == null ? value : [...(Array.isArray(before) ? before : [before]), value]
  }
  return headers
}

/** @throws {InspectorError} */
export async function findWorker(source: MeshSource, given: string, signal: AbortSignal): Promise<KnownPeer> {
  const peer = resolvePeer(await source.names(signal), given)
  if (peer.role === 'worker') return peer
  throw new InspectorError('Failed', `${peer.name} is a ${peer.role}; only workers run services`)
}
