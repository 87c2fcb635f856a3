/**
 * HTTP exchanges from a page: HTTP/1.1 over libp2p streams that are kept alive, with nothing that a browser lacks. What
 * goes over the wire is what {@link file://../node/index.ts} sends from Node.
 *
 * @example
 * ```ts
 * const invoker = createPageInvoker({ connectionsTo, reach })
 * const answer = await invoker.invoke(peerId, { method: 'GET', path: '/health', headers: {}, body: null }, { signal })
 * for await (const chunk of answer.body) console.log(chunk)
 * invoker.stop()
 * ```
 */
import type { Connection } from '@libp2p/interface'
import type { Invoker } from '../index.ts'
import { PageInvoker } from './invoker.ts'

export { bestConnection, rankOf, routeOf } from '../wire/route.ts'

export interface PageInvokerComponents {
  /** the connections to a peer that are open now */
  connectionsTo(peer: string): Connection[]
  /** opens a connection where there is none: the first way that works */
  reach(peer: string, signal: AbortSignal): Promise<Connection>
}

export interface PageInvokerInit {
  /** Streams to one peer, and so requests to it at once; one more fails at once. @default 128 */
  maxStreamsPerPeer?: number
  /** Milliseconds after which a stream that nobody uses is closed. @default 30 000 */
  idleTimeout?: number
}

/**
 * - A request that was not sent because its kept-alive stream turned out to be closed is sent on another one. Apart from
 *   that nothing is ever sent twice.
 * - A body that is an iterable is read as far as is needed, and never closed.
 * - An answer must be read to its end, or left (`break`), or aborted; until then it occupies a stream.
 */
export interface StoppableInvoker extends Invoker {
  /** Cuts off what is under way. */
  stop(): void
}

export function createPageInvoker(components: PageInvokerComponents, init: PageInvokerInit = {}): StoppableInvoker {
  return new PageInvoker(components, init)
}
