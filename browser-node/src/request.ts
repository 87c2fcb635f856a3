import { MeshError } from '@hedgerow/protocols/errors'
import type { Body } from '@hedgerow/protocols/invocation'
import { SMALL_BODY } from './constants.ts'
import type { MeshRequestInit } from './index.ts'
import type { Meter } from './progress.ts'

/** What `fetch` was called with, checked and in one form. */
export interface MeshRequest {
  method: string
  /** as `Response.url` says it */
  url: string
  /** path and query */
  path: string
  headers: Headers
  body: Body
  /** the body as the browser's own fetch takes it; undefined once it can't be sent again */
  replay(): BodyInit | undefined
  /** nothing more of the body will be read: whoever makes it may stop */
  leave(): void
  /** whether an answer that leads elsewhere is an error */
  redirect: RequestRedirect
  signal: AbortSignal
}

/** As fetch refuses what can't be sent. @throws {TypeError} */
export async function toMeshRequest(
  input: string | URL | Request,
  init: MeshRequestInit,
  meter: Meter
): Promise<MeshRequest> {
  const request = input instanceof Request ? input : undefined
  const url = urlOf(input)
  // The browser checks the method, and leaves headers out that are not a page's to set.
  const { method, headers } = new Request(url, {
    method: init.method ?? request?.method ?? 'GET',
    headers: init.headers ?? request?.headers ?? {}
  })
  const signal = (init.signal === undefined ? request?.signal : init.signal) ?? new AbortController().signal
  const given = init.body === undefined ? await bodyOf(request) : init.body
  if (given != null && (method === 'GET' || method === 'HEAD'))
    throw new TypeError(`a request with method ${method} has no body`)
  const sendable = await toBody(given, headers, meter)
  return {
    method,
    url: url.href.replace(/#.*$/, ''),
    path: url.pathname + url.search,
    headers,
    ...sendable,
    redirect: init.redirect ?? request?.redirect ?? 'follow',
    signal
  }
}

/** Whichever host a URL names, it is the mesh that is asked. */
function urlOf(input: string | URL | Request): URL {
  const text = input instanceof Request ? input.url : String(input)
  const origin = globalThis.location?.origin ?? ''
  const url = URL.parse(text, origin.startsWith('http') ? origin : 'http://mesh')
  if (url == null) throw new TypeError(`${JSON.stringify(text)} is not a URL`)
  return url
}

/** Not every browser has `Request.body`; all can read it whole. */
async function bodyOf(request: Request | undefined): Promise<BodyInit | null> {
  if (request == null || request.method === 'GET' || request.method === 'HEAD') return null
  if (request.bodyUsed) throw new TypeError('the body of this request was used already')
  if (request.body != null) return request.body
  const blob = await request.blob()
  return blob.size === 0 ? null : blob
}

type Sendable = Pick<MeshRequest, 'body' | 'replay' | 'leave'>

/** Says the type and length of the body in the headers, as fetch does. */
async function toBody(given: BodyInit | null, headers: Headers, meter: Meter): Promise<Sendable> {
  if (given == null) return { body: null, replay: () => undefined, leave: nothing }
  // Browsers know the media type of a body, and the boundary of a form; and they refuse streams that are in use.
  const response = new Response(given)
  if (given instanceof ReadableStream) {
    meter.willSend(undefined)
    return { ...streamed(given, meter), replay: () => undefined }
  }
  const type = response.headers.get('content-type')
  if (type != null && !headers.has('content-type')) headers.set('content-type', type)
  const blob = given instanceof Blob ? given : await response.blob().catch(unreadable)
  meter.willSend(blob.size)
  const replay = (): BodyInit => blob
  if (blob.size <= SMALL_BODY) {
    const bytes = new Uint8Array(await blob.arrayBuffer().catch(unreadable))
    meter.sent(bytes.byteLength)
    return { body: bytes, replay, leave: nothing }
  }
  headers.set('content-length', String(blob.size))
  return { ...streamed(blob.stream(), meter), replay }
}

function streamed(stream: ReadableStream<Uint8Array>, meter: Meter): Pick<Sendable, 'body' | 'leave'> {
  const reader = stream.getReader()
  return {
    body: meter.sending(reader),
    leave: () => {
      reader.cancel().catch(nothing)
    }
  }
}

/** A file, for example, that was deleted since it was chosen. @throws {TypeError} */
function unreadable(cause: unknown): never {
  throw networkError(new MeshError('ClientGone', 'the request body could not be read', { retry_safe: true }, { cause }))
}

function nothing(): void {}

/** What an `AbortSignal` was aborted with, as fetch rejects with it. */
export function reasonOf(signal: AbortSignal): unknown {
  return signal.reason ?? new DOMException('The operation was aborted.', 'AbortError')
}

/** What fetch throws when there is no answer; the cause says which error it was. */
export function networkError(cause: MeshError): TypeError {
  return new TypeError(`mesh.fetch failed: ${cause.message}`, { cause })
}
