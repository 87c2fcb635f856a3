import { MeshError } from '@hedgerow/protocols/errors'
import { remotePeerOf } from '@hedgerow/protocols/invocation/node'
import type { FastifyPluginAsync } from 'fastify'
import { toString as encode } from 'uint8arrays/to-string'
import { DIAL_BACK_PATH, type DialBack, type DialBackAnswer, MAX_DIAL_BACK_ADDR } from '../dial-back/index.ts'

/** `POST /dial-back {addr}`, for other workers and relays: dials whoever asks, and says whether it was there. */
export function dialBackRoutes({ dialBack }: { dialBack: Pick<DialBack, 'answer'> }): FastifyPluginAsync {
  return async app => {
    app.post<{ Body: { addr: string } }>(
      DIAL_BACK_PATH,
      {
        schema: {
          hide: true,
          body: {
            type: 'object',
            required: ['addr'],
            properties: { addr: { type: 'string', maxLength: MAX_DIAL_BACK_ADDR } }
          }
        }
      },
      async (request): Promise<DialBackAnswer> => {
        const peerId = remotePeerOf(request.raw)
        if (peerId == null)
          throw new MeshError('Unauthorized', 'peers are dialled back when they ask over the mesh only')
        const result = await dialBack.answer(peerId, request.body.addr)
        return result.outcome === 'reached' ? { ...result, vouch: encode(result.vouch, 'base64pad') } : result
      }
    )
  }
}
