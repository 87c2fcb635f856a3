import type { DispatchAnswer } from '@hedgerow/protocols/dispatch'
import { MeshError, PROBLEM_TYPE, toMeshError } from '@hedgerow/protocols/errors'
import { HEADERS } from '@hedgerow/protocols/ids'
import { setAnswerHeaders } from '@hedgerow/protocols/ingress'
import type { Headers as PlainHeaders } from '@hedgerow/protocols/invocation'
import { type Broken, MeshResponse } from './mesh-response.ts'
import type { Meter } from './progress.ts'
import { type MeshRequest, networkError, reasonOf } from './request.ts'

/** Statuses that have no body (Fetch standard, 2.2.3). */
const NULL_BODY = new Set([204, 205, 304])
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** A standard `Response` of what a worker answered. */
export function toResponse(request: MeshRequest, answer: DispatchAnswer, firstByteMs: number, meter: Meter): Response {
  const { status } = answer
  const plain: PlainHeaders = { ...answer.headers }
  setAnswerHeaders(plain, answer, firstByteMs)
  const headers = toHeaders(plain)
  const length = headers.get('content-length')
  const encoding = headers.get('content-encoding')
  meter.willReceive(length == null || encoding != null ? undefined : Number(length))
  if (request.redirect === 'error' && REDIRECTS.has(status)) {
    leave(answer.body)
    throw networkError(new MeshError('BackendFailed', `the answer leads elsewhere (${status}), which was forbidden`))
  }
  if (request.method === 'HEAD' || NULL_BODY.has(status)) {
    leave(answer.body)
    request.leave()
    return new MeshResponse(null, { status, headers }, request.url)
  }
  const broken: Broken = {}
  const body = streamOf(answer.body, request, meter, broken)
  // What the browser does with a body of its own.
  const decoder = length === '0' ? undefined : decoderFor(encoding)
  if (decoder == null) return new MeshResponse(body, { status, headers }, request.url, broken)
  headers.delete('content-encoding')
  headers.delete('content-length')
  return new MeshResponse(body.pipeThrough(decoder), { status, headers }, request.url, broken)
}

function leave(body: AsyncIterable<Uint8Array>): void {
  body[Symbol.asyncIterator]()
    .return?.()
    .catch(() => {})
}

/** An error of the mesh as an answer (RFC 9457), as it comes over HTTP. */
export function problemResponse({ url }: MeshRequest, error: MeshError, requestId: string, elapsed: number): Response {
  error.details.request_id ??= requestId
  const plain: PlainHeaders = {
    'content-type': PROBLEM_TYPE,
    [HEADERS.error]: error.code,
    [HEADERS.requestId]: requestId
  }
  if (error.trail != null) setAnswerHeaders(plain, error.trail, elapsed)
  const headers = toHeaders(plain)
  const { retry_after } = error.details
  if (retry_after != null) headers.set('retry-after', String(Math.max(1, Math.ceil(retry_after))))
  return new MeshResponse(JSON.stringify(error.toProblem()), { status: error.status, headers }, url)
}

/** Reads the answer no faster than it is read here; leaving it stops the worker. */
function streamOf(
  body: AsyncIterable<Uint8Array>,
  request: MeshRequest,
  meter: Meter,
  broken: Broken
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const source = body[Symbol.asyncIterator]()
  const { signal } = request
  return new ReadableStream({
    // as bodies are that the browser fetched: they can be read into a buffer of the reader's
    type: 'bytes',
    async pull(controller) {
      try {
        const { done, value } = await source.next()
        if (done === true) {
          request.leave()
          controller.close()
          controller.byobRequest?.respond(0)
          return
        }
        meter.received(value.byteLength)
        controller.enqueue(new Uint8Array(value))
      } catch (err) {
        request.leave()
        broken.error = signal.aborted ? reasonOf(signal) : networkError(toMeshError(err))
        controller.error(broken.error)
      }
    },
    async cancel() {
      request.leave()
      await source.return?.()
    }
  })
}

function toHeaders(plain: PlainHeaders): Headers {
  const headers = new Headers()
  for (const [name, values] of Object.entries(plain)) {
    for (const value of [values ?? []].flat()) {
      try {
        headers.append(name, value)
      } catch {
        // bytes that HTTP allows and fetch doesn't: left out, as nobody could read them
      }
    }
  }
  return headers
}

function decoderFor(encoding: string | null): DecompressionStream | undefined {
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
      return new DecompressionStream('gzip')
    case 'deflate':
      return new DecompressionStream('deflate')
    default:
      return undefined
  }
}

/** An answer that came over a relay's HTTP bridge: this page's own hop was that. */
export function bridgedResponse({ url }: MeshRequest, response: Response, meter: Meter): Response {
  const headers = new Headers(response.headers)
  headers.set(HEADERS.path, 'bridged')
  headers.set(HEADERS.transport, 'http')
  const { status, statusText } = response
  const body = NULL_BODY.has(status) ? null : response.body
  const length = headers.get('content-length')
  meter.willReceive(length == null || headers.has('content-encoding') ? undefined : Number(length))
  const counted = body?.pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(piece, controller) {
        meter.received(piece.byteLength)
        controller.enqueue(piece)
      }
    })
  )
  return new MeshResponse(counted ?? null, { status, statusText, headers }, url)
}

/** Stands for the class of what nobody in a closed mesh has signed for. */
export const UNKNOWN_CLASS = 'unknown'

/** It could be sent over a relay's HTTP bridge alone, which would see it in clear. */
export function hiddenFromRelays(dataClass: string): TypeError {
  return networkError(
    new MeshError(
      'ClassNotAllowed',
      dataClass === UNKNOWN_CLASS
        ? 'no worker can be reached but over HTTP, and nobody says what class this service is of: if a relay may see this request, say so in its header Hedgerow-Data-Class'
        : `no worker can be reached but over HTTP, where a relay would see the ${dataClass} data of this request`,
      { data_class: dataClass, retry_safe: true }
    )
  )
}

/** Nobody could be asked at all. */
export function offline(cause?: unknown): TypeError {
  return networkError(
    new MeshError(
      'Unreachable',
      'no relay and no worker of the mesh can be reached from here now; is this device online?',
      { retry_safe: true },
      { cause }
    )
  )
}
