/** Workers in memory, which can be killed, stopped and slowed, and a dispatcher among them with its real view. */
import assert from 'node:assert/strict'
import type { ServiceContract } from '../../src/contract/index.ts'
import {
  createDispatcher,
  type DispatchAnswer,
  type Dispatcher,
  type DispatcherComponents,
  type DispatchRequest
} from '../../src/dispatch/index.ts'
import { MeshError, type MeshErrorCode } from '../../src/errors/index.ts'
import {
  type Headers,
  type IncomingAnswer,
  InvocationError,
  type InvokeOptions,
  type OutgoingRequest
} from '../../src/invocation/index.ts'
import { createView, type View } from '../../src/view/index.ts'
import { FakeClock, seeded, settled } from './fake-clock.ts'
import { advert, contract, load } from './samples.ts'

export interface ReceivedRequest {
  method: string
  path: string
  headers: Headers
  body: string
}

export interface FakeAnswer {
  status?: number
  headers?: Headers
  /** pieces of the body; a number is a pause in milliseconds */
  body?: Array<string | Uint8Array | number>
  /** then the worker resets the stream, for its service broke off */
  breaksOff?: boolean
}

export class FakeWorker {
  readonly peerId: string
  /** `stopped`: as after SIGSTOP. `dead`: as after kill -9 */
  state: 'up' | 'stopped' | 'dead' = 'up'
  /** milliseconds to the first byte */
  latency = 10
  roundTrip = 1
  concurrency = 4
  queue = 32
  /** in its hands now */
  running = 0
  /** milliseconds (of the clock) of the pings it got */
  pings: number[] = []
  received: ReceivedRequest[] = []
  /** what invoking it throws, instead of doing anything */
  throws: Error | undefined
  /** requests that were cancelled */
  cancelled = 0
  answer: (request: ReceivedRequest) => FakeAnswer | Promise<FakeAnswer> = () => ({ body: [this.peerId] })
  private pinging = false
  private readonly clock: FakeClock
  private readonly victims = new Set<() => void>()

  constructor(peerId: string, clock: FakeClock) {
    this.peerId = peerId
    this.clock = clock
  }

  kill(): void {
    this.state = 'dead'
    for (const victim of [...this.victims]) victim()
  }

  refuse(code: MeshErrorCode, details: { retry_after?: number } = {}): void {
    this.latency = 1
    this.answer = () => meshAnswer(code, details)
  }

  invoke(request: OutgoingRequest, { signal }: InvokeOptions): Promise<IncomingAnswer> {
    if (this.throws != null) return Promise.reject(this.throws)
    if (this.state === 'dead') return Promise.reject(new InvocationError('connect', this.peerId, 'connection refused'))
    return new Promise((resolve, reject) => {
      let phase: 'send' | 'receive' = 'send'
      let break_ = (): void => reject(new InvocationError(phase, this.peerId, 'the connection broke'))
      const end = (): void => {
        if (!this.victims.delete(broken)) return
        this.running--
        signal.removeEventListener('abort', cancelled)
      }
      const broken = (): void => {
        end()
        break_()
      }
      const cancelled = (): void => {
        this.cancelled++
        broken()
      }
      this.running++
      this.victims.add(broken)
      signal.addEventListener('abort', cancelled)
      this.serve(request).then(
        answer => {
          if (!this.victims.has(broken)) return
          phase = 'receive'
          const failed = new Promise<never>((_, fail) => {
            break_ = () => fail(new InvocationError('receive', this.peerId, 'the connection broke'))
          })
          failed.catch(() => {})
          const pieces = this.play(answer, failed, end)
          resolve({ status: answer.status ?? 200, headers: answer.headers ?? {}, body: pieces })
        },
        err => {
          end()
          reject(new InvocationError('send', this.peerId, 'the request could not be sent', { cause: err }))
        }
      )
    })
  }

  ping(signal: AbortSignal): Promise<number> {
    this.pings.push(this.clock.now())
    if (this.state === 'dead') return Promise.reject(new Error('no connection'))
    // libp2p allows one at a time.
    if (this.pinging) return Promise.reject(new Error('too many outbound streams'))
    this.pinging = true
    return new Promise<number>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
      if (this.state === 'up') this.clock.setTimeout(() => resolve(this.roundTrip), this.roundTrip)
    }).finally(() => {
      this.pinging = false
    })
  }

  private async serve(request: OutgoingRequest): Promise<FakeAnswer> {
    const decoder = new TextDecoder()
    let body = ''
    if (request.body instanceof Uint8Array) body = decoder.decode(request.body)
    else if (request.body != null) for await (const chunk of request.body) body += decoder.decode(chunk)
    const received = { method: request.method, path: request.path, headers: { ...request.headers }, body }
    this.received.push(received)
    if (this.running > this.concurrency + this.queue) return meshAnswer('Busy', { retry_after: 2 })
    const rounds = Math.max(1, Math.ceil(this.running / this.concurrency))
    if (this.latency > 0) await this.clock.sleep(this.latency * rounds)
    if (this.state === 'stopped') return new Promise(() => {})
    return this.answer(received)
  }

  private async *play(
    { body: pieces = [], breaksOff = false }: FakeAnswer,
    failed: Promise<never>,
    end: () => void
  ): AsyncGenerator<Uint8Array> {
    try {
      for (const piece of pieces) {
        if (typeof piece === 'number') await Promise.race([failed, this.clock.sleep(piece)])
        else if (this.state !== 'up') await failed
        else yield typeof piece === 'string' ? new TextEncoder().encode(piece) : piece
      }
      if (breaksOff) throw new InvocationError('receive', this.peerId, 'the stream was reset', { byPeer: true })
    } finally {
      end()
    }
  }
}

