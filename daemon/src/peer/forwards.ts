import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { maySee } from '@hedgerow/protocols/data-class'
import type { Connected } from '@hedgerow/protocols/dispatch'
import { MeshError, toMeshError } from '@hedgerow/protocols/errors'
import type { ForwardedConnection } from '@hedgerow/protocols/forward/node'
import { carry, reset, type Way } from '@hedgerow/protocols/forward/splice'
import { FORWARD_UPGRADE, HEADERS } from '@hedgerow/protocols/ids'
import { newRequestId, optionsIn, targetOf } from '@hedgerow/protocols/ingress'
import type { Logger } from 'pino'
import { MAX_FORWARDS_PER_CALLER } from '../access/constants.ts'
import { type Caller, callerText, type Gate } from '../access/index.ts'
import { authorize, type IngressRecord, pathOf } from '../ingress/index.ts'
import type { RequestsInHand } from './in-hand.ts'
import type { Peer } from './index.ts'
import { type Carrier, isSocket, refuse } from './upgrades.ts'

export interface ForwardsComponents {
  gate: Pick<Gate, 'admit' | 'addressOf' | 'callerOf'>
  connect: Peer['connect']
  inHand: Pick<RequestsInHand, 'hold'>
  nameOf(service: string): string | undefined
  /** of what a service holds, as far as it is known; by name or alias */
  dataClassOf(service: string): string | undefined
  /** called once for every connection that entered, when it has ended or was refused */
  record(record: IngressRecord): void
  /** aborted when the peer stops: resets what is open */
  signal: AbortSignal
  log: Logger
}

/** Milliseconds between two looks whether a caller may still be connected. */
const CALLER_CHECK_INTERVAL = 1000

/** The status of a connection that was opened, where others have that of an answer. */
const SWITCHING = 101

/**
 * Where connections to services that speak TCP enter the mesh: `GET /service/{service}` with `Upgrade: hedgerow-forward`.
 * The answer is 101, and then the connection's bytes; or a problem, as for any request.
 */
export function forwardCarrier(components: ForwardsComponents): Carrier {
  const open = new Map<string, number>()
  return {
    takes: isForward,
    carry(request, socket, head) {
      if (head.byteLength > 0) socket.unshift(head)
      if (isSocket(socket)) socket.setNoDelay(true)
      void new Forward(components, open, request, socket).run()
    }
  }
}

