import type { Dispatcher } from '@hedgerow/protocols/dispatch'
import { MeshError } from '@hedgerow/protocols/errors'
import type { FastifyPluginAsync } from 'fastify'

export function explainRoutes({ dispatcher }: { dispatcher: Pick<Dispatcher, 'explain'> }): FastifyPluginAsync {
  return async app => {
    app.get<{ Params: { id: string } }>(
      '/explain/:id',
      { schema: { tags: ['dispatch'], summary: 'Why a request went where it went' } },
      async request => {
        const explanation = dispatcher.explain(request.params.id)
        if (explanation == null) {
          throw new MeshError(
            'UnknownRequest',
            `this peer has no record of request ${request.params.id.slice(0, 64)}: ask the peer where the request entered; records are kept for ten minutes`
          )
        }
        return explanation
      }
    )
  }
}
