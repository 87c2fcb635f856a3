import type { Operation } from '@hedgerow/protocols/contract'
import { MeshError, type MeshErrorCode } from '@hedgerow/protocols/errors'
import type { Headers, OutgoingRequest } from '@hedgerow/protocols/invocation'
import { hasKnownCoding } from '@hedgerow/protocols/invocation/node'
import type { Dispatcher } from 'undici'
import type { Outcome } from '../admission/index.ts'
import type { Clock } from '../clock/index.ts'
import { AnswerBody } from './answer-body.ts'
import { CALLER_PATIENCE, MAX_HINTS } from './constants.ts'
import { explainFailure } from './failure.ts'
import { answerHeaders, backendHeaders } from './headers.ts'
import type { HttpTarget } from './index.ts'
import { Upload } from './upload.ts'
import { Watchdog } from './watchdog.ts'

export interface ExchangeInit {
  service: string
  request: OutgoingRequest
  operation: Operation
  stamp: Headers
  target: HttpTarget
  signal: AbortSignal
  /** milliseconds of the clock */
  deadline: number | undefined
  clock: Clock
  /** the answer has begun */
  onFirstByte(): void
  /** called once, when nothing more is sent or received */
  onEnd(outcome: Outcome, error: MeshError | undefined, status: number | undefined): void
}

export interface ExchangeHead {
  status: number
  headers: Headers
  body: AsyncIterable<Uint8Array>
  complete?: Uint8Array
}

/** What is waited for, which says who is to blame when it takes too long. */
type Wait = 'first byte' | 'chunk' | 'caller' | 'reader'

