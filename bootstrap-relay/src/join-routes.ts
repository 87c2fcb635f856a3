import type {} from '@fastify/swagger'
import { addrOfUrl } from '@hedgerow/daemon/node'
import type { Peer } from '@hedgerow/daemon/peer'
import { multiaddr } from '@multiformats/multiaddr'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'

export interface JoinComponents {
  peer: Peer
  mesh: string
}

/** Seconds after which a list of entry points is stale; peers that are silent for longer are not in it. */
const ENTRY_POINT_TTL = 120

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
            ...others.slice(0, 8).flatMap(({ advert }) => advert.addrs.filter(addr => !addr.includes('/p2p-circuit')))
          ]
        }
      }
    )

    const entryPoints = async (_request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
      const now = performance.now()
      const points = [...peer.view.peers()]
        .filter(
          ({ advert, lastSeen }) =>
            advert.url != null && (advert.peerId === peer.self.peerId || now - lastSeen < ENTRY_POINT_TTL * 1000)
        )
        .map(({ advert }) => ({
          worker_id: advert.name,
          peer_id: advert.peerId,
          access_url: advert.url,
          services:
            advert.role === 'relay'
              ? [...peer.view.services()]
                  .filter(({ name }) => peer.view.candidates(name).length > 0)
                  .map(({ name }) => name)
              : advert.services.map(({ contract }) => contract.name)
        }))
      const body = { entry_points: points, count: points.length, updated_at: new Date().toISOString() }
      if (points.length > 0) {
        reply.header('cache-control', 'public, max-age=60')
        return body
      }
      reply.header('cache-control', 'no-store')
      reply.header('retry-after', '10')
      return reply.code(503).send({ ...body, error: 'no peer of this mesh has a public address now' })
    }
    for (const path of ['/entry-points', '/api/entry-points'])
      app.get(path, { schema: { tags, summary: 'Public URLs at which the mesh can be entered' } }, entryPoints)
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
