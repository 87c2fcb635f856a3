import { readMultiaddr } from '@hedgerow/protocols/address'
import type { View } from '@hedgerow/protocols/view'
import type { Connection, Libp2p, PeerId } from '@libp2p/interface'
import type { TransportManager } from '@libp2p/interface-internal'
import { CODE_P2P_CIRCUIT, CODE_WEBRTC, type Multiaddr } from '@multiformats/multiaddr'
import { raceSignal } from 'race-signal'

export interface ReachComponents {
  node: Pick<Libp2p, 'dial' | 'getConnections'> & { services: { transports: Pick<TransportManager, 'dial'> } }
  view: Pick<View, 'peer'>
}

/** Milliseconds that direct ways have ahead of those over relays. */
const HEAD_START = 300
/** Relays over which a peer is tried; strangers write its addresses. */
const MAX_CIRCUITS = 3

/**
 * Opens a connection to a peer for a request. libp2p tries one address after the other, and whoever dials the same peer
 * meanwhile waits for that: seconds, where a peer has private addresses that nobody answers at. So the ways over relays
 * are tried beside it.
 *
 * @throws {Error} when there is no way
 */
export async function reach(
  { node, view }: ReachComponents,
  peer: PeerId,
  { signal }: { signal: AbortSignal }
): Promise<Connection> {
  const open = node.getConnections(peer).find(({ status }) => status === 'open')
  if (open != null) return open
  const circuits = circuitsIn(view.peer(peer.toString())?.advert.addrs ?? [])
  const dial = node.dial(peer, { signal })
  if (circuits.length === 0) return dial
  const over = new AbortController()
  const circuit = overRelay(node, circuits, dial, AbortSignal.any([signal, over.signal]))
  try {
    return await Promise.any([dial, circuit])
  } catch (err) {
    const [first] = err instanceof AggregateError ? err.errors : [err]
    throw first
  } finally {
    over.abort()
    circuit.catch(() => {})
    dial.catch(() => {})
  }
}

function circuitsIn(addrs: readonly string[]): Multiaddr[] {
  return addrs
    .flatMap(addr => readMultiaddr(addr) ?? [])
    .filter(addr => {
      const codes = addr.getComponents().map(({ code }) => code)
      return codes.includes(CODE_P2P_CIRCUIT) && !codes.includes(CODE_WEBRTC)
    })
    .slice(0, MAX_CIRCUITS)
}

async function overRelay(
  { services }: ReachComponents['node'],
  circuits: Multiaddr[],
  direct: Promise<unknown>,
  signal: AbortSignal
): Promise<Connection> {
  const headStart = Promise.withResolvers<void>()
  const timer = setTimeout(headStart.resolve, HEAD_START)
  // No need to wait for what has failed.
  direct.catch(headStart.resolve)
  try {
    await raceSignal(headStart.promise, signal)
  } finally {
    clearTimeout(timer)
  }
  let failure: unknown
  for (const addr of circuits) {
    signal.throwIfAborted()
    try {
      return await services.transports.dial(addr, { signal })
    } catch (err) {
      failure = err
    }
  }
  throw failure
}
