import { Readable } from 'node:stream'
import type { ServiceContract } from '@hedgerow/protocols/contract'
import { matchOperation } from '@hedgerow/protocols/contract'
import { MeshError } from '@hedgerow/protocols/errors'
import { isAmbiguous } from '@hedgerow/protocols/fence'
import { modelResource, optionsIn, targetOf } from '@hedgerow/protocols/ingress'
import type { Headers } from '@hedgerow/protocols/invocation'
import { MAX_RECEIPT_LENGTH } from '@hedgerow/protocols/receipt'
import { createView } from '@hedgerow/protocols/view'
import { statusIn } from '../../../daemon/src/api/peers.ts'
import { receiptsIn } from '../../../daemon/src/api/receipts.ts'
import { describeEngine } from '../../../daemon/src/containers/describe.ts'
import { PullProgress } from '../../../daemon/src/containers/pull.ts'
import { pathOf } from '../../../daemon/src/ingress/index.ts'
import { parseLine } from '../../../daemon/src/runtime/forward.ts'
import { splitOutput } from '../../../daemon/src/runtime/frames.ts'
import { answerHeaders, backendHeaders } from '../../../daemon/src/runtime/headers.ts'
import { reasonIn } from '../../../daemon/src/runtime/health.ts'
import { readResources } from '../../../daemon/src/runtime/resources.ts'
import { ContextTable, createServing } from '../../../daemon/src/serving/index.ts'
import { readAnswer } from '../../../inspector/src/source/api.ts'
import { SHAPES } from '../../../inspector/src/source/shapes.ts'
import { answerHeaders as fromWorker, requestHeaders as toWorker } from '../../../protocols/src/dispatch/headers.ts'
import { failureIn, meshErrorIn } from '../../../protocols/src/dispatch/outcome.ts'
import { preferredResource } from '../../../protocols/src/dispatch/plan.ts'
import { continueTrace } from '../../../protocols/src/dispatch/trace.ts'
import { AnswerParser } from '../../../protocols/src/invocation/web/answer-parser.ts'
import { requestHead } from '../../../protocols/src/invocation/web/request-head.ts'
import { FAREWELL, isFarewell } from '../../../protocols/src/invocation/wire/farewell.ts'
import { inSameTrace } from '../../../protocols/src/tracing/index.ts'
import type { Decoder } from '../index.ts'
import { answering, bytes, isPlainError, text } from './discovery.ts'
import { peerId } from './statements.ts'

const isMeshError = (err: unknown): boolean => err instanceof MeshError && err.code !== 'Internal'

/** Lines of `name: value` as headers, as Node has them. */
function headersIn(lines: string): Headers {
  const headers: Headers = {}
  for (const line of lines.split('\n')) {
    const colon = line.indexOf(':')
    if (colon < 1) continue
    const name = line.slice(0, colon).toLowerCase()
    if (name === '__proto__') continue
    const known = Object.hasOwn(headers, name) ? headers[name] : undefined
    const value = line.slice(colon + 1).trim()
    headers[name] = known == null ? value : [known, value].flat()
  }
  return headers
}

const contract: ServiceContract = {
  name: 'lab',
  version: '1.0.0',
  title: 'A lab',
  aliases: [],
  protocol: 'http',
  tier: 'cpu',
  replicas: 1,
  concurrency: 1,
  operations: ['/echo', '/documents/{id}', '/files/*'].map((path, i) => ({
    method: '*',
    path,
    main: i === 0,
    idempotent: true,
    internal: false,
    firstByteTimeout: 1000,
    chunkTimeout: 1000,
    bodyLimit: 1000
  }))
}
const serving = createServing({
  services: {
    get: name =>
      name !== 'lab'
        ? undefined
        : {
            contract,
            connect: async () => {
              throw new Error('nobody connects here')
            },
            invoke: async ({ path, stamp = {}, headers }) => {
              // What reaches a backend is what was declared, and in the daemon's words.
              if (isAmbiguous(path.replace(/\?.*/s, ''))) throw new Error(`${path} came through`)
              const list = backendHeaders(headers, stamp, true)
              const callers = list.filter((name, i) => i % 2 === 0 && name.replaceAll('_', '-') === 'hedgerow-caller')
              if (callers.length !== 1) throw new Error('not one caller')
              const complete = new Uint8Array()
              return {
                status: 200,
                headers: {},
                body: (async function* () {})(),
                complete,
                timing: { queue: 0, backend: 0 }
              }
            }
          }
  },
  contexts: new ContextTable(),
  rights: () => ({ services: ['*'], classes: ['internal'] }),
  callerRights: () => undefined,
  callerClasses: () => ['internal'],
  draining: () => false,
  vouches: () => true,
  mayActFor: () => false,
  onError: err => {
    throw err
  }
})

