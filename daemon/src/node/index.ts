/**
 * The libp2p node that a worker, a relay and the inspector share: which transports, which DHT, which gossip, with the
 * defaults that would hurt a mesh behind tunnels and NATs set right (constants.ts says why).
 *
 * @example
 * ```ts
 * const node = await createNode({ privateKey, mesh: 'hedgerow', role: 'worker', listen: ['/ip4/0.0.0.0/tcp/0'] })
 * node.services.dht; node.services.pubsub
 * ```
 */

import { createHash } from 'node:crypto'
import { createGate, type Gate } from '@hedgerow/protocols/gate'
import { advertKey, DHT_NAMESPACE, dhtProtocol } from '@hedgerow/protocols/ids'
import { encryption, multiplexing } from '@hedgerow/protocols/invocation/node'
import { believe, type Member, openTrust, type Trust } from '@hedgerow/protocols/membership'
import { openStatement } from '@hedgerow/protocols/statement'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { type GossipSub, gossipsub, StrictNoSign } from '@libp2p/gossipsub'
import { type Identify, identify } from '@libp2p/identify'
import type { ComponentLogger, Libp2p, PrivateKey, Startable } from '@libp2p/interface'
import type { TransportManager } from '@libp2p/interface-internal'
import { type KadDHT, type KadDHTComponents, kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { mdns } from '@libp2p/mdns'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { type Ping, ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { equals } from 'uint8arrays/equals'
import { Dialler } from '../dial-back/dialler.ts'
import { announced, byDialOrder, without } from './addresses.ts'
import * as constants from './constants.ts'
import { impatientNearby } from './nearby.ts'
import { boundRecords } from './provider-records.ts'
import { Reachability } from './reachability.ts'
import { relayPlaces } from './relay-service.ts'
import { type CircuitComponents, withoutSearch } from './reservations.ts'
import type { AnyTransport, MadeTransport } from './webrtc.ts'
import { safeWebSockets } from './websockets.ts'

export { addrOfUrl } from './addresses.ts'
export { RELAYS_PER_WORKER } from './constants.ts'
export { type IceServer, IceServers } from './ice-servers.ts'

// A type alias, not an interface: libp2p's ServiceMap asks for an index signature.
export type NodeServices = {
  identify: Identify
  ping: Ping
  gate: Startable
  /** dials one address by itself: libp2p's own dials to a peer join the one that is under way */
  transports: Pick<TransportManager, 'dial'>
  dialler: Dialler
  reachability: Reachability
  dht: KadDHT
  pubsub: GossipSub
}

export type Node = Libp2p<NodeServices>

export interface NodeInit {
  privateKey: PrivateKey
  mesh: string
  /** whose adverts the DHT keeps. @default everybody's: the mesh is open */
  trust?: Trust
  /** keeps what is for members from everybody else. @default one that lets everybody through */
  gate?: Gate
  /** relays let others be reached through them; clients only look and don't serve the DHT */
  role: 'worker' | 'relay' | 'client'
  /** multiaddrs to listen on; `/p2p-circuit` = keep a place on some of the relays to which there is a connection */
  listen: string[]
  /** multiaddrs to announce besides those found by listening */
  announce?: string[]
  /** further ones, first of all, which may change: asked each time; {@link announceAnew} spreads a change */
  publicAddrs?(): readonly string[]
  /** of `listen`, those that are of no use to others */
  noAnnounce?: string[]
  /** further ways to peers than TCP, WebSocket and circuits; `openWebRtc` makes those of WebRTC */
  transports?: MadeTransport[]
  /** find neighbours on the local network by multicast. @default false */
  mdns?: boolean
  /** have the network's router let connections in. @default false */
  upnp?: boolean
  logger?: ComponentLogger
  /** what this peer has found out about the gossip of another: 0, or how far below that. @default 0 */
  gossipScore?(peerId: string): number
}

const PLACES = Array.from({ length: constants.RELAYS_PER_WORKER }, () => '/p2p-circuit')

export async function createNode(init: NodeInit): Promise<Node> {
  const { mesh, role, trust = openTrust(init.mesh) } = init
  const gate = init.gate ?? createGate({ trust })
  const transports: AnyTransport[] = init.transports ?? []
  // Loaded only where it is wanted: it brings a reader of XML.
  const upnp = init.upnp === true ? (await import('./upnp.ts')).upnp() : undefined
  const self = peerIdFromPrivateKey(init.privateKey).toString()
  const offers = (peerId: string): boolean => mayProvide(gate.member(peerId))
  const places = relayPlaces({ offers })
  return createLibp2p<NodeServices>({
    privateKey: init.privateKey,
    start: false,
    addresses: {
      // libp2p reserves one place for each time that it stands there.
      listen: init.listen.flatMap(addr => (addr === '/p2p-circuit' ? PLACES : [addr])),
      appendAnnounce: init.announce ?? [],
      // libp2p has a setting for the second, but does nothing with it.
      announceFilter: addrs => {
        const reached = init.publicAddrs?.().map(addr => multiaddr(addr).encapsulate(`/p2p/${self}`)) ?? []
        const rest = without(addrs, [...(init.noAnnounce ?? []), ...reached.map(String)])
        return announced([...reached, ...rest], constants.MAX_ANNOUNCED_ADDRS)
      }
    },
    // TCP and WebSocket open connections and no more; the others speak protocols of their own, to relays and through them.
    transports: [
      impatientNearby(tcp()),
      impatientNearby(safeWebSockets()),
      gate.guard((components: CircuitComponents) => circuitRelayTransport()(withoutSearch(components))),
      ...transports.map(transport => gate.guard(transport))
    ],
    streamMuxers: [multiplexing()],
    connectionEncrypters: [encryption()],
    connectionManager: {
      inboundConnectionThreshold: constants.INBOUND_CONNECTIONS_PER_SECOND,
      maxIncomingPendingConnections: constants.MAX_PENDING_INBOUND,
      maxConnections: constants.MAX_CONNECTIONS,
      dialTimeout: constants.DIAL_TIMEOUT,
      addressSorter: byDialOrder
    },
    connectionGater: { denyInboundRelayReservation: places.denyInboundRelayReservation },
    // Ours pings only peers with a request in hand; the monitor would ping everybody and cut those it finds slow.
    connectionMonitor: { enabled: false },
    peerDiscovery: init.mdns === true ? [mdns({ serviceTag: `_hedgerow-${mesh}._udp.local` })] : [],
    ...(init.logger == null ? {} : { logger: init.logger }),
    services: {
      identify: identify(),
      // a connection that is silent, and others beside it, may be asked at once
      ping: ping({ maxOutboundStreams: 8 }),
      gate: gate.service(),
      transports: ({ transportManager }: { transportManager: TransportManager }) => ({
        dial: (addr, options) => transportManager.dial(addr, options)
      }),
      dialler: components => new Dialler(components),
      reachability: components => new Reachability(components),
      ...(upnp == null ? {} : { upnp }),
      dht: gate.guard((components: KadDHTComponents) =>
        kadDHT({
          protocol: dhtProtocol(mesh),
          clientMode: role === 'client',
          // The default drops private and loopback addresses; a mesh on one LAN has no others.
          peerInfoMapper: passthroughMapper,
          validators: { [DHT_NAMESPACE]: (key, value) => validateAdvert(trust, key, value) },
          selectors: { [DHT_NAMESPACE]: (_key, records) => newestAdvert(mesh, records) },
          reprovide: {
            validity: constants.PROVIDER_VALIDITY,
            threshold: constants.REPROVIDE_THRESHOLD,
            interval: constants.REPROVIDE_INTERVAL
          }
        })(boundRecords(components, peerId => peerId === self || offers(peerId)))
      ),
      pubsub: gate.guard(
        gossipsub({
          // Statements carry their author's signature themselves, so that pages and the DHT can check them too.
          globalSignaturePolicy: StrictNoSign,
          msgIdFn: message => createHash('sha256').update(message.data).digest().subarray(0, 20),
          allowPublishToZeroTopicPeers: true,
          ignoreDuplicatePublishError: true,
          maxInboundDataLength: constants.MAX_GOSSIP_RPC,
          runOnLimitedConnection: true,
          // Peers behind one tunnel share its address: ten of them would be taken for one attacker.
          scoreParams: { IPColocationFactorWeight: 0, appSpecificScore: init.gossipScore ?? (() => 0) }
        })
      ),
      ...(role === 'relay' ? { relay: gate.guard(places.service) } : {})
    }
  })
}

/** Tells those who are connected, by identify, which addresses this node has now. */
export async function announceAnew(node: Node): Promise<void> {
  const own = `/p2p/${node.peerId}`
  await node.peerStore.patch(node.peerId, { multiaddrs: node.getMultiaddrs().map(addr => addr.decapsulate(own)) })
}

/** Whether a multiaddr to listen on needs WebRTC. */
export function isWebRtc(addr: string): boolean {
  return /\/webrtc(-direct)?(\/|$)/.test(addr)
}

/** Clients offer nothing. */
function mayProvide(member: Member | undefined): boolean {
  return member?.credential.roles.some(role => role === 'worker' || role === 'relay') === true
}

/** A value lies under its author's own key, and its author may say what it says, or it isn't stored. */
async function validateAdvert(trust: Trust, key: Uint8Array, value: Uint8Array): Promise<void> {
  const statement = await openStatement(value, trust.mesh)
  if (statement.type !== 'advert') throw new Error(`a ${statement.type} is not kept in the DHT`)
  if (!equals(key, advertKey(peerIdFromString(statement.advert.peerId).toMultihash().bytes)))
    throw new Error("the advert is not its key's own")
  await believe(statement.advert, trust)
}

async function newestAdvert(mesh: string, records: Uint8Array[]): Promise<number> {
  let best = 0
  let newest = -1n
  for (const [index, record] of records.entries()) {
    const statement = await openStatement(record, mesh).catch(() => undefined)
    if (statement?.type !== 'advert' || statement.advert.sequence <= newest) continue
    newest = statement.advert.sequence
    best = index
  }
  return best
}
