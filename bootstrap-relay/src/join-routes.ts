import type {} from '@fastify/swagger'
import { bestByPeer, type ProvedEntry } from '@hedgerow/daemon/entry'
import { addrOfUrl } from '@hedgerow/daemon/node'
import type { Peer } from '@hedgerow/daemon/peer'
import type { View } from '@hedgerow/protocols/view'
import { multiaddr } from '@multiformats/multiaddr'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'

export interface JoinComponents {
  peer: Peer
  mesh: string
}

/** What a newcomer asks a relay: `/bootstrap` for peers, `/entry-points` for frontends. */
export function joinRoutes({ peer, mesh }: JoinComponents): FastifyPluginAsync {
  const ownAddrs = (request: FastifyRequest): string[] => {
    const announced = peer.node.getMultiaddrs().map(addr => addr.toString())
    const reached = asReached(request, peer.self.peerId)
    return reached == null ? announced : [reached, ...announced.filter(addr => addr !== reached)]
  }

  return async app => {
    const tags = ['join']
    app.get(
      '/bootstrap',
      { schema: { tags, summary: 'Which mesh this is, multiaddrs to join it, and its STUN and TURN servers' } },
      async (request, reply) => {
        reply.header('cache-control', 'no-store')
        const others = [...peer.view.peers()].filter(
          ({ advert, silent }) => advert.role === 'relay' && !silent && advert.peerId !== peer.self.peerId
        )
        return {
          mesh,
          ...(peer.membership.authority == null ? {} : { authority: peer.membership.authority }),
          ice_servers: peer.iceServers(),
          peers: [
            ...ownAddrs(request),
            ...others.slice(0, 8).flatMap(({ advert }) => advert.addrs.filter(addr => !addr.includes('/p2p-circuit'))),
            ...workersToEnterBy(peer)
          ]
        }
      }
    )

    const entryPoints = async (_request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
      const points = bestByPeer(peer.entryPoints.list()).map(point => entryRow(peer.view, point))
      const body = { entry_points: points, count: points.length, updated_at: new Date().toISOString() }
      if (points.length > 0) {
        reply.header('cache-control', 'public, max-age=60')
        return body
      }
      reply.header('cache-control', 'no-store')
      reply.header('retry-after', '10')
      return reply.code(503).send({
        ...body,
        error:
          'no peer of this mesh has a URL at which another has reached it; `entry_point` in the /health of relays says what is wrong'
      })
    }
    for (const path of ['/entry-points', '/api/entry-points'])
      app.get(path, { schema: { tags, summary: 'Public URLs at which the mesh can be entered' } }, entryPoints)
  }
}

/** Workers that others have reached from outside: a way in when no relay is left. */
function workersToEnterBy({ entryPoints, view }: Peer): string[] {
  return entryPoints
    .list()
    .filter(({ peerId, kind }) => kind !== 'local' && view.peer(peerId)?.advert.role === 'worker')
    .slice(0, 8)
    .map(({ addr, peerId }) => `${addr}/p2p/${peerId}`)
}

/** A relay dispatches to whatever anybody offers. */
function entryRow(view: View, { peerId, url, kind, provedAt, lastSeen }: ProvedEntry & { url: string }): object {
  const advert = view.peer(peerId)?.advert
  const services =
    advert?.role === 'worker'
      ? advert.services.map(({ contract }) => contract.name)
      : [...view.services()].filter(({ name }) => view.candidates(name).length > 0).map(({ name }) => name)
  return {
    worker_id: advert?.name ?? peerId,
    peer_id: peerId,
    access_url: url,
    kind,
    services: services.sort(),
    verified_at: new Date(provedAt).toISOString(),
    seconds_silent: Math.round((performance.now() - lastSeen) / 1000)
  }
}

/** The address by which this request came: it works for its sender, whatever tunnel or name was in between. */
function asReached(request: FastifyRequest, peerId: string): string | undefined {
  const { host } = request.headers
  const url = host == null ? null : URL.parse(`${isSecure(request) ? 'https' : 'http'}://${host}`)
  if (url == null) return undefined
  try {
    return multiaddr(`${addrOfUrl(url)}/p2p/${peerId}`).toString()
  } catch {
    return undefined
  }
}

/** The hop nearest to the client comes first in the list. */
function isSecure({ headers }: FastifyRequest): boolean {
  return (
    String(headers['x-forwarded-proto'] ?? '')
      .split(',')[0]
      ?.trim() === 'https'
  )
}
