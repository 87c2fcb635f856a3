import { type Gateway, type UPnPNAT as PortMapper, upnpNat } from '@achingbrain/nat-port-mapper'
import type { AddressManager } from '@libp2p/interface-internal'
import { type UPnPNATComponents, uPnPNAT } from '@libp2p/upnp-nat'
import { networkKindOf } from '../dial-back/network.ts'

/** Milliseconds that a mapping lasts unless it is renewed: it ends soon after a peer that has no time to take it back. */
const MAPPING_TTL = 60 * 60_000
const PLAIN_TCP = /^\/ip[46]\/[^/]+\/tcp\/\d+$/

/**
 * Has the router of this network map a port of the internet to this peer's TCP port, where only proven members get further than
 * a handshake. Nothing else is mapped, least of all HTTP.
 */
export function upnp(): (components: UPnPNATComponents) => unknown {
  return ({ peerId, nodeInfo, logger, addressManager, events }) =>
    uPnPNAT({ portMappingClient: onThisNetwork(upnpNat({ description: 'hedgerow', ttl: MAPPING_TTL })) })({
      peerId,
      nodeInfo,
      logger,
      events,
      addressManager: plainTcpOnly(addressManager)
    })
}

function plainTcpOnly(real: AddressManager): AddressManager {
  return new Proxy(real, {
    get(target, property) {
      if (property === 'getAddressesWithMetadata')
        return () => target.getAddressesWithMetadata().filter(({ multiaddr }) => PLAIN_TCP.test(multiaddr.toString()))
      const value: unknown = Reflect.get(target, property)
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}

/** Anybody on the network may answer the search, and name a place elsewhere as the router's. */
function onThisNetwork(real: PortMapper): PortMapper {
  return {
    getGateway: (descriptor, options) => real.getGateway(descriptor, options),
    async *findGateways(options): AsyncGenerator<Gateway, void, unknown> {
      for await (const gateway of real.findGateways(options))
        if (networkKindOf(gateway.host) === 'private') yield gateway
    }
  }
}