/** One HTTP exchange with a backend: a request streamed there, an answer streamed back, and every way it can break. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #init: ExchangeInit
  readonly #result = Promise.withResolvers<ExchangeHead>()
  readonly #watchdog: Watchdog
  readonly #body: AnswerBody
  #upload: Upload | undefined
  #controller: Dispatcher.DispatchController | undefined
  #wait: Wait = 'first byte'
  #status: number | undefined
  /** answers of status 1xx that have come */
  #hints = 0
  #over = false
  #error: MeshError | undefined

  constructor(init: ExchangeInit) {
    this.#init = init
    const { clock, operation, deadline, signal } = init
    this.#watchdog = new Watchdog(clock, operation.firstByteTimeout, deadline, past => this.#expire(past))
    this.#body = new AnswerBody({
      resume: () => {
        this.#waitFor('chunk')
        this.#controller?.resume()
      },
      leave: () => this.#fail('ClientGone', 'the caller left')
    })
    signal.addEventListener('abort', this.#onAbort)
  }

  run(dispatcher: Dispatcher): Promise<ExchangeHead> {
    const { request, stamp, target } = this.#init
    const { body } = request
    const sized = body == null || body instanceof Uint8Array
    try {
      // Timers are the watchdog's: undici's have a resolution of half a second and can't tell who is slow.
      dispatcher.dispatch(
        {
          method: request.method,
          path: target.prefix + request.path,
          headers: backendHeaders(request.headers, stamp, sized),
          body: sized ? body : this.#startUpload(body),
          headersTimeout: 0,
          bodyTimeout: 0
        },
        this
      )
    } catch (err) {
      this.#end(explainFailure(err, this.#situation()))
    }
    return this.#result.promise
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#error != null) controller.abort(this.#error)
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>
  ): void {
    // 103 Early Hints and the like; the answer is yet to come.
    if (status >= 100 && status < 200 && ++this.#hints <= MAX_HINTS) return
    if (status < 200) {
      const what = status < 100 ? `a status of ${status}` : `more than ${MAX_HINTS} hints before its answer`
      this.#fail('BackendFailed', `${this.#init.service} sent ${what}`)
      return
    }
    if (!hasKnownCoding(headers)) {
      this.#fail('BackendFailed', `${this.#init.service} answered in a transfer coding that nobody asked for`)
      return
    }
    this.#status = status
    this.#init.onFirstByte()
    this.#waitFor('chunk')
    const body = this.#body
    // A turn later: what came in the same packet as the head is there by then, often all of it.
    queueMicrotask(() => {
      const { complete } = body
      this.#result.resolve({
        status,
        headers: answerHeaders(headers),
        body,
        ...(complete == null ? {} : { complete })
      })
    })
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#body.push(chunk)) this.#watchdog.touch()
    else {
      controller.pause()
      this.#waitFor('reader')
    }
  }

  onResponseEnd(): void {
    this.#body.end()
    this.#end()
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, err: Error): void {
    this.#end(explainFailure(err, this.#situation()))
  }

  #startUpload(source: AsyncIterable<Uint8Array>): Upload {
    const { operation, service } = this.#init
    this.#upload = new Upload({
      source,
      limit: operation.bodyLimit,
      turn: whose => {
        if (this.#status == null) this.#waitFor(whose === 'caller' ? 'caller' : 'first byte')
      },
      tooLarge: () => bodyTooLarge(service, operation),
      broken: cause => new MeshError('ClientGone', 'the caller broke off its request', { service }, { cause })
    })
    return this.#upload
  }

  readonly #onAbort = (): void => this.#fail('ClientGone', 'the caller left')

  #waitFor(wait: Wait): void {
    if (this.#over) return
    this.#wait = wait
    const { firstByteTimeout, chunkTimeout } = this.#init.operation
    this.#watchdog.wait(wait === 'first byte' ? firstByteTimeout : wait === 'chunk' ? chunkTimeout : CALLER_PATIENCE)
  }

  #expire(pastDeadline: boolean): void {
    const { service, operation } = this.#init
    if (pastDeadline) {
      this.#fail('Deadline', `the request's time was up before ${service} had answered`)
    } else if (this.#wait === 'first byte') {
      const seconds = operation.firstByteTimeout / 1000
      this.#fail('FirstByteTimeout', `${service} did not begin to answer within ${seconds} s`)
    } else if (this.#wait === 'chunk') {
      const seconds = operation.chunkTimeout / 1000
      this.#fail('ChunkTimeout', `${service} paused within its answer for ${seconds} s`)
    } else {
      const what = this.#wait === 'caller' ? 'send its request' : 'read its answer'
      this.#fail('ClientGone', `the caller did not go on to ${what} for ${CALLER_PATIENCE / 1000} s`)
    }
  }

  #fail(code: MeshErrorCode, message: string): void {
    const { service, operation } = this.#init
    this.#abort(new MeshError(code, message, { service, retry_safe: this.#controller == null || operation.idempotent }))
  }

  /** Ends it from our side. */
  #abort(error: MeshError): void {
    if (this.#over) return
    this.#error = error
    // Without a controller it still waits for a connection; it is aborted when it gets one.
    this.#controller?.abort(error)
    this.#end(error)
  }

  #end(error?: MeshError): void {
    if (this.#over) return
    this.#over = true
    this.#watchdog.stop()
    this.#init.signal.removeEventListener('abort', this.#onAbort)
    this.#upload?.destroy()
    if (error != null) {
      this.#result.reject(error)
      this.#body.fail(error)
    }
    this.#init.onEnd(this.#outcome(error), error, this.#status)
  }

  #outcome(error: MeshError | undefined): Outcome {
    if (error == null) return (this.#status ?? 0) >= 500 ? 'failed' : 'done'
    return error.status < 500 || error.code === 'Deadline' ? 'cancelled' : 'failed'
  }

  #situation() {
    return {
      service: this.#init.service,
      connected: this.#controller != null,
      answered: this.#status != null,
      idempotent: this.#init.operation.idempotent
    }
  }
}

export function bodyTooLarge(service: string, { method, path, bodyLimit }: Operation): MeshError {
  return new MeshError('BodyTooLarge', `${method} ${path} of ${service} takes bodies of up to ${bodyLimit} bytes`, {
    service,
    limit: bodyLimit
  })
}
