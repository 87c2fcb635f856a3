/**
 * Places on relays. libp2p reserves one at each relay to which there is a connection, until it has as many as it listens
 * on; while it has fewer, it would walk the DHT without a pause and dial everybody it hears of. A mesh may well have
 * fewer relays than a worker wants; which there are, adverts say (`discovery/relays`).
 */
import type { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { overriding } from './overriding.ts'

export type CircuitComponents = Parameters<ReturnType<typeof circuitRelayTransport>>[0]

/** The components of the circuit transport, with which it only uses relays that are connected anyway. */
export function withoutSearch(components: CircuitComponents): CircuitComponents {
  const randomWalk = overriding(components.randomWalk, {
    async *walk() {
      // It meets nobody.
    }
  })
  const { events } = components
  const heard = overriding(events, {
    addEventListener(type: string, ...rest: unknown[]) {
      if (type !== 'peer:discovery') Reflect.apply(events.addEventListener, events, [type, ...rest])
    }
  })
  return new Proxy(components, {
    get: (target, property) =>
      property === 'randomWalk' ? randomWalk : property === 'events' ? heard : Reflect.get(target, property)
  })
}
