import { MeshError } from '@hedgerow/protocols/errors'
import type { View } from '@hedgerow/protocols/view'
import type { FastifyPluginAsync } from 'fastify'
import { enter, type IngressComponents, pathOf } from '../ingress/index.ts'
import { sendProblem } from './problem.ts'

const SERVICE = 'llm-inference'
const MODEL = 'model/'
/** Bytes: prompts with images in them; the one body that an ingress reads itself. */
const BODY_LIMIT = 32 * 1024 * 1024

export interface OpenaiComponents extends IngressComponents {
  view: View
}

/** OpenAI's API over the mesh: the body's `model` decides which workers may answer. */
export function openaiRoutes(components: OpenaiComponents): FastifyPluginAsync {
  const { view } = components
  const models = (): Map<string, string[]> => {
    const found = new Map<string, string[]>()
    for (const { peerId, offer } of view.candidates(SERVICE)) {
      for (const resource of offer.resources) {
        if (!resource.startsWith(MODEL)) continue
        const id = resource.slice(MODEL.length)
        found.set(id, [...(found.get(id) ?? []), peerId])
      }
    }
    return found
  }

  /** @throws {MeshError} when workers are there, but none has the model */
  const resourceFor = (body: Buffer): string | undefined => {
    let parsed: unknown
    try {
      parsed = JSON.parse(body.toString())
    } catch {
      throw new MeshError('Malformed', 'the body is not valid JSON')
    }
    if (typeof parsed !== 'object' || parsed == null || Array.isArray(parsed))
      throw new MeshError('Malformed', 'the body is not a JSON object')
    if (!('model' in parsed) || parsed.model == null) return undefined
    if (typeof parsed.model !== 'string') throw new MeshError('Malformed', 'model is not a string')
    const known = models()
    if (known.size > 0 && !known.has(parsed.model)) {
      throw unknownModel(parsed.model, known)
    }
    return MODEL + parsed.model
  }

  return async app => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_LIMIT }, (_request, body, done) =>
      done(null, body)
    )
    app.setErrorHandler((err, request, reply) => sendProblem(request, reply, err, openaiWording))
    const tags = ['openai']

    app.get('/v1/models', { schema: { tags, summary: 'Models loaded anywhere in the mesh' } }, async () => ({
      object: 'list',
      data: [...models()].map(modelJson)
    }))
    // Names of models hold slashes.
    app.get<{ Params: { '*': string } }>('/v1/models/*', { schema: { tags, summary: 'One model' } }, async request => {
      const id = request.params['*']
      const known = models()
      const workers = known.get(id)
      if (workers == null) throw unknownModel(id, known)
      return modelJson([id, workers])
    })

    app.route({
      method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
      url: '/v1/*',
      schema: { hide: true },
      handler: async (request, reply) => {
        const path = pathOf(request.raw.url)
        const body = Buffer.isBuffer(request.body) ? request.body : undefined
        const isJson = request.headers['content-type']?.includes('json') === true
        const resource = body != null && isJson ? resourceFor(body) : undefined
        await enter({ ...components, wording: openaiWording }, request, reply, {
          service: SERVICE,
          path,
          ...(body == null ? {} : { body }),
          ...(resource == null ? {} : { resource })
        })
      }
    })
  }
}

type Models = ReadonlyMap<string, string[]>

function modelJson([id, workers]: [string, string[]]): object {
  return { id, object: 'model', created: 0, owned_by: 'hedgerow', workers }
}

function unknownModel(name: string, known: Models): MeshError {
  const others = known.size === 0 ? 'no model is loaded' : `there are: ${[...known.keys()].slice(0, 20).join(', ')}`
  const detail = `no worker has the model ${JSON.stringify(name.slice(0, 100))} loaded; ${others}`
  return new MeshError('UnknownModel', detail, { service: SERVICE })
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
