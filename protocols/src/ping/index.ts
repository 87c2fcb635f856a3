/**
 * Asks a peer whether it is there, over connections that are open: libp2p's own ping dials a peer anew that is connected
 * over a relay alone, and waits for a dial that is under way.
 *
 * @example
 * ```ts
 * const pinger = createPinger({ connectionsTo: peer => node.getConnections(peerIdFromString(peer)) })
 * await pinger.ping(peer, AbortSignal.timeout(2000)) // milliseconds there and back
 * ```
 */
import type { Connection, Stream } from '@libp2p/interface'
import type { Pinger } from '../dispatch/index.ts'
import { bestConnection } from '../invocation/wire/route.ts'

/** A ping without an answer for so long also goes over the other connections. */
const PING_PATIENCE = 700
/** A connection on which a ping isn't answered in this time, while another way answers, is given up. */
const PING_TIMEOUT = 2500

/** libp2p's ping protocol: 32 bytes there, the same back. */
const PROTOCOL = '/ipfs/ping/1.0.0'
const LENGTH = 32

export interface PingerComponents {
  connectionsTo(peer: string): Connection[]
}

/**
 * Pings a peer over the best way to it. When that is silent for a while the other ways are asked too: a peer that
 * answers there is alive, and it is the best way that is dead. That one is then given up, so that requests on it can go
 * on elsewhere long before the browser notices.
 */
export function createPinger({ connectionsTo }: PingerComponents): Pinger {
  return {
    async ping(peer, signal) {
      const best = bestConnection(connectionsTo(peer))
      if (best == null) throw new Error('there is no connection')
      const others = connectionsTo(peer).filter(({ id, status }) => id !== best.id && status === 'open')
      if (others.length === 0) return pingOver(best, signal)
      // With a limit of its own: whoever asks stops waiting when another way has answered, which says nothing of this one.
      const main = pingOver(best, AbortSignal.timeout(PING_TIMEOUT))
      const patience = Promise.withResolvers<void>()
      const timer = setTimeout(patience.resolve, PING_PATIENCE)
      const late = await Promise.race([main.then(() => false), patience.promise.then(() => true)]).catch(() => true)
      clearTimeout(timer)
      if (!late) return main
      const roundTrip = await Promise.any([main, ...others.map(connection => pingOver(connection, signal))])
      main.catch(err => best.abort(err instanceof Error ? err : new Error('nobody answers')))
      return roundTrip
    }
  }
}

/** Closes a connection on which nobody answers: browsers take minutes to notice after a sleep. */
export async function closeIfDead(connection: Connection): Promise<void> {
  try {
    await pingOver(connection, AbortSignal.timeout(PING_TIMEOUT))
  } catch (err) {
    connection.abort(err instanceof Error ? err : new Error('dead'))
  }
}

/** @returns milliseconds */
export async function pingOver(connection: Connection, signal: AbortSignal): Promise<number> {
  const stream = await connection.newStream(PROTOCOL, {
    signal,
    runOnLimitedConnection: true,
    maxOutboundStreams: 8
  })
  try {
    const startedAt = performance.now()
    await echoed(stream, signal)
    const roundTrip = performance.now() - startedAt
    stream.close().catch(() => {})
    return roundTrip
  } catch (err) {
    const reason = err instanceof Error ? err : new Error('the stream closed')
    stream.abort(reason)
    throw reason
  }
}

/** Sends some bytes, and waits until as many have come back. */
function echoed(stream: Stream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let missing = LENGTH
    stream.addEventListener('message', ({ data }) => {
      missing -= data.byteLength
      if (missing <= 0) resolve()
    })
    stream.addEventListener('close', ({ error }) => reject(error ?? new Error('the stream closed')))
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    stream.send(crypto.getRandomValues(new Uint8Array(LENGTH)))
  })
}
