import { pipeline } from 'node:stream/promises'
import { clientLeft, ServiceError } from '@hedgerow/service-kit'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { type Dispatcher, request as httpRequest } from 'undici'
import { ChatAnswer, textOf } from './chat.ts'
import type { Config } from './config.ts'
import { authorization, readAtMost, type Upstream } from './upstream.ts'

export interface Forwarded {
  /** within `/v1`, as in `chat/completions` */
  path: string
  base: string
  body: Record<string, unknown>
  /** add the text to the answer, for frontends that don't read `choices` */
  addText: boolean
}

export type ForwardInit = Pick<Config, 'apiKey' | 'firstByte' | 'betweenChunks'>

/** An answer that is read whole, to add the text or to say what went wrong. Bytes. */
const MAX_ANSWER = 16 * 1024 * 1024
const MAX_ERROR = 64 * 1024
/** Characters of an upstream's error message that are passed on. */
const MAX_MESSAGE = 500
const RETRY_AFTER = '5'

/**
 * Has the upstream answer a request. The answer streams through with backpressure; when the client leaves, the
 * upstream's work is stopped; when the upstream breaks off, so does the answer, with a reset.
 *
 * @throws {ServiceError} 429, 502 or 504 while nothing of an answer has been sent
 */
export async function forward(
  upstream: Upstream,
  request: FastifyRequest,
  reply: FastifyReply,
  { path, base, body, addText }: Forwarded,
  { apiKey, firstByte, betweenChunks }: ForwardInit
): Promise<unknown> {
  const left = clientLeft(reply)
  const ended = upstream.began()
  try {
    const { traceparent } = request.headers
    const answer = await httpRequest(`${base}/${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: body.stream === true ? 'text/event-stream' : 'application/json',
        ...authorization(apiKey),
        ...(typeof traceparent === 'string' ? { traceparent } : {})
      },
      body: JSON.stringify(body),
      signal: left,
      headersTimeout: firstByte,
      bodyTimeout: betweenChunks
    })
    if (answer.statusCode < 200 || answer.statusCode > 299) return await passError(reply, answer)
    if (addText && body.stream !== true) return await withText(answer.body)
    await passThrough(request, reply, answer)
    return reply
  } catch (err) {
    // nobody reads this any more
    if (left.aborted) throw new ServiceError(499, 'ClientLeft', 'the client left', {}, err)
    throw explain(err, upstream)
  } finally {
    ended()
  }
}

async function passThrough(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: Dispatcher.ResponseData
): Promise<void> {
  const type = answer.headers['content-type']
  const length = answer.headers['content-length']
  reply.hijack()
  reply.raw.writeHead(200, {
    'content-type': typeof type === 'string' ? type : 'application/json',
    'cache-control': 'no-store',
    ...(typeof length === 'string' ? { 'content-length': length } : {})
  })
  // an upstream that thinks before its first word has begun to answer
  reply.raw.flushHeaders()
  try {
    await pipeline(answer.body, reply.raw)
  } catch (err) {
    // pipeline has destroyed both ends: the client sees a reset and not an answer that looks complete
    request.log.warn({ err }, clientLeft(reply).aborted ? 'the client left' : 'the upstream broke off its answer')
  }
}

async function withText(body: Dispatcher.ResponseData['body']): Promise<unknown> {
  const answer: unknown = JSON.parse(await readAtMost(body, MAX_ANSWER))
  if (!Value.Check(ChatAnswer, answer)) throw new Error('the answer is no chat completion')
  const text = textOf(answer)
  return { ...answer, response: text, text }
}

/** What the caller did wrong is the caller's to read; what the upstream did wrong isn't the caller's fault. */
async function passError(
  reply: FastifyReply,
  { statusCode, headers, body }: Dispatcher.ResponseData
): Promise<unknown> {
  const text = await readAtMost(body, MAX_ERROR).catch(() => '')
  const said = messageOf(text)
  if (statusCode === 429) {
    const after = headers['retry-after']
    reply.header('retry-after', typeof after === 'string' ? after : RETRY_AFTER)
    throw new ServiceError(429, 'UpstreamBusy', `the upstream takes no more requests now: ${said}`)
  }
  if (statusCode === 401 || statusCode === 403) {
    throw new ServiceError(502, 'UpstreamRefused', 'the upstream refuses this service; its API key is wrong or missing')
  }
  if (statusCode >= 400 && statusCode < 500) {
    const type = headers['content-type']
    return reply
      .code(statusCode)
      .type(typeof type === 'string' ? type : 'text/plain')
      .send(text)
  }
  throw new ServiceError(502, 'UpstreamFailed', `the upstream answered ${statusCode}: ${said}`, {
    upstream_status: statusCode
  })
}

const ErrorAnswer = Type.Object({ error: Type.Union([Type.String(), Type.Object({ message: Type.String() })]) })

/** The message in an error as OpenAI's API shapes it, or the text itself. */
function messageOf(text: string): string {
  let said = text
  try {
    const value: unknown = JSON.parse(text)
    if (Value.Check(ErrorAnswer, value)) said = typeof value.error === 'string' ? value.error : value.error.message
  } catch {
    // plain text then
  }
  return said === '' ? 'it gave no reason' : said.slice(0, MAX_MESSAGE)
}

const TIMEOUTS = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'])

function explain(err: unknown, upstream: Upstream): ServiceError {
  if (err instanceof ServiceError) return err
  const code = err instanceof Error && 'code' in err ? String(err.code) : ''
  if (TIMEOUTS.has(code)) {
    return new ServiceError(504, 'UpstreamTimeout', 'the upstream did not answer in time', {}, err)
  }
  // it may be gone: don't wait for the next look to say so
  void upstream.look()
  return new ServiceError(502, 'UpstreamFailed', 'the upstream broke off or could not be reached', {}, err)
}
