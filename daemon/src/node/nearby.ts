import type { DialTransportOptions, Transport } from '@libp2p/interface'
import { isPrivate } from '@libp2p/utils'
import { NEARBY_CONNECT_TIMEOUT } from './constants.ts'

type DialOptions = DialTransportOptions & { signal: AbortSignal }

/**
 * A transport that gives up early on addresses of private networks. Who is in that network connects in milliseconds; who
 * isn't, most often hears nothing at all, and the address after it, which leads over a relay, would come too late.
 *
 * Only the connection itself is bounded: encryption takes as long as it takes on a machine that has much to do.
 */
export function impatientNearby<C>(
  create: (components: C) => Transport,
  timeout = NEARBY_CONNECT_TIMEOUT
): (components: C) => Transport {
  return components => {
    const transport = create(components)
    const dial = transport.dial.bind(transport)
    transport.dial = async (addr, given) => {
      const options = given as DialOptions
      if (!isPrivate(addr)) return dial(addr, options)
      const tooSlow = new AbortController()
      // One more turn: where all waited for something else, the connection may be there and not yet seen.
      const timer = setTimeout(() => setImmediate(() => tooSlow.abort()), timeout)
      const { upgrader } = options
      const upgradeOutbound: typeof upgrader.upgradeOutbound = (connection, init) => {
        clearTimeout(timer)
        return upgrader.upgradeOutbound(connection, { ...init, signal: options.signal })
      }
      try {
        return await dial(addr, {
          ...options,
          signal: AbortSignal.any([options.signal, tooSlow.signal]),
          upgrader: new Proxy(upgrader, {
            get: (target, name) => (name === 'upgradeOutbound' ? upgradeOutbound : Reflect.get(target, name))
          })
        })
      } finally {
        clearTimeout(timer)
      }
    }
    return transport
  }
}
