import type { IncomingMessage } from 'node:http'
import { MeshError } from '@hedgerow/protocols/errors'
import { HEADERS } from '@hedgerow/protocols/ids'
import { LLM_SERVICE, modelResource, modelsIn, timeoutOf, unknownModel } from '@hedgerow/protocols/ingress'
import type { View } from '@hedgerow/protocols/view'
import type { FastifyPluginAsync } from 'fastify'
import { enter, type IngressComponents, pathOf, visitOf, wholeBodyOf } from '../ingress/index.ts'
import { OPENAI_BODIES, OPENAI_BODY_LIMIT } from './constants.ts'
import { sendProblem } from './problem.ts'

export interface OpenaiComponents extends IngressComponents {
  view: View
}

/** OpenAI's API over the mesh: the body's `model` decides which workers may answer. */
export function openaiRoutes(components: OpenaiComponents): FastifyPluginAsync {
  const { view } = components
  let held = 0
  /** @throws {MeshError} Busy */
  const reserve = ({ headers }: IncomingMessage): (() => void) => {
    const length = headers['content-length']
    const size = length != null ? Number(length) : headers['transfer-encoding'] == null ? 0 : OPENAI_BODY_LIMIT
    // One that is too large is refused for that.
    if (size > OPENAI_BODY_LIMIT) return () => {}
    if (held + size > OPENAI_BODIES)
      throw new MeshError('Busy', 'this peer holds as many long prompts as it can; come back in a few seconds', {
        retry_after: 5,
        retry_safe: true
      })
    held += size
    return () => {
      held -= size
    }
  }
  return async app => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, _payload, done) => done(null))
    app.setErrorHandler((err, request, reply) => sendProblem(request, reply, err, openaiWording))
    const tags = ['openai']

    app.get('/v1/models', { schema: { tags, summary: 'Models loaded anywhere in the mesh' } }, async () => ({
      object: 'list',
      data: [...modelsIn(view)].map(modelJson)
    }))
    // Names of models hold slashes.
    app.get<{ Params: { '*': string } }>('/v1/models/*', { schema: { tags, summary: 'One model' } }, async request => {
      const id = request.params['*']
      const known = modelsIn(view)
      const workers = known.get(id)
      if (workers == null) throw unknownModel(id, known)
      return modelJson([id, workers])
    })

    app.route({
      method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
      url: '/v1/*',
      schema: { hide: true },
      config: { streamed: true },
      handler: async (request, reply) => {
        const startedAt = performance.now()
        const path = pathOf(request.raw.url)
        const timeout = timeoutOf(single(request.headers[HEADERS.timeout]))
        const bounds = timeout == null ? {} : { deadline: startedAt + timeout }
        const release = reserve(request.raw)
        try {
          const body = await wholeBodyOf(request.raw, OPENAI_BODY_LIMIT, bounds)
          const isJson = request.headers['content-type']?.includes('json') === true
          const resource = body != null && isJson ? modelResource(view, new TextDecoder().decode(body)) : undefined
          await enter({ ...components, wording: openaiWording }, visitOf(request, reply), {
            service: LLM_SERVICE,
            path,
            startedAt,
            ...(body == null ? {} : { body }),
            ...(resource == null ? {} : { resource })
          })
        } finally {
          release()
        }
      }
    })
  }
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

function modelJson([id, workers]: [string, string[]]): object {
  return { id, object: 'model', created: 0, owned_by: 'hedgerow', workers }
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
