import { MeshError } from '@hedgerow/protocols/errors'
import { CredentialError, MAX_CHAIN_LENGTH, MAX_TOKEN, type Trust } from '@hedgerow/protocols/membership'
import { Rates } from '@hedgerow/protocols/rate'
import type { View } from '@hedgerow/protocols/view'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import type { Issuer, Membership } from '../membership/index.ts'
import { REVOCATION_RATE } from './constants.ts'

export interface MeshComponents {
  membership: Membership
  /** undefined on a peer that enrols nobody */
  issuer: Issuer | undefined
  view: View
}

/** `GET /api/mesh`: which mesh this is, what this peer is in it, and how many others there are. For its owner. */
export function meshRoutes({ membership, issuer, view }: MeshComponents): FastifyPluginAsync {
  return async app => {
    app.get(
      '/api/mesh',
      { schema: { tags: ['mesh'], summary: "Which mesh this is, and this peer's place in it" } },
      async () => {
        const { mesh, closed, authority = null, trust } = membership
        const peers = [...view.peers()]
        return {
          mesh,
          closed,
          authority,
          credential: membership.credential() ?? null,
          issuer: membership.isIssuer,
          counts: {
            relays: peers.filter(({ advert }) => advert.role === 'relay').length,
            workers: peers.filter(({ advert }) => advert.role === 'worker').length,
            revocations: trust.revocations().length,
            redemptions: issuer?.redemptions ?? 0
          }
        }
      }
    )
  }
}

export interface RevocationComponents {
  trust: Trust
  /** tells the others */
  spread(token: string): Promise<void>
  /** who is counted as one */
  addressOf(request: FastifyRequest): string
}

/**
 * `POST /api/admin/revocations {revocation}`: takes a revocation and spreads it. Its signature is all the right that is
 * needed, so anybody may bring one.
 */
export function revocationRoutes({ trust, spread, addressOf }: RevocationComponents): FastifyPluginAsync {
  const rates = new Rates({ ...REVOCATION_RATE, now: () => performance.now() })
  return async app => {
    app.post<{ Body: { revocation: string } }>(
      '/api/admin/revocations',
      {
        schema: {
          tags: ['mesh'],
          summary: 'Takes a signed revocation and spreads it; its signature is the right',
          body: {
            type: 'object',
            required: ['revocation'],
            properties: { revocation: { type: 'string', maxLength: MAX_TOKEN + 1 + MAX_CHAIN_LENGTH } }
          }
        }
      },
      async (request, reply) => {
        if (trust.authority == null)
          throw new MeshError('Forbidden', 'this mesh is open: there is nothing that could be taken from anybody')
        if (!rates.take(addressOf(request)))
          throw new MeshError('RateLimited', 'too many revocations at once; wait a little', { retry_after: 1 })
        const { revocation } = request.body
        try {
          const news = await trust.revoke(revocation)
          // Repeated on purpose: whoever sends it again may have found that it didn't arrive everywhere.
          await spread(revocation)
          return reply.code(news ? 201 : 200).send({ news, revocations: trust.revocations().length })
        } catch (err) {
          if (err instanceof CredentialError) throw new MeshError('Forbidden', err.message, {}, { cause: err })
          throw err
        }
      }
    )
  }
}
