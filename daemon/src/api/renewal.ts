import { MeshError } from '@hedgerow/protocols/errors'
import { remotePeerOf } from '@hedgerow/protocols/invocation/node'
import { MAX_CHAIN_LENGTH } from '@hedgerow/protocols/membership'
import { Rates } from '@hedgerow/protocols/rate'
import type { FastifyPluginAsync } from 'fastify'
import { type Issuer, RENEWAL_PATH } from '../membership/index.ts'
import { RENEWAL_RATE } from './constants.ts'

/** `POST /credential/renew {credential}`, for other peers: the connection proves who asks. */
export function renewalRoutes({ issuer }: { issuer: Issuer }): FastifyPluginAsync {
  const rates = new Rates({ ...RENEWAL_RATE, now: () => performance.now() })
  return async app => {
    app.post<{ Body: { credential: string } }>(
      RENEWAL_PATH,
      {
        config: { everybody: true },
        schema: {
          hide: true,
          body: {
            type: 'object',
            required: ['credential'],
            properties: { credential: { type: 'string', maxLength: MAX_CHAIN_LENGTH } }
          }
        }
      },
      async request => {
        const peerId = remotePeerOf(request.raw)
        if (peerId == null) throw new MeshError('Unauthorized', 'credentials are renewed over the mesh only')
        if (!rates.take(peerId))
          throw new MeshError('RateLimited', 'this peer asks for renewals too often', { retry_after: 60 })
        const { credential, expiresAt } = await issuer.renew(request.body.credential, peerId)
        return { credential, expires_at: new Date(expiresAt * 1000).toISOString() }
      }
    )
  }
}
