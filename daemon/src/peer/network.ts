import type { Role } from '@hedgerow/protocols/advert'
import type { Finder, Pinger } from '@hedgerow/protocols/dispatch'
import { createForwarder, type Forwarder } from '@hedgerow/protocols/forward/node'
import { createGate, type Gate, type Refusal } from '@hedgerow/protocols/gate'
import { createInvoker, type InvokerComponents, type NodeInvoker } from '@hedgerow/protocols/invocation/node'
import { createLedger, type Ledger } from '@hedgerow/protocols/ledger'
import { openTrust } from '@hedgerow/protocols/membership'
import { createPinger } from '@hedgerow/protocols/ping'
import { createView, type View } from '@hedgerow/protocols/view'
import type { Connection } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Logger } from 'pino'
import {
  Bootstrapper,
  createFinder,
  Directory,
  DirectWays,
  Following,
  Gossip,
  KnownPeers,
  PassersBy,
  Relays,
  reach,
  Senders,
  SnapshotReader
} from '../discovery/index.ts'
import { loadCertificate } from '../identity/index.ts'
import { forwardLibp2pLog } from '../logging/index.ts'
import { createNode, IceServers, isWebRtc, type Node, RELAYS_PER_WORKER } from '../node/index.ts'
import type { MadeTransport } from '../node/webrtc.ts'
import type { PeerConfig } from './index.ts'
import { RefusalCounts } from './refusals.ts'

/** Everything by which a peer hears of others and reaches them; the lower half of a peer. */
export interface Network {
  readonly node: Node
  readonly gate: Gate
  readonly refusals: RefusalCounts
  readonly iceServers: IceServers
  readonly view: View
  readonly ledger: Ledger
  readonly gossip: Gossip
  readonly directory: Directory
  readonly finder: Finder
  readonly following: Following
  /** asks whether a member is there, by the ways that requests take */
  readonly pinger: Pinger
  readonly invoker: NodeInvoker
  readonly forwarder: Forwarder
  start(): Promise<void>
  stop(): Promise<void>
}

const SWEEP_INTERVAL = 5000

/** Relays to stay connected to. All of them know each other, up to as many as one names to newcomers. */
const RELAYS_WANTED: Record<Role, number> = { relay: 8, worker: RELAYS_PER_WORKER, client: 0 }

const FOLLOWS_ALL: Record<Role, boolean> = { relay: true, worker: false, client: false }

export interface NetworkConfig extends PeerConfig {
  /** multiaddrs of its public URL, which may change */
  publicAddrs(): readonly string[]
}

export async function createNetwork(config: NetworkConfig, log: Logger): Promise<Network> {
  const { mesh, role, trust = openTrust(mesh) } = config
  const refusals = new RefusalCounts()
  const gate = createGate({
    trust,
    onRefusal: refusal => {
      refusals.add(refusal)
      logRefusal(refusal, log)
    }
  })
  const iceServers = new IceServers(config.iceServers)
  const transports = await openWebRtc(config, iceServers, log)
  const senders = new Senders({ now: () => performance.now() })
  const node = await createNode({
    ...config,
    trust,
    gate,
    transports,
    listen: transports.length > 0 ? config.listen : config.listen.filter(addr => !isWebRtc(addr)),
    logger: forwardLibp2pLog(log),
    gossipScore: peerId => senders.score(peerId)
  })
  const self = node.peerId.toString()
  const view = createView({ now: () => performance.now() })
  const ledger = createLedger({ mesh, view, trust })
  const gossip = new Gossip({ pubsub: node.services.pubsub, ledger, trust, senders, mesh, log })
  const directory = new Directory({ dht: node.services.dht, ledger, log })
  const finder = createFinder({ directory, view, self })
  const clock = { now: () => performance.now(), random: Math.random }
  const directWays = transports.length === 0 ? undefined : new DirectWays({ node, view, log, ...clock })
  const members = membersOf(node, gate, view, directWays)
  const invoker = createInvoker(members)
  const forwarder = createForwarder(members, { mesh })
  const following = new Following({ node, gossip, finder, view, log }, { all: FOLLOWS_ALL[role] })
  const passersBy = new PassersBy({ node, view, log })
  const knownPeers = new KnownPeers({ node, gate, log }, config.dataDir)
  const snapshots = new SnapshotReader({ node, gate, invoker, ledger, trust, log })
  const bootstrapper = new Bootstrapper(
    { node, log },
    { relays: config.relays, remembered: () => knownPeers.addrs(), onIceServers: servers => iceServers.learn(servers) }
  )
  const relays = new Relays({ node, view, log, ...clock }, { wanted: RELAYS_WANTED[role] })
  let sweeper: NodeJS.Timeout | undefined

  return {
    node,
    gate,
    refusals,
    iceServers,
    view,
    ledger,
    gossip,
    directory,
    finder,
    following,
    pinger: pingerOf(members),
    invoker,
    forwarder,
    async start() {
      await node.start()
      passersBy.start()
      await knownPeers.start()
      gossip.start()
      following.start()
      snapshots.start()
      bootstrapper.start()
      relays.start()
      sweeper = setInterval(() => {
        view.sweep()
        ledger.sweep()
      }, SWEEP_INTERVAL)
    },
    async stop() {
      clearInterval(sweeper)
      bootstrapper.stop()
      relays.stop()
      directWays?.stop()
      snapshots.stop()
      following.stop()
      await knownPeers.stop()
      passersBy.stop()
      invoker.stop()
      ledger.stop()
      await node.stop()
    }
  }
}

/** The node as the invoker sees it: a connection is one when its other side has proven to be a member. */
function membersOf(node: Node, gate: Gate, view: View, directWays: DirectWays | undefined): InvokerComponents {
  return {
    getConnections: peer => (gate.isMember(peer.toString()) ? node.getConnections(peer) : []),
    relayed: peer => directWays?.want(peer),
    async dial(peer, options) {
      // One that is open and has yet to prove itself will be usable sooner than another.
      const connection = await reach({ node, view }, peer, options)
      await gate.proven(connection, options.signal)
      return connection
    }
  }
}

/** Whoever is not connected is reached first. */
function pingerOf(members: InvokerComponents): Pinger {
  const connectionsTo = (peer: string): Connection[] => members.getConnections(peerIdFromString(peer))
  const pinger = createPinger({ connectionsTo })
  return {
    async ping(peer, signal) {
      if (connectionsTo(peer).length === 0) await members.dial(peerIdFromString(peer), { signal })
      return pinger.ping(peer, signal)
    }
  }
}

function logRefusal({ peerId, error, by }: Refusal, log: Logger): void {
  const details = { peer: peerId, fault: error.fault, reason: error.message }
  if (by === 'them') log.warn(details, 'a peer refuses this one; `hedgerow mesh show` explains its credential')
  else log.info(details, 'refused a peer')
}

/** Loaded only where the peer listens on it: a native library of 9 MB, which not every platform has. */
async function openWebRtc(
  { listen, dataDir }: PeerConfig,
  iceServers: IceServers,
  log: Logger
): Promise<MadeTransport[]> {
  if (!listen.some(isWebRtc)) return []
  try {
    const { webRtcTransports } = await import('../node/webrtc.ts')
    return webRtcTransports({ iceServers, certificate: await loadCertificate(dataDir, log) })
  } catch (err) {
    log.warn({ err }, 'no WebRTC on this machine: pages reach this peer through relays only')
    return []
  }
}
