/**
 * Raw TCP between Node peers: each connection is a libp2p stream of its own, with flow control whatever it runs over, and
 * ends as a TCP connection does: each direction by itself, or both with a reset.
 *
 * @example
 * ```ts
 * // a worker
 * const service = await serveForwards(node, { mesh, open: (peer, request, signal) => connectToDatabase(request, signal) })
 *
 * // who wants to reach it
 * const forwarder = createForwarder(node, { mesh })
 * const { duplex } = await forwarder.open(peerId, { service: 'postgresql', requestId }, { signal })
 * await splice(socket, { duplex })
 * ```
 */
import type { Route } from '../../invocation/index.ts'
import type { InvokerComponents, ServeComponents } from '../../invocation/node/index.ts'
import type { ForwardRequest } from '../index.ts'
import type { Way } from '../splice/index.ts'
import { StreamForwarder } from './forwarder.ts'
import { ForwardServer } from './server.ts'

export { REQUEST_TIMEOUT } from './constants.ts'

export interface ForwarderInit {
  mesh: string
}

/** A connection to a service that is open. */
export interface ForwardedConnection extends Way {
  route: Route
  /** resolves when both directions have ended; rejects with an `InvocationError` or `MeshError` when it is reset */
  closed: Promise<void>
}

export interface Forwarder {
  /**
   * Resolves when the worker says that the connection to its backend is open.
   *
   * @param options.signal resets the connection when it is aborted, also after it was opened
   * @throws {MeshError} what the worker refuses with
   * @throws {InvocationError} `connect`: there is no such connection
   */
  open(peer: string, request: ForwardRequest, options: { signal: AbortSignal }): Promise<ForwardedConnection>
}

export function createForwarder(components: InvokerComponents, init: ForwarderInit): Forwarder {
  return new StreamForwarder(components, init)
}

export interface ServeForwardsInit {
  mesh: string
  /**
   * Opens the connection that a peer asks for.
   *
   * @param signal aborted when the peer has left
   * @throws {MeshError} what the peer is refused with
   */
  open(peer: string, request: ForwardRequest, signal: AbortSignal): Promise<Way>
  /** called with errors that are no refusals */
  onError?(err: unknown): void
  /** streams that one peer may have open, over all of its connections; one more is reset. @default 512 */
  maxStreamsPerPeer?: number
}

export interface ForwardService {
  /** connections that are open now, or being opened */
  readonly streams: number
  /** Takes no more, and resets those that are open. Does nothing the second time. */
  stop(): Promise<void>
}

export async function serveForwards(components: ServeComponents, init: ServeForwardsInit): Promise<ForwardService> {
  const server = new ForwardServer(components, init)
  await server.start()
  return server
}
