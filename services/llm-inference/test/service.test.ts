import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { ServiceApp } from '@hedgerow/service-kit'
import { type Static, type TSchema, Type } from 'typebox'
import { Value } from 'typebox/value'
import { readConfig } from '../src/config.ts'
import { llmService } from '../src/service.ts'
import { OpenAiStandIn } from './openai-stand-in.ts'

const Problem = Type.Object({ status: Type.Integer(), code: Type.String(), detail: Type.String() })
const Chat = Type.Object({
  model: Type.String(),
  choices: Type.Array(Type.Object({ message: Type.Object({ content: Type.String() }) })),
  response: Type.Optional(Type.String()),
  text: Type.Optional(Type.String())
})
const FAILING = [
  'busy',
  'broken',
  'too-long',
  'never',
  'reset',
  'half',
  'half-stream',
  'stalled',
  'thinking',
  'nonsense',
  'endless'
]

describe('llm-inference', function () {
  this.timeout(20_000)
  let upstream: OpenAiStandIn
  let app: ServiceApp
  let url: string

  async function serve(env: Record<string, string> = {}): Promise<void> {
    app = await llmService(
      readConfig({
        LLM_UPSTREAM_URL: upstream.url,
        LLM_FIRST_BYTE_SECONDS: '0.5',
        LLM_BETWEEN_CHUNKS_SECONDS: '0.5',
        LLM_LOOK_SECONDS: '0.1',
        ...env
      })
    )
    url = await app.listen({ port: 0, host: '127.0.0.1' })
  }

  beforeEach(async () => {
    process.env.LOG_LEVEL = 'silent'
    upstream = new OpenAiStandIn()
    upstream.models.push(...FAILING)
    await upstream.start()
    await serve()
    await health(200)
  })
  afterEach(async () => {
    await app.close()
    await upstream.stop()
  })

  async function health(status: number): Promise<void> {
    for (let tries = 0; (await fetch(`${url}/health`)).status !== status; tries++) {
      if (tries > 200) assert.fail(`/health did not become ${status}`)
      await delay(25)
    }
  }

  const json = (body: unknown): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body)
  })
  const say = (content: string, model?: string, more = {}): RequestInit =>
    json({ model, messages: [{ role: 'user', content }], ...more })

  async function call<T extends TSchema>(schema: T, path: string, init: RequestInit, status = 200): Promise<Static<T>> {
    const response = await fetch(`${url}${path}`, init)
    const body: unknown = await response.json()
    assert.equal(response.status, status, JSON.stringify(body))
    return Value.Parse(schema, body)
  }
  const chat = (init: RequestInit): Promise<Static<typeof Chat>> => call(Chat, '/v1/chat/completions', init)
  const problem = async (init: RequestInit, status: number, path = '/v1/chat/completions'): Promise<string> =>
    (await call(Problem, path, init, status)).code

  describe('answering', () => {
    it('a chat, by the model that is named', async () => {
      const answer = await chat(say('hello there', 'echo', { temperature: 0.2, seed: 7 }))
      assert.equal(answer.choices[0]?.message.content, 'hello there')
      assert.equal(answer.response, undefined)
      assert.partialDeepStrictEqual(upstream.requests[0]?.body, { model: 'echo', temperature: 0.2, seed: 7 })
    })

    it('a chat that names no model, by the first that can chat', async () => {
      upstream.models = ['nomic-embed-text', 'rerank-x', 'llama3:latest', 'echo']
      await app.close()
      await serve()
      await health(200)
      assert.equal((await chat(say('hello'))).model, 'llama3:latest')
      assert.equal((await chat(say('hello', 'llama3'))).model, 'llama3:latest')
    })

    it('a chat that names no model, by the one that is set', async () => {
      await app.close()
      await serve({ LLM_DEFAULT_MODEL: 'nonsense-to-others' })
      upstream.models = ['echo', 'nonsense-to-others']
      await health(200)
      assert.equal((await chat(say('hello'))).model, 'nonsense-to-others')
    })

    it('a prompt of a frontend of before, with the text in a field of its own', async () => {
      const answer = await chat(
        json({ prompt: 'say this', system: 'be brief', max_tokens: 9, options: { temperature: 0 } })
      )
      assert.equal(answer.response, 'say this')
      assert.equal(answer.text, 'say this')
      assert.equal(answer.choices[0]?.message.content, 'say this')
      assert.deepEqual(upstream.requests[0]?.body, {
        model: 'echo',
        max_tokens: 9,
        temperature: 0,
        messages: [
          { role: 'system', content: 'be brief' },
          { role: 'user', content: 'say this' }
        ]
      })
    })

    it('embeddings, by the model that looks made for it, and completions', async () => {
      const { model } = await call(Type.Object({ model: Type.String() }), '/v1/embeddings', json({ input: 'text' }))
      assert.equal(model, 'nomic-embed-text')
      const Completion = Type.Object({ object: Type.Literal('text_completion') })
      await call(Completion, '/v1/completions', json({ prompt: 'once upon' }))
    })

    it('with a list of models, also as resources', async () => {
      const { data } = await call(
        Type.Object({ data: Type.Array(Type.Object({ id: Type.String(), owned_by: Type.String() })) }),
        '/v1/models',
        {}
      )
      assert.deepEqual(data[0], { id: 'echo', owned_by: 'x', object: 'model' })
      const { resources } = await call(Type.Object({ resources: Type.Array(Type.String()) }), '/resources', {})
      assert.deepEqual(resources.slice(0, 2), ['model/echo', 'model/nomic-embed-text'])
    })

    it("sends the API key, and nothing of the caller's credentials", async () => {
      upstream.apiKey = 'secret'
      await app.close()
      await serve({ LLM_API_KEY: 'secret' })
      await health(200)
      const init = say('hello', 'echo')
      await chat({ ...init, headers: { ...init.headers, authorization: 'Bearer of-the-caller', cookie: 'a=b' } })
      const sent = upstream.requests.at(-1)?.headers
      assert.equal(sent?.authorization, 'Bearer secret')
      assert.equal(sent?.cookie, undefined)
    })
  })

  describe('streaming', () => {
    it('passes each piece on as it comes', async () => {
      const response = await fetch(`${url}/v1/chat/completions`, say('one two three four', 'echo', { stream: true }))
      assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/)
      const pieces: string[] = []
      for await (const piece of response.body ?? []) pieces.push(Buffer.from(piece).toString('utf8'))
      assert.ok(pieces.length > 1)
      assert.match(pieces.join(''), /one[\s\S]*four[\s\S]*\[DONE\]/)
    })

    it('has begun to answer when the upstream has, before the first word', async () => {
      const gone = new AbortController()
      const response = await fetch(`${url}/v1/chat/completions`, {
        ...say('x', 'thinking', { stream: true }),
        signal: gone.signal
      })
      assert.equal(response.status, 200)
      gone.abort()
    })

    it("stops the upstream's work when the client leaves", async () => {
      const gone = new AbortController()
      const response = await fetch(`${url}/v1/chat/completions`, {
        ...say('x', 'endless', { stream: true }),
        signal: gone.signal
      })
      await response.body?.getReader().read()
      gone.abort()
      while (upstream.abandoned === 0) await delay(10)
    })

    it("stops the upstream's work when the client leaves before it began to answer", async () => {
      await app.close()
      await serve({ LLM_FIRST_BYTE_SECONDS: '600' })
      await health(200)
      const gone = new AbortController()
      const answer = fetch(`${url}/v1/chat/completions`, { ...say('x', 'never'), signal: gone.signal })
      while (upstream.requests.length === 0) await delay(10)
      gone.abort()
      await assert.rejects(answer)
      while (upstream.abandoned === 0) await delay(10)
    })

    it('lets a slow client slow the upstream down, and holds little meanwhile', async () => {
      const gone = new AbortController()
      const response = await fetch(`${url}/v1/chat/completions`, {
        ...say('x', 'endless', { stream: true }),
        signal: gone.signal
      })
      await response.body?.getReader().read()
      let before = -1
      while (before !== upstream.written) {
        before = upstream.written
        await delay(100)
      }
      // socket buffers on both hops, and no more
      assert.ok(before < 20_000_000, `${before} bytes`)
      gone.abort()
    })
  })

  describe('when the upstream fails', () => {
    it('passes on that it is busy, and for how long', async () => {
      const response = await fetch(`${url}/v1/chat/completions`, say('x', 'busy'))
      assert.equal(response.status, 429)
      assert.equal(response.headers.get('retry-after'), '17')
      const { code, detail } = Value.Parse(Problem, await response.json())
      assert.equal(code, 'UpstreamBusy')
      assert.match(detail, /three others/)
    })

    it("passes on what the caller did wrong, in the upstream's words", async () => {
      const Said = Type.Object({ error: Type.Object({ code: Type.Literal('context_length_exceeded') }) })
      await call(Said, '/v1/chat/completions', say('x', 'too-long'), 400)
    })

    it('answers 502 to a failure, a reset, and an answer that is none', async () => {
      assert.equal(await problem(say('x', 'broken'), 502), 'UpstreamFailed')
      assert.equal(await problem(say('x', 'reset'), 502), 'UpstreamFailed')
      assert.equal(await problem(json({ prompt: 'x', model: 'nonsense' }), 502), 'UpstreamFailed')
      assert.equal(await problem(json({ prompt: 'x', model: 'half' }), 502), 'UpstreamFailed')
    })

    it('answers 504 when nothing comes', async () => {
      assert.equal(await problem(say('x', 'never'), 504), 'UpstreamTimeout')
      assert.equal(upstream.abandoned, 1)
    })

    for (const model of ['half', 'half-stream', 'stalled']) {
      it(`resets the answer when the upstream's is ${model}, so that it doesn't look complete`, async () => {
        const response = await fetch(`${url}/v1/chat/completions`, say('x', model, { stream: true }))
        assert.equal(response.status, 200)
        await assert.rejects(response.text())
      })
    }

    it('works for the next request', async () => {
      for (const model of ['broken', 'reset', 'half', 'never']) {
        await fetch(`${url}/v1/chat/completions`, say('x', model))
          .then(response => response.text())
          .catch(() => undefined)
      }
      assert.equal((await chat(say('still here', 'echo'))).choices[0]?.message.content, 'still here')
    })

    it('is unhealthy for as long as the upstream is gone, and answers 503 with Retry-After', async () => {
      await upstream.stop()
      await health(503)
      const response = await fetch(`${url}/v1/chat/completions`, say('x'))
      assert.equal(response.status, 503)
      assert.ok(Number(response.headers.get('retry-after')) > 0)
      assert.equal(Value.Parse(Problem, await response.json()).code, 'NoUpstream')
      assert.equal(await problem({}, 503, '/v1/models'), 'NoUpstream')
      assert.deepEqual(
        (await call(Type.Object({ resources: Type.Array(Type.String()) }), '/resources', {})).resources,
        []
      )
      await upstream.start()
      await health(200)
      await chat(say('back'))
    })

    it('is unhealthy with a wrong API key, without a model, and when the list never comes', async () => {
      upstream.apiKey = 'changed'
      await health(503)
      upstream.apiKey = undefined
      await health(200)
      upstream.models = []
      await health(503)
      upstream.models = ['echo']
      await health(200)
      upstream.mute = true
      await health(503)
    })

    it('stays healthy while an upstream at work is too slow to list its models', async () => {
      const gone = new AbortController()
      const response = await fetch(`${url}/v1/chat/completions`, {
        ...say('x', 'endless', { stream: true }),
        signal: gone.signal
      })
      const reader = response.body?.getReader()
      upstream.mute = true
      const until = Date.now() + 3000
      while (Date.now() < until) {
        await reader?.read()
        assert.equal((await fetch(`${url}/health`)).status, 200)
      }
      gone.abort()
      await health(503)
    })
  })

  describe('on bad input', () => {
    it('answers 404 to an unknown model, with those there are', async () => {
      const Unknown = Type.Object({ code: Type.Literal('UnknownModel'), models: Type.Array(Type.String()) })
      const { models } = await call(Unknown, '/v1/chat/completions', say('x', 'gpt-99'), 404)
      assert.ok(models.includes('echo'))
    })

    it('knows a model that was added a moment ago', async () => {
      upstream.models.push('new')
      assert.equal((await chat(say('x', 'new'))).model, 'new')
    })

    it('answers 413 to a body that is too large', async () => {
      const body = Buffer.alloc(30 * 1024 * 1024, ' ')
      assert.equal(
        await problem({ method: 'POST', headers: { 'content-type': 'application/json' }, body }, 413),
        'BodyTooLarge'
      )
    })

    it("says what is wrong where OpenAI's clients look for it too", async () => {
      const Said = Type.Object({
        detail: Type.String(),
        error: Type.Object({ message: Type.String(), type: Type.String() })
      })
      const { detail, error } = await call(Said, '/v1/chat/completions', json({ messages: 'hello' }), 422)
      assert.deepEqual(error, { message: detail, type: 'invalid_request_error', code: 'InvalidInput', param: null })
    })

    it('answers 400, 415 and 422', async () => {
      assert.equal(await problem(json('{"messages":'), 400), 'MalformedBody')
      assert.equal(
        await problem({ method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' }, 415),
        'UnsupportedMediaType'
      )
      assert.equal(await problem(json({}), 422), 'InvalidInput')
      assert.equal(await problem(json({ messages: [] }), 422), 'InvalidInput')
      assert.equal(await problem(json({ messages: 'hello' }), 422), 'InvalidInput')
      assert.equal(await problem(json({ prompt: 'x', max_tokens: 'many' }), 422), 'InvalidInput')
      assert.equal(await problem(json({ prompt: 5 }), 422, '/v1/completions'), 'InvalidInput')
      assert.equal(await problem(json({}), 422, '/v1/embeddings'), 'InvalidInput')
    })
  })
})

