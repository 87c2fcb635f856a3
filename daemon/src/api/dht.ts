import { MeshError } from '@hedgerow/protocols/errors'
import { type Provided, providerCid } from '@hedgerow/protocols/ids'
import type { View } from '@hedgerow/protocols/view'
import type { FastifyPluginAsync } from 'fastify'
import type { Directory } from '../discovery/index.ts'
import type { Node } from '../node/index.ts'
import { advertJson } from './advert-json.ts'
import { bounded } from './bounded.ts'
import { MAX_WALKS } from './constants.ts'

export interface DhtComponents {
  node: Node
  directory: Directory
  view: View
  mesh: string
}

/** Milliseconds that a walk for an inspector may take: it wants all providers, not the first. */
const WALK_TIMEOUT = 5000
const MAX_PROVIDERS = 256

export function dhtRoutes({ node, directory, view, mesh }: DhtComponents): FastifyPluginAsync {
  const { dht } = node.services
  const routingPeers = async (): Promise<Array<{ peer_id: string; addrs: string[]; connected: boolean }>> => {
    const connected = new Set(node.getPeers().map(peer => peer.toString()))
    const peers = await node.peerStore.all({ limit: 1000 })
    return peers
      .filter(
        ({ protocols, id }) => protocols.some(protocol => protocol.includes('/kad/')) || connected.has(id.toString())
      )
      .map(({ id, addresses }) => ({
        peer_id: id.toString(),
        addrs: addresses.map(({ multiaddr }) => multiaddr.toString()),
        connected: connected.has(id.toString())
      }))
  }

  const inBounds = bounded(MAX_WALKS, 'walks in the DHT')
  const providersOf = async (what: Provided): Promise<Array<{ peer_id: string; addrs: string[] }>> => {
    const found: Array<{ peer_id: string; addrs: string[] }> = []
    const signal = AbortSignal.timeout(WALK_TIMEOUT)
    for await (const { id, multiaddrs } of directory.providers(what, signal)) {
      const advertised = view.peer(id.toString())?.advert.addrs ?? []
      found.push({
        peer_id: id.toString(),
        addrs: multiaddrs.length > 0 ? multiaddrs.map(addr => addr.toString()) : advertised
      })
      if (found.length === MAX_PROVIDERS) break
    }
    return found
  }

  return async app => {
    const tags = ['dht']
    app.get('/api/dht/stats', { schema: { tags, summary: 'The DHT as this peer sees it' } }, async () => {
      const peers = await routingPeers()
      return {
        peer_id: node.peerId.toString(),
        mesh,
        mode: dht.getMode(),
        routing_table_size: 'routingTable' in dht && hasSize(dht.routingTable) ? dht.routingTable.size : peers.length,
        connected_peers: node.getPeers().length,
        k: dht.k,
        alpha: dht.a
      }
    })

    app.get('/api/dht/topology', { schema: { tags, summary: 'Peers in the DHT and who is connected' } }, async () => {
      const peers = await routingPeers()
      return {
        peer_id: node.peerId.toString(),
        peers: peers.map(peer => ({
          ...peer,
          name: view.peer(peer.peer_id)?.advert.name ?? null,
          role: view.peer(peer.peer_id)?.advert.role ?? null
        })),
        connections: node.getConnections().map(({ remotePeer, remoteAddr, direction, limits }) => ({
          peer_id: remotePeer.toString(),
          addr: remoteAddr.toString(),
          direction,
          limited: limits != null
        })),
        count: peers.length
      }
    })

    app.get<{ Params: { service: string } }>(
      '/api/dht/providers/:service',
      { schema: { tags, summary: 'Who provides a service, walked afresh' } },
      async request => {
        const service = view.resolve(request.params.service) ?? request.params.service
        const providers = await inBounds(() => providersOf(`service:${service}`))
        return {
          service,
          cid: (await providerCid(`service:${service}`)).toString(),
          providers,
          count: providers.length
        }
      }
    )

    app.get(
      '/api/dht/entry-points',
      { schema: { tags, summary: 'Who is an entry point, as the DHT has it; walked afresh' } },
      async () => {
        const providers = await inBounds(() => providersOf('entry-point'))
        return { cid: (await providerCid('entry-point')).toString(), providers, count: providers.length }
      }
    )

    app.get<{ Params: { peer: string } }>(
      '/api/dht/adverts/:peer',
      { schema: { tags, summary: "A peer's advert, fetched from the DHT" } },
      async request => {
        const { peer } = request.params
        const found = await inBounds(() => directory.fetchAdvert(peer, AbortSignal.timeout(WALK_TIMEOUT)))
        const advert = view.peer(peer)?.advert
        if (!found || advert == null)
          throw new MeshError('UnknownPeer', `the DHT has no advert of ${peer.slice(0, 80)}`)
        return { peer_id: peer, advert: advertJson(advert) }
      }
    )

    app.get(
      '/api/dht/bootstrap',
      { schema: { tags, summary: 'Multiaddrs by which others can join through this peer' } },
      async () => ({
        mesh,
        peers: node.getMultiaddrs().map(addr => addr.toString())
      })
    )
  }
}

function hasSize(value: unknown): value is { size: number } {
  return typeof value === 'object' && value != null && 'size' in value && typeof value.size === 'number'
}
