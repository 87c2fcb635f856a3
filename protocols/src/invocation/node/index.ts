/**
 * HTTP exchanges between Node peers: HTTP/1.1 over libp2p streams that are kept alive, so that a request costs neither
 * a new stream nor a lookup. Node's http server answers, undici asks; any other libp2p HTTP client can ask too.
 *
 * @example
 * ```ts
 * const node = await createLibp2p({
 *   transports: [tcp()],
 *   connectionEncrypters: [encryption()],
 *   streamMuxers: [multiplexing()]
 * })
 *
 * // answer
 * const server = createStreamServer((request, response) => response.end(`hello ${remotePeerOf(request)}`))
 * const service = await serveHttp(node, server)
 *
 * // ask
 * const invoker = createInvoker(node)
 * const answer = await invoker.invoke(peerId, { method: 'GET', path: '/', headers: {}, body: null }, { signal })
 * for await (const chunk of answer.body) process.stdout.write(chunk)
 *
 * // leave
 * invoker.stop()
 * await service.drain({ signal })
 * await service.stop()
 * server.close()
 * ```
 */
import type { Invoker } from '../index.ts'
import { StreamInvoker } from './invoker.ts'
import type { InvokerComponents } from './peer-streams.ts'

export { hasKnownCoding } from '../wire/framing.ts'
export { routeOf } from '../wire/route.ts'
export { MAX_PROTOCOL_STREAMS, SERVER, YAMUX } from './constants.ts'
export { encryption } from './encryption.ts'
export { type Lingering, type LingeringInit, lingerAfterAnswers } from './lingering.ts'
export { multiplexing } from './multiplexing.ts'
export type { InvokerComponents } from './peer-streams.ts'
export {
  connectionOf,
  createStreamServer,
  type HttpService,
  remotePeerOf,
  type ServeComponents,
  type ServeInit,
  serveHttp
} from './server.ts'
export { StreamDuplex, type StreamDuplexInit, streamDuplex } from './stream-duplex.ts'

export interface InvokerInit {
  /** Streams to one peer, and so requests to it at once; more wait. @default 256 */
  maxStreamsPerPeer?: number
  /** Requests that may wait for a stream to one peer; one more fails at once. @default 1024 */
  maxWaitingPerPeer?: number
  /** Peers to which streams are kept; of more, those not used for longest are let go. @default 256 */
  maxPeers?: number
  /** Milliseconds after which a stream that nobody uses is closed. @default 30 000 */
  idleTimeout?: number
}

/**
 * - A request that was not sent because its kept-alive stream turned out to be closed is sent on another one. Apart
 *   from that nothing is ever sent twice.
 * - A body that is an iterable is closed (`return()`) when the exchange ends early.
 * - An answer must be read to its end, or left (`break`, `return()`), or aborted; until then it occupies a stream.
 * - A request that isn't valid HTTP is a `TypeError`.
 */
export interface NodeInvoker extends Invoker {
  streams(peer: string): StreamCounts
  /** Cuts off what is under way. */
  stop(): void
}

export interface StreamCounts {
  open: number
  idle: number
  /** requests that wait for a stream */
  waiting: number
}

export function createInvoker(components: InvokerComponents, init: InvokerInit = {}): NodeInvoker {
  return new StreamInvoker(components, init)
}
