import { type Problem, type ServiceApp, ServiceError, serviceApp } from '@hedgerow/service-kit'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { asChat, ChatBody, CompletionBody, EmbeddingsBody, isPrompt } from './chat.ts'
import type { Config } from './config.ts'
import { forward } from './forward.ts'
import { defaultModel, findModel, type Task } from './models.ts'
import { Upstream, type UpstreamState } from './upstream.ts'

const VERSION = '0.1.0'
/** Bytes: pictures come inside chats */
const BODY_LIMIT = 20 * 1024 * 1024
const RETRY_AFTER = '10'

/** The service, ready to listen; healthy for as long as an upstream with a model answers. */
export async function llmService(config: Config): Promise<ServiceApp> {
  const upstream = new Upstream({
    ...config,
    onChange(state) {
      app.log.info(describe(state), state.up ? 'the upstream answers' : 'no upstream')
    }
  })
  const app = await serviceApp({
    name: 'llm-inference',
    version: VERSION,
    bodyLimit: BODY_LIMIT,
    ready: () => (upstream.state.up ? { ready: true } : { ready: false, reason: upstream.state.reason }),
    errorFields: openaiError,
    stats: () => ({ upstream: forStrangers(upstream.state) })
  })
  app.addHook('onListen', async () => {
    // not awaited: a server that doesn't answer must not keep this one from saying so
    void upstream.start()
  })
  app.addHook('onClose', async () => upstream.stop())

  app.post(
    '/v1/chat/completions',
    { schema: { summary: 'A chat, or {prompt} as frontends of before send it', body: ChatBody } },
    async (request, reply) => {
      const { body } = request
      if (body.messages == null && body.prompt == null) {
        throw new ServiceError(422, 'InvalidInput', 'the body needs "messages", or a "prompt"')
      }
      const addText = isPrompt(body)
      return answer(request, reply, {
        path: 'chat/completions',
        task: 'chat',
        body: addText ? asChat(body) : body,
        addText
      })
    }
  )

  app.post('/v1/completions', { schema: { summary: 'Text that goes on', body: CompletionBody } }, (request, reply) =>
    answer(request, reply, { path: 'completions', task: 'chat', body: request.body, addText: false })
  )

  app.post('/v1/embeddings', { schema: { summary: 'Vectors of texts', body: EmbeddingsBody } }, (request, reply) =>
    answer(request, reply, { path: 'embeddings', task: 'embeddings', body: request.body, addText: false })
  )

  app.get('/v1/models', { config: { probe: true } }, async (_request, reply) => ({
    object: 'list',
    data: required(reply).models
  }))

  app.get('/resources', { config: { probe: true } }, async () => ({
    resources: upstream.state.up ? upstream.state.models.map(({ id }) => `model/${id}`) : []
  }))

  return app

  async function answer(
    request: FastifyRequest,
    reply: FastifyReply,
    asked: { path: string; task: Task; body: { model?: string }; addText: boolean }
  ): Promise<unknown> {
    const model = await choose(reply, asked.task, asked.body.model)
    const { base } = required(reply)
    return forward(upstream, request, reply, { ...asked, base, body: { ...asked.body, model } }, config)
  }

  /** The upstream's name for the model that was asked for. */
  async function choose(reply: FastifyReply, task: Task, name: string | undefined): Promise<string> {
    const { models } = required(reply)
    if (name == null) {
      const chosen = defaultModel(models, task, config.defaultModel)
      if (chosen != null) return chosen
    } else {
      const known = findModel(models, name)
      if (known != null) return known
      // it may have been added a moment ago
      await upstream.look()
      const added = findModel(required(reply).models, name)
      if (added != null) return added
    }
    const ids = required(reply).models.map(({ id }) => id)
    const detail = `there is no model ${name ?? 'at all'}; there are: ${ids.join(', ')}`
    throw new ServiceError(404, 'UnknownModel', detail, { models: ids })
  }

  function required(reply: FastifyReply): Extract<UpstreamState, { up: true }> {
    const { state } = upstream
    if (state.up) return state
    reply.header('retry-after', RETRY_AFTER)
    throw new ServiceError(503, 'NoUpstream', 'the server with the models does not answer now')
  }
}

/** Where clients of OpenAI's API look for what went wrong. */
function openaiError({ status, code, detail }: Problem): Record<string, unknown> {
  const type = status === 429 ? 'rate_limit_error' : status < 500 ? 'invalid_request_error' : 'server_error'
  return { error: { message: detail, type, code: code === 'UnknownModel' ? 'model_not_found' : code, param: null } }
}

/** Without where it is: anybody in the mesh may ask, and a volunteer's network is nobody's business. */
function forStrangers(state: UpstreamState): Record<string, unknown> {
  return state.up ? { up: true, models: state.models.map(({ id }) => id) } : { up: false }
}

function describe(state: UpstreamState): Record<string, unknown> {
  return state.up ? { up: true, url: state.base, models: state.models.map(({ id }) => id) } : { ...state }
}