function isForward({ method, url, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === FORWARD_UPGRADE && pathOf(url).startsWith('/service/')
}

/** One connection, from its request to its end. */
class Forward {
  readonly #components: ForwardsComponents
  /** how many each caller has open */
  readonly #open: Map<string, number>
  readonly #request: IncomingMessage
  readonly #socket: Duplex
  readonly #id = newRequestId()
  readonly #startedAt = performance.now()
  /** bytes of the socket that were none of the connection's */
  readonly #before: { read: number; written: number }
  #service = ''
  #withdrawn: MeshError | undefined
  #connected: Connected<ForwardedConnection> | undefined

  constructor(components: ForwardsComponents, open: Map<string, number>, request: IncomingMessage, socket: Duplex) {
    this.#components = components
    this.#open = open
    this.#request = request
    this.#socket = socket
    this.#before = { ...this.#bytes }
    // What has come behind the request belongs to the connection.
    this.#before.read -= socket.readableLength
  }

  async run(): Promise<void> {
    const { signal } = this.#components
    let failure: MeshError | undefined
    try {
      const caller = await this.#admit()
      const withdrawn = this.#untilWithdrawn(caller)
      await carry(this.#socket, gone => this.#connect(caller, gone), AbortSignal.any([signal, withdrawn]))
    } catch (err) {
      failure = this.#failureOf(err)
      if (failure.code === 'Internal') this.#components.log.error({ request: this.#id, err }, 'forwarding failed')
      if (this.#connected == null) {
        failure.details.request_id ??= this.#id
        refuse(this.#socket, failure)
      }
    }
    this.#tell(failure)
  }

  async #admit(): Promise<Caller> {
    const { gate, inHand, nameOf } = this.#components
    const caller = await gate.admit(this.#request, this.#socket, 'call')
    this.#service = targetOf(pathOf(this.#request.url)).service
    authorize(caller, this.#service, { nameOf })
    if (caller.kind !== 'local')
      this.#count(caller.id === '' ? (gate.addressOf(this.#request) ?? caller.kind) : callerText(caller))
    // Of who is refused nobody waits for the end.
    inHand.hold(this.#socket)
    return caller
  }

  /** One caller shall not take all that a worker takes. @throws {MeshError} */
  #count(caller: string): void {
    const open = this.#open.get(caller) ?? 0
    if (open >= MAX_FORWARDS_PER_CALLER)
      throw new MeshError('RateLimited', `${caller} has ${open} connections open already, as many as it may`, {
        retry_after: 10
      })
    this.#open.set(caller, open + 1)
    this.#socket.once('close', () => {
      const left = (this.#open.get(caller) ?? 1) - 1
      if (left > 0) this.#open.set(caller, left)
      else this.#open.delete(caller)
    })
  }

  async #connect(caller: Caller, signal: AbortSignal): Promise<Way> {
    const { headers } = this.#request
    const said = (name: string): string | undefined => {
      const value = headers[name]
      return Array.isArray(value) ? value[0] : value
    }
    const { worker, resource, dataClass, traceparent } = optionsIn(said)
    this.#checkClasses(caller)
    const connected = await this.#components.connect({
      id: this.#id,
      service: this.#service,
      signal,
      ...(worker == null ? {} : { worker }),
      ...(resource == null ? {} : { resource }),
      ...(dataClass == null ? {} : { dataClass }),
      ...(traceparent == null ? {} : { traceparent }),
      ...(caller.id === '' ? {} : { caller: callerText(caller) })
    })
    try {
      this.#checkClasses(caller)
    } catch (err) {
      connected.connection.closed.catch(() => {})
      reset(connected.connection.duplex)
      throw err
    }
    this.#connected = connected
    const answer = switching(connected)
    this.#before.written += Buffer.byteLength(answer)
    this.#socket.write(answer)
    return connected.connection
  }

  /** A service that speaks TCP isn't told what its caller may see. Asked again when it was looked for first. @throws {MeshError} */
  #checkClasses(caller: Caller): void {
    const held = this.#components.dataClassOf(this.#service)
    if (caller.classes == null || held == null || maySee(caller.classes, held)) return
    throw new MeshError('ClassNotAllowed', `${callerText(caller)} may not see ${held} data`, {
      service: this.#service,
      data_class: held
    })
  }

  /** Aborted when what the caller is known by is no good any more: a connection may last for days. */
  #untilWithdrawn(caller: Caller): AbortSignal {
    const withdrawn = new AbortController()
    const { isGood } = caller
    if (isGood == null) return withdrawn.signal
    const timer = setInterval(() => {
      if (isGood()) return
      clearInterval(timer)
      this.#withdrawn = new MeshError(
        'Unauthorized',
        `what ${callerText(caller)} was let in by has ended or was revoked`
      )
      withdrawn.abort(this.#withdrawn)
    }, CALLER_CHECK_INTERVAL).unref()
    this.#socket.once('close', () => clearInterval(timer))
    return withdrawn.signal
  }

  #failureOf(err: unknown): MeshError {
    if (err instanceof MeshError) return err
    if (this.#withdrawn != null) return this.#withdrawn
    const { signal } = this.#components
    if (signal.aborted) return new MeshError('Draining', 'this peer is stopping')
    // Of the two ends of a connection that was reset, the caller's is known here.
    if (this.#socket.errored != null) return new MeshError('ClientGone', 'the caller left')
    return this.#connected == null ? toMeshError(err) : new MeshError('WorkerLost', 'the connection was reset')
  }

  #tell(failure: MeshError | undefined): void {
    const { gate, log, record } = this.#components
    const duration = performance.now() - this.#startedAt
    const worker = this.#connected?.worker ?? failure?.trail?.worker
    const path = this.#connected?.route.path ?? 'none'
    const status = this.#connected == null ? (failure?.status ?? 500) : SWITCHING
    const caller = callerText(gate.callerOf(this.#request))
    const address = gate.addressOf(this.#request)
    const passed = {
      requestBytes: this.#connected == null ? 0 : this.#bytes.read - this.#before.read,
      answerBytes: this.#connected == null ? 0 : this.#bytes.written - this.#before.written
    }
    log.info(
      {
        request: this.#id,
        caller,
        ...(address == null ? {} : { address }),
        method: 'CONNECT',
        service: this.#service,
        status,
        path,
        ...(worker == null ? {} : { worker }),
        sent: passed.requestBytes,
        received: passed.answerBytes,
        ms: Math.round(duration * 10) / 10,
        ...(failure == null ? {} : { code: failure.code, reason: failure.message })
      },
      'connection'
    )
    const dataClass = this.#request.headers[HEADERS.dataClass]
    record({
      id: this.#id,
      service: this.#service,
      operation: 'CONNECT',
      method: 'CONNECT',
      ...(typeof dataClass === 'string' ? { dataClass } : {}),
      ...passed,
      ...(worker == null ? {} : { worker }),
      startedAt: Date.now() - duration,
      status,
      duration,
      path,
      caller,
      ...(failure == null ? {} : { error: failure })
    })
  }

  get #bytes(): { read: number; written: number } {
    const socket = this.#socket
    return isSocket(socket) ? { read: socket.bytesRead, written: socket.bytesWritten } : { read: 0, written: 0 }
  }
}

function switching({ requestId, worker, attempts, route, traceparent }: Connected<ForwardedConnection>): string {
  const headers = {
    connection: 'Upgrade',
    upgrade: FORWARD_UPGRADE,
    [HEADERS.requestId]: requestId,
    [HEADERS.worker]: worker,
    [HEADERS.attempts]: attempts,
    [HEADERS.path]: route.path,
    [HEADERS.transport]: route.transport,
    [HEADERS.traceparent]: traceparent
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${SWITCHING} Switching Protocols\r\n${lines.join('')}\r\n`
}