const ANSWERS = [
  'HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx-a: b\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nx-t: 1\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 204 No Content\r\nset-cookie: a\r\nset-cookie: b\r\n\r\n',
  'HTTP/1.1 200 OK\r\n\r\nto the end',
  text(FAREWELL)
]
const HTTP_WORDS = [
  'HTTP/1.1 ',
  'HTTP/1.0 ',
  'content-length: ',
  'transfer-encoding: chunked',
  'connection: ',
  '\r\n ',
  'ffffffff',
  'fffffffffffffffff'
]
const HEADERS = [
  'host: x',
  `hedgerow-worker: ${peerId}`,
  'hedgerow-timeout: 12.5',
  'hedgerow-depth: 1',
  'hedgerow-caller: service/lab',
  'hedgerow-data-class: internal',
  'hedgerow-request-id: c0ffee',
  'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  'connection: close, x-a',
  'x-a: 1',
  'content-length: 3'
].join('\n')
const answerOf = (one: Uint8Array): { status: number; body: Uint8Array } => ({ status: 200, body: one })
const isInspectorError = (err: unknown): boolean => err instanceof Error && /^(Inspector|Problem)Error$/.test(err.name)

export const HTTP_DECODERS: Decoder[] = [
  {
    name: 'answer-in-page',
    files: ['protocols/src/invocation/web/answer-parser.ts', 'protocols/src/invocation/wire/farewell.ts'],
    seeds: () => bytes(...ANSWERS),
    words: HTTP_WORDS,
    decode: one => {
      const events: unknown[] = []
      const parser = new AnswerParser(true, {
        head: ({ status, headers }) => events.push([status, headers, isFarewell(status, headers)]),
        data: piece => events.push(piece.byteLength),
        end: () => events.push('end')
      })
      // As a network brings them: in two pieces.
      const half = one.byteLength >> 1
      parser.execute(one.subarray(0, half))
      parser.execute(one.subarray(half))
      parser.finish()
      return events
    },
    refuses: isHttpError
  },
  {
    name: 'request-headers',
    files: [
      'protocols/src/ingress/request-headers.ts',
      'protocols/src/dispatch/headers.ts',
      'protocols/src/dispatch/trace.ts',
      'protocols/src/tracing/traceparent.ts',
      'protocols/src/fence/headers.ts',
      'daemon/src/runtime/headers.ts'
    ],
    seeds: () => bytes(HEADERS),
    words: ['hedgerow-', 'x_forwarded-for', ': ', 'connection: ', '-00-'],
    decode: one => {
      const headers = headersIn(text(one))
      const options = optionsIn(name => [headers[name]].flat()[0])
      const { traceparent, continued } = continueTrace(options.traceparent)
      const sent = {
        requestId: 'a',
        depth: 0,
        caller: undefined,
        callerClasses: undefined,
        dataClass: options.dataClass,
        traceparent,
        traceContinued: continued
      }
      return [
        options,
        inSameTrace(traceparent, options.traceparent),
        toWorker(headers, sent),
        fromWorker(headers),
        backendHeaders(headers, { a: 'b' }, false),
        answerHeaders(headers)
      ]
    },
    refuses: isMeshError
  },
  {
    name: 'request-head-in-page',
    files: ['protocols/src/invocation/web/request-head.ts', 'protocols/src/invocation/wire/headers.ts'],
    seeds: () => bytes(`GET\n/service/lab?x=1\n${HEADERS}`),
    decode: one => {
      const [method = '', path = '', ...lines] = text(one).split('\n')
      const { head } = requestHead(peerId, { method, path, headers: headersIn(lines.join('\n')), body: null })
      const written = text(head)
      // One head, whatever is put into it.
      if (written.indexOf('\r\n\r\n') !== written.length - 4) throw new Error('a header broke out of its line')
      return written
    },
    refuses: err => err instanceof TypeError && /is not|has a value/.test(err.message)
  },
  {
    name: 'path',
    files: [
      'protocols/src/fence/path.ts',
      'protocols/src/contract/index.ts',
      'protocols/src/ingress/target.ts',
      'protocols/src/dispatch/plan.ts',
      'daemon/src/ingress/index.ts'
    ],
    seeds: () =>
      bytes(
        '/service/lab/files/a/b?x=1',
        'http://x/service/lab/echo',
        '/service/l%61b/documents/caf%C3%A9',
        '/service/lab'
      ),
    words: ['..', '%2e', '%2f', '/service/', '%252e', ';', '\\', '?', 'collection=a', '//'],
    decode: one => {
      const { service, path } = targetOf(pathOf(text(one)))
      const match = matchOperation(contract, 'GET', path)
      const [pathname = ''] = (match?.path ?? '').split('?')
      if (match != null && new URL(`http://x${pathname}`).pathname !== pathname)
        throw new Error(`${pathname} is read in two ways`)
      return [service, match?.path, preferredResource('collection', path)]
    },
    refuses: isMeshError
  },
  {
    name: 'request-to-serve',
    files: ['daemon/src/serving/index.ts', 'daemon/src/serving/account.ts'],
    seeds: () => bytes(`POST\n/service/lab/files/a\n${HEADERS}`, `GET\n/service/lab\n${HEADERS}`),
    words: ['..', '%2e', 'hedgerow-', 'service/lab'],
    decode: async one => {
      const [method = '', path = '', ...lines] = text(one).split('\n')
      const headers = headersIn(lines.join('\n'))
      const { status } = await serving.invoke(
        peerId,
        { method, path, headers, body: one },
        { signal: new AbortController().signal }
      )
      if (status === 500) throw new Error('it should be refused, not fail')
      return status
    }
  },
  {
    name: 'openai-body',
    files: ['protocols/src/ingress/openai.ts', 'daemon/src/api/openai.ts'],
    seeds: () => bytes('{"model":"llama3","messages":[{"role":"user","content":"hello"}]}'),
    decode: one => modelResource(createView({ now: () => 0 }), text(one)),
    refuses: isMeshError
  },
  {
    name: 'refusal-of-a-worker',
    files: ['protocols/src/dispatch/outcome.ts'],
    seeds: () => bytes('{"type":"urn:x","code":"Busy","detail":"all busy","retry_after":2,"limit":3}'),
    decode: async one => {
      const code = meshErrorIn(text(one).slice(0, 20)) ?? 'Busy'
      return failureIn(
        code,
        await answering(one).invoke(
          '',
          { method: 'GET', path: '/', headers: {}, body: null },
          { signal: new AbortController().signal }
        )
      )
    }
  },
  {
    name: 'answers-of-peers',
    files: [
      'daemon/src/api/peers.ts',
      'daemon/src/api/receipts.ts',
      'inspector/src/cli/call.ts',
      'inspector/src/source/api.ts'
    ],
    seeds: () =>
      bytes(
        '{"status":"healthy"}',
        `{"receipts":["${'x'.repeat(MAX_RECEIPT_LENGTH)}","a.b.c"]}`,
        '{"type":"x","title":"t","status":404,"code":"UnknownRequest","detail":"d"}',
        '{"services":[{"name":"lab","aliases":[],"tier":"cpu","wanted":1,"found":1,"healthy":1,"workers":["a"]}]}'
      ),
    decode: one => {
      const buffer = Buffer.from(one)
      const seen: unknown[] = [statusIn(buffer), receiptsIn(buffer)]
      for (const shape of Object.values(SHAPES)) {
        try {
          seen.push(readAnswer(answerOf(one), shape as (typeof SHAPES)['health'], '/x') != null)
        } catch (err) {
          if (!isInspectorError(err)) throw err
        }
      }
      return seen
    }
  },
  {
    name: 'answers-of-backends',
    files: ['daemon/src/runtime/resources.ts', 'daemon/src/runtime/forward.ts', 'daemon/src/runtime/health.ts'],
    seeds: () =>
      bytes('{"resources":["model/llama3","collection/default"]}', '{"level":30,"msg":"hello","a":1}', 'WARN: text'),
    decode: one => {
      const line = parseLine(text(one).slice(0, 8192))
      return [line, reasonIn(text(one)), readResources(JSON.parse(text(one)))]
    },
    refuses: err => isPlainError(err) || err instanceof SyntaxError
  },
  {
    name: 'answers-of-engines',
    files: [
      'daemon/src/containers/ask.ts',
      'daemon/src/containers/describe.ts',
      'daemon/src/containers/pull.ts',
      'daemon/src/runtime/frames.ts'
    ],
    words: ['Version', 'ApiVersion', 'Components', 'Runtimes', 'progressDetail', 'error'],
    seeds: () =>
      bytes(
        '{"Version":"27.1.0","ApiVersion":"1.46","Components":[{"Name":"Podman Engine"}]}',
        '{"Runtimes":{"nvidia":{}},"SwapLimit":true,"DiscoveredDevices":[{"ID":"nvidia.com/gpu=0"}]}',
        '{"id":"a","progressDetail":{"current":1,"total":2}}',
        '{"error":"manifest unknown"}'
      ),
    decode: async one => {
      const { stdout, stderr } = splitOutput(Readable.from([Buffer.from(one)]))
      const output = await Promise.all([stdout.toArray(), stderr.toArray()])
      if (Buffer.concat(output.flat()).length > one.length) throw new RangeError('more came out than went in')
      const progress = new PullProgress()
      for (const line of text(one).split('\n')) progress.add(line)
      const value: unknown = JSON.parse(text(one))
      return [describeEngine(value, value, []), progress.report()]
    },
    refuses: err => isPlainError(err) || err instanceof SyntaxError
  }
]

function isHttpError(err: unknown): boolean {
  return err instanceof Error && (err.constructor === Error || /parse|HPE|invalid|header|chunk|body/i.test(err.message))
}