describe('the configuration of llm-inference', () => {
  it('takes the upstream with or without /v1', () => {
    const candidates = (url: string): string[] => readConfig({ LLM_UPSTREAM_URL: url }).candidates
    assert.deepEqual(candidates('http://127.0.0.1:11434'), ['http://127.0.0.1:11434/v1'])
    assert.deepEqual(candidates('http://127.0.0.1:11434/v1/'), ['http://127.0.0.1:11434/v1'])
    assert.deepEqual(candidates('https://models.example.org/openai'), ['https://models.example.org/openai/v1'])
  })

  it("looks where such servers listen by default, but not at Hedgerow's own ports", () => {
    const ports = readConfig({ LLM_UPSTREAM_URL: '' }).candidates.map(url => new URL(url).port)
    assert.ok(ports.includes('11434'))
    for (const own of ['8080', '8000', '8001', '8002', '8003']) assert.ok(!ports.includes(own))
  })

  it('refuses what is no URL or no number, by name', () => {
    assert.throws(() => readConfig({ LLM_UPSTREAM_URL: 'localhost:11434' }), /LLM_UPSTREAM_URL/)
    assert.throws(() => readConfig({ LLM_UPSTREAM_URL: 'file:///x' }), /LLM_UPSTREAM_URL/)
    assert.throws(() => readConfig({ LLM_FIRST_BYTE_SECONDS: 'soon' }), /LLM_FIRST_BYTE_SECONDS/)
  })
})
