import pRetry from 'p-retry'
import { raceSignal } from 'race-signal'
import { EntryPoints } from './entry-points.ts'
import { ServiceRequestError } from './errors.ts'
import type {
  SendOptions,
  ServiceAnswer,
  ServiceClient,
  ServiceClientInit,
  ServiceData,
  ServiceProblem
} from './index.ts'

const TIMEOUT = 60_000
const RETRIES = 2
/** Milliseconds before the first retry; each further one waits twice as long, with jitter. */
const BACKOFF = 500
const MAX_BACKOFF = 20_000

/** Answers that may be another one a little later. */
const PASSING = new Set([429, 502, 503, 504])

type Send = (service: string, path: string, init: RequestInit) => Promise<Response>

export function createServiceClient(init: ServiceClientInit): ServiceClient {
  const send: Send =
    'mesh' in init
      ? (service, path, request) => init.mesh.fetch(`/service/${service}${path}`, request)
      : overEntryPoints(new EntryPoints({ urls: init.entryPoints }))

  const sendServiceRequest = async (
    service: string,
    data: ServiceData,
    { timeout = TIMEOUT, retries = RETRIES, signal, path = '' }: SendOptions = {}
  ): Promise<ServiceAnswer> => {
    const late = AbortSignal.timeout(timeout)
    const either = signal == null ? late : AbortSignal.any([signal, late])
    const attempt = async (): Promise<ServiceAnswer> => {
      const response = await send(service, path, { method: 'POST', ...bodyOf(data), signal: either }).catch(cause => {
        either.throwIfAborted()
        throw new ServiceRequestError(service, `${service} could not be reached`, {}, { cause })
      })
      if (!response.ok) throw await refusal(service, response)
      const type = response.headers.get('content-type') ?? ''
      try {
        return await (/\bjson\b/.test(type) ? response.json() : response.blob())
      } catch (cause) {
        either.throwIfAborted()
        // it was done, and may not be done twice
        const { status } = response
        throw new ServiceRequestError(
          service,
          `${service} broke off in the middle of its answer`,
          { status },
          { cause }
        )
      }
    }
    try {
      return await pRetry(attempt, {
        retries,
        signal: either,
        minTimeout: BACKOFF,
        maxTimeout: MAX_BACKOFF,
        randomize: true,
        shouldRetry: ({ error }) => mayRetry(error),
        onFailedAttempt: async ({ error }) => wait(error, either)
      })
    } catch (err) {
      if (signal?.aborted === true) throw signal.reason
      if (late.aborted) {
        const message = `${service} did not answer within ${timeout / 1000} s`
        throw new ServiceRequestError(service, message, {}, { cause: err })
      }
      throw err
    }
  }
  const to =
    (service: string, path?: string) =>
    (data: ServiceData, options: SendOptions = {}): Promise<ServiceAnswer> =>
      sendServiceRequest(service, data, path == null ? options : { path, ...options })
  return {
    sendServiceRequest,
    extractEntities: to('ner-extraction'),
    processDocument: to('document-processing'),
    recognizeText: to('vision-ocr'),
    addDocument: to('rag-embeddings', '/documents'),
    queryDocuments: to('rag-embeddings'),
    convertNotes: to('notes-coa'),
    generateText: to('llm-inference')
  }
}

function overEntryPoints(points: EntryPoints): Send {
  return async (service, path, init) => {
    const [url] = await raceSignal(points.for(service), init.signal ?? undefined)
    if (url == null) throw new Error('there is no entry point')
    try {
      return await fetch(`${url}/service/${service}${path}`, init)
    } catch (err) {
      points.failed(url)
      throw err
    }
  }
}

function bodyOf(data: ServiceData): Pick<RequestInit, 'body' | 'headers'> {
  if (data instanceof Blob || data instanceof FormData || data instanceof URLSearchParams) return { body: data }
  if (data instanceof ArrayBuffer) return { body: data }
  if (ArrayBuffer.isView(data))
    return { body: new Blob([new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()]) }
  const body = typeof data === 'string' ? data : JSON.stringify(data)
  return { body, headers: { 'content-type': typeof data === 'string' ? 'text/plain' : 'application/json' } }
}

async function refusal(service: string, response: Response): Promise<ServiceRequestError> {
  const { status } = response
  const problem: ServiceProblem = await response.json().catch(() => ({}))
  const after = Number(response.headers.get('retry-after') ?? Number.NaN)
  return new ServiceRequestError(service, problem.detail ?? problem.title ?? `${service} answered ${status}`, {
    status,
    problem,
    ...(Number.isFinite(after) ? { retryAfter: after } : {})
  })
}

/** Not what the service refused for good, nor what may have been done already. */
function mayRetry(error: Error): boolean {
  if (!(error instanceof ServiceRequestError)) return false
  if (error.status == null) return true
  return PASSING.has(error.status) && error.problem.retry_safe !== false
}

/** As long as the answer asked for, besides the usual pause. */
function wait(error: Error, signal: AbortSignal): Promise<void> {
  const seconds = error instanceof ServiceRequestError ? (error.retryAfter ?? 0) : 0
  if (seconds === 0) return Promise.resolve()
  return new Promise(resolve => {
    const timer = setTimeout(resolve, Math.min(seconds * 1000, MAX_BACKOFF))
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
