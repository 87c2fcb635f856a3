import type { MeshError } from '@hedgerow/protocols/errors'
import { LLM_SERVICE, modelResource, modelsIn } from '@hedgerow/protocols/ingress'
import type { View } from '@hedgerow/protocols/view'
import type { FastifyPluginAsync } from 'fastify'
import { enter, type IngressComponents, pathOf } from '../ingress/index.ts'
import { sendProblem } from './problem.ts'

/** Bytes: prompts with images in them; the one body that an ingress reads itself. */
const BODY_LIMIT = 32 * 1024 * 1024

export interface OpenaiComponents extends IngressComponents {
  view: View
}

/** OpenAI's API over the mesh: the body's `model` decides which workers may answer. */
export function openaiRoutes(components: OpenaiComponents): FastifyPluginAsync {
  const { view } = components
  return async app => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_LIMIT }, (_request, body, done) =>
      done(null, body)
    )
    app.setErrorHandler((err, request, reply) => sendProblem(request, reply, err, openaiWording))
    const schema = { tags: ['openai'], summary: "OpenAI's API, dispatched by model" }

    app.get('/v1/models', { schema: { ...schema, summary: 'Models loaded anywhere in the mesh' } }, async () => ({
      object: 'list',
      data: [...modelsIn(view)].map(([id, workers]) => ({
        id,
        object: 'model',
        created: 0,
        owned_by: 'hedgerow',
        workers
      }))
    }))

    app.route({
      method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
      url: '/v1/*',
      schema,
      handler: async (request, reply) => {
        const path = pathOf(request.raw.url)
        const body = Buffer.isBuffer(request.body) ? request.body : undefined
        const isJson = request.headers['content-type']?.includes('json') === true
        const resource = body != null && isJson ? modelResource(view, body.toString()) : undefined
        await enter({ ...components, wording: openaiWording }, request, reply, {
          service: LLM_SERVICE,
          path,
          ...(body == null ? {} : { body }),
          ...(resource == null ? {} : { resource })
        })
      }
    })
  }
}

/** Problem details with what OpenAI's clients look for in an error; without it they say nothing but the status. */
function openaiWording(error: MeshError): object {
  const { status, code, message } = error
  const type = status === 429 ? 'rate_limit_error' : status < 500 ? 'invalid_request_error' : 'server_error'
  return {
    ...error.toProblem(),
    error: { message, type, code: code === 'UnknownModel' ? 'model_not_found' : code, param: null }
  }
}
