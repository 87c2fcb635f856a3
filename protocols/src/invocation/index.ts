/**
 * One HTTP exchange with another peer: a request goes forward, an answer flows back as one async iterable. Who calls
 * it doesn't know of streams or connections; an `Invoker` for Node pools kept-alive libp2p streams below it
 * (`@hedgerow/protocols/invocation/node`).
 *
 * @example
 * ```ts
 * const answer = await invoker.invoke(peerId, { method: 'GET', path: '/health', headers: {}, body: null }, { signal })
 * for await (const chunk of answer.body) console.log(chunk)
 * ```
 */

/** Lower-case names; a list for what may come several times; as Node has them, so that they need not be copied. */
export type Headers = Record<string, string | string[] | undefined>

/** `null` = no body. A list of pieces is complete and can be sent again; an iterable can be read once. */
export type Body = null | Uint8Array | AsyncIterable<Uint8Array>

export interface OutgoingRequest {
  method: string
  /** path and query */
  path: string
  headers: Headers
  body: Body
}

export interface IncomingAnswer {
  status: number
  headers: Headers
  /**
   * Reading it drives the exchange: nothing is read from the peer faster than from here. It throws a
   * {@link InvocationError} when the answer breaks off. Leaving the loop early cancels the exchange.
   */
  body: AsyncIterable<Uint8Array>
  /** the whole body, where it has arrived already; `body` gives the same bytes */
  complete?: Uint8Array
  /** how this answer came, where the invoker knows */
  route?: Route
}

/** How a peer was reached. */
export type Path = 'local' | 'direct' | 'relayed'
export type Transport = 'tcp' | 'ws' | 'webrtc' | 'webrtc-direct' | 'http' | 'memory' | 'unknown'

export interface Route {
  path: Path
  transport: Transport
}

export interface InvokeOptions {
  /** aborts connecting, sending and receiving */
  signal: AbortSignal
}

export interface Invoker {
  /**
   * Resolves with the head of the answer.
   *
   * @throws {InvocationError}
   */
  invoke(peer: string, request: OutgoingRequest, options: InvokeOptions): Promise<IncomingAnswer>
  /** how the peer is reached now; undefined when there is no connection */
  route(peer: string): Route | undefined
}

/**
 * - `connect`: no connection or stream could be opened, nothing was sent
 * - `send`: the request was under way, no answer had begun: it may have been executed
 * - `receive`: the answer broke off
 */
export type InvocationPhase = 'connect' | 'send' | 'receive'

export class InvocationError extends Error {
  override readonly name = 'InvocationError'
  readonly phase: InvocationPhase
  readonly peer: string

  constructor(phase: InvocationPhase, peer: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.phase = phase
    this.peer = peer
  }
}
