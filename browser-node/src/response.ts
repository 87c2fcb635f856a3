import type { DispatchAnswer } from '@hedgerow/protocols/dispatch'
import { MeshError, PROBLEM_TYPE, toMeshError } from '@hedgerow/protocols/errors'
import { HEADERS } from '@hedgerow/protocols/ids'
import { setAnswerHeaders } from '@hedgerow/protocols/ingress'
import type { Headers as PlainHeaders } from '@hedgerow/protocols/invocation'
import type { Meter } from './progress.ts'
import { networkError, reasonOf } from './request.ts'

/** Statuses that have no body (Fetch standard, 2.2.3). */
const NULL_BODY = new Set([204, 205, 304])

/** A standard `Response` of what a worker answered. */
export function toResponse(answer: DispatchAnswer, firstByteMs: number, signal: AbortSignal, meter: Meter): Response {
  const plain: PlainHeaders = { ...answer.headers }
  setAnswerHeaders(plain, answer, firstByteMs)
  const headers = toHeaders(plain)
  const length = headers.get('content-length')
  const encoding = headers.get('content-encoding')
  meter.willReceive(length == null || encoding != null ? undefined : Number(length))
  if (NULL_BODY.has(answer.status)) return new Response(null, { status: answer.status, headers })
  const body = streamOf(answer.body, signal, meter)
  // What the browser does with a body of its own.
  const decoder = decoderFor(encoding)
  if (decoder != null) {
    headers.delete('content-encoding')
    headers.delete('content-length')
  }
  return new Response(decoder == null ? body : body.pipeThrough(decoder), { status: answer.status, headers })
}

/** An error of the mesh as an answer (RFC 9457), as it comes over HTTP. */
export function problemResponse(error: MeshError, requestId: string, elapsed: number): Response {
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
  return new Response(JSON.stringify(error.toProblem()), { status: error.status, headers })
}

/** Reads the answer no faster than it is read here; leaving it stops the worker. */
function streamOf(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  meter: Meter
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const source = body[Symbol.asyncIterator]()
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { done, value } = await source.next()
          if (done === true) {
            controller.close()
            return
          }
          meter.received(value.byteLength)
          controller.enqueue(new Uint8Array(value))
        } catch (err) {
          controller.error(signal.aborted ? reasonOf(signal) : networkError(toMeshError(err)))
        }
      },
      async cancel() {
        await source.return?.()
      }
    },
    { highWaterMark: 0 }
  )
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
export function bridgedResponse(response: Response): Response {
  const headers = new Headers(response.headers)
  headers.set(HEADERS.path, 'bridged')
  headers.set(HEADERS.transport, 'http')
  const { status, statusText } = response
  return new Response(NULL_BODY.has(status) ? null : response.body, { status, statusText, headers })
}

/** It could be sent over a relay's HTTP bridge alone, which would see it in clear. */
export function hiddenFromRelays(dataClass: string): TypeError {
  return networkError(
    new MeshError(
      'ClassNotAllowed',
      `no worker can be reached but over HTTP, where a relay would see the ${dataClass} data of this request`,
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