export interface FakeMeshInit {
  workers?: string[]
  contract?: ServiceContract
  seed?: number
  /** the worker that the dispatcher itself is */
  local?: string
}

export class FakeMesh {
  readonly clock = new FakeClock()
  readonly view: View
  readonly workers = new Map<string, FakeWorker>()
  readonly contract: ServiceContract
  readonly dispatcher: Dispatcher
  /** what the DHT knows: names, and whom it teaches the view */
  finder: DispatcherComponents['finder']['find'] = async () => false
  lookups = 0
  private sequence = 1n

  constructor({ workers = ['a', 'b', 'c'], contract: promised = contract(), seed = 1, local }: FakeMeshInit = {}) {
    const { clock } = this
    this.contract = promised
    this.view = createView({ now: clock.now })
    for (const peerId of workers) this.join(peerId)
    this.dispatcher = createDispatcher({
      view: this.view,
      clock,
      random: seeded(seed),
      invoker: {
        invoke: (peerId, request, options) => this.worker(peerId).invoke(request, options),
        route: peerId => (this.workers.get(peerId)?.state === 'dead' ? undefined : { path: 'direct', transport: 'tcp' })
      },
      finder: {
        find: (service, signal) => {
          this.lookups++
          return this.finder(service, signal)
        }
      },
      pinger: { ping: (peerId, signal) => this.worker(peerId).ping(signal) },
      ...(local == null
        ? {}
        : {
            local: { peerId: local, serve: (peerId, request, options) => this.worker(peerId).invoke(request, options) }
          })
    })
  }

  worker(peerId: string): FakeWorker {
    const worker = this.workers.get(peerId) ?? new FakeWorker(peerId, this.clock)
    this.workers.set(peerId, worker)
    return worker
  }

  /** A worker says that it is there (again). */
  join(peerId: string, resources: string[] = [], ...promised: ServiceContract[]): FakeWorker {
    const contracts = promised.length === 0 ? [this.contract] : promised
    const services = contracts.map(contract => ({ contract, resources }))
    this.view.learnAdvert(advert({ peerId, sequence: this.sequence++, services }))
    return this.worker(peerId)
  }

  /** Its credential changes. */
  allow(peerId: string, classes: string[]): void {
    const services = [{ contract: this.contract, resources: [] }]
    this.view.learnAdvert(advert({ peerId, sequence: this.sequence++, services }), classes)
  }

  report(
    peerId: string,
    fields: { inFlight?: number; queued?: number; latency?: number; concurrency?: number } = {}
  ): void {
    this.view.learnLoad(load({ peerId, service: this.contract.name, sequence: this.sequence++, ...fields }))
  }

  /** Every worker that is up reports that it is idle, so that none is silent. */
  reportAll(): void {
    for (const { peerId, state } of this.workers.values()) if (state === 'up') this.report(peerId)
  }

  dispatch(request: Partial<DispatchRequest> = {}): Promise<DispatchAnswer> {
    return this.dispatcher.dispatch({
      service: this.contract.name,
      method: 'POST',
      path: '/',
      headers: {},
      body: null,
      signal: new AbortController().signal,
      ...request
    })
  }

  /** Dispatches, and lets time pass until there is an answer or an error. */
  async call(request: Partial<DispatchRequest> = {}): Promise<Called> {
    return this.outcome(this.dispatch(request))
  }

  async outcome(dispatched: Promise<DispatchAnswer>, patience = 120_000): Promise<Called> {
    const begun = this.clock.now()
    let called: Called | undefined
    dispatched.then(
      answer => {
        called = { answer, ms: this.clock.now() - begun }
      },
      error => {
        called = { error, ms: this.clock.now() - begun }
      }
    )
    await settled()
    while (called == null && this.clock.now() - begun < patience) await this.clock.advance(1)
    if (called == null) throw new Error('neither an answer nor an error')
    return called
  }
}

export interface Called {
  answer?: DispatchAnswer
  error?: unknown
  /** milliseconds that it took */
  ms: number
}

/** The code of the error that a call ended with. */
export function codeOf({ error }: Called): MeshErrorCode | undefined {
  if (error == null) return undefined
  if (error instanceof MeshError) return error.code
  throw error
}

export function errorOf({ error }: Called): MeshError {
  assert.ok(error instanceof MeshError, String(error))
  return error
}

export function answerOf({ answer, error }: Called): DispatchAnswer {
  if (answer == null) throw error
  return answer
}

export async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body) text += decoder.decode(chunk, { stream: true })
  return text
}

export function meshAnswer(code: MeshErrorCode, details: { retry_after?: number } = {}): FakeAnswer {
  const problem = new MeshError(code, 'a worker says so', details).toProblem()
  return {
    status: problem.status,
    headers: { 'hedgerow-error': code, 'content-type': 'application/problem+json' },
    body: [JSON.stringify(problem)]
  }
}
